// SPDX-License-Identifier: Apache-2.0
#pragma once
// Control `oracle`: fresh draws of the target itself. The ceiling of every table.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// Ignores training data and lift; its samples are those of FitContext::sampler. No settings, no state.
/// fit throws Unsupported if the task has no sampler.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_oracle(Settings& settings);

}  // namespace onmanifold
