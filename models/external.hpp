// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `external`: a program in any language that reads training points and writes samples.

#include <memory>
#include <stdexcept>
#include <string>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// The program did not end within its time limit.
class TimeLimitExceeded : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Settings: command (needed), a line for /bin/sh with the places {train}, {samples} (needed), {n}, {seed} and {dim};
/// timeout_s (600), of the program. Training points: one fixed lifted draw, epoch 0 of the source, as float64 C-order
/// .npy, N×D. {seed} is a number below 2^31 that depends on suite, cell and replicate. The program runs in a process
/// group of its own with one thread for OpenMP and BLAS, in a temporary directory that is removed afterwards; it must
/// write n×D finite numbers to {samples} (.npy) and end with code 0. It runs on sample(), as it cannot be trained apart
/// from sampling.
///
/// sample() throws IoError naming what went wrong (code, signal, missing or wrong file, numbers that are not finite)
/// and TimeLimitExceeded; what the program printed is in log() in every case. No state.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_external(Settings& settings);

}  // namespace onmanifold
