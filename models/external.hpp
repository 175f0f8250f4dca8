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

/// Settings: command (needed), a line for /bin/sh or an array of program and arguments, started without a shell, with
/// the places {train}, {samples} (needed), {n}, {seed} and {dim}, {task}, {lift} (its type), {sigma} (its level, data
/// units) and {manifold} (as --manifold takes it), whose values are quoted for the shell; epochs, the number of lifted
/// draws in the folder {epochs}, 0.npy, 1.npy, …, each a pass with new noise as built-in methods get it; timeout_s
/// (600), of the program; threads (1), told to OpenMP and BLAS; memory_gb, the limit of the data segment of each of its
/// processes; inputs, files and folders that its samples depend on beside those that the command names. Training
/// points: one fixed lifted draw, epoch 0 of the source, as float64 C-order .npy, N×D. {seed} is a number below 2^31
/// that depends on suite, cell and replicate. The program must write n×D finite numbers to {samples}
/// (.npy) and end with code 0. Whatever happens, also to this process, nothing that it started and no file of it
/// outlives the run (SupervisedProgram). It runs on sample(), as it cannot be trained apart from sampling.
///
/// input_files() are those that a word of the command names (also as --option=FILE), seen from the working directory,
/// and `inputs`, of a folder all files but hidden ones and __pycache__.
///
/// sample() throws IoError naming what went wrong (code, signal, missing or wrong file, numbers that are not finite)
/// and TimeLimitExceeded; what the program printed (head and tail, control
/// characters escaped) is in log() in every case. No state.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_external(Settings& settings);

}  // namespace onmanifold
