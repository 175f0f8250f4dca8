// SPDX-License-Identifier: Apache-2.0
#pragma once
// score_mse: the mean over noise levels of sigma^2 mean |s_model - s_exact|^2 / D, with both scores at the
// same draws of the noised law. The scores come with the input; a metric never calls a model.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// sigma^2 mean |s_model - s_exact|^2 / D of one level. \throw InvalidInput unless sigma > 0 and both scores
/// are of one size, finite, and not empty.
[[nodiscard]] double score_error(const ScoreLevel& level);

/// Null 0 with spread 0: the exact score itself. Standard error over the points, levels independent.
[[nodiscard]] std::unique_ptr<Metric> make_score_mse(Settings& settings);

}  // namespace onmanifold
