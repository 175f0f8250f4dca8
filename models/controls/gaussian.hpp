// SPDX-License-Identifier: Apache-2.0
#pragma once
// Control `gaussian`: the normal law with the moments of the training data. The floor of every table.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// Mean and full covariance (ddof 1; 0 for one point) of pass 0 of the (lifted) training data, sampled as
/// mean + U sqrt(Lambda) z. Variances below 1e-13 of the greatest one are round-off of the covariance and
/// count as 0, so that data in a plane give samples in it. No settings. State: "mean" and "factor" (D×D),
/// each as the sum of two float arrays "…_high" and "…_low" (48 bits). Cost O(N D^2 + D^3).
[[nodiscard]] std::unique_ptr<GenerativeModel> make_gaussian(Settings& settings);

}  // namespace onmanifold
