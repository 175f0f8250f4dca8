// SPDX-License-Identifier: Apache-2.0
#pragma once
// Null values by simulation, for metrics whose null has no closed form: the metric itself on pairs of fresh
// draws. All cells of a task share them; the streams depend on the evaluation address and the name of the
// metric alone.

#include <functional>
#include <memory>
#include <string>

#include "metrics/metric.hpp"
#include "metrics/support.hpp"

namespace onmanifold {

/// How much to simulate. Means come from draws at the sizes in use. Spreads of a local statistic fall like
/// one over the root of the size, so they come from many small draws of about small_total points and are
/// scaled.
struct NullPlan {
  Index points = 200'000;  ///< draws at full size: points / (N + M), at least 4 and at most small_draws; 0: none
  Index small_draws = 40;
  Index small_total = 1'000;  ///< N' + M' of the small draws
  Index smallest = 8;         ///< no small set has fewer points
  bool vanishing = false;     ///< the mean falls to 0 like a power of the sizes
};

struct SimulatedNull {
  Vector mean;  ///< one number a statistic; NaN where plan.points is 0
  Vector sd;
  Vector full_sd;           ///< of the draws at the sizes in use, unscaled; NaN where there is one or none
  std::string full_method;  ///< what mean and full_sd come from
  std::string method;       ///< what was done, for the parameters of the record
};

/// Several statistics of one pair of sets.
using PairStatistic = std::function<Vector(const Points& x, const Points& y)>;

/// Moments of \p statistic when reference (\p n points) and samples (\p m) have one law. Draws come from
/// input.target.sampler; without it the reference, whatever its order, is cut at random into pairs of sets in the same
/// proportion, which are smaller: the mean of a vanishing statistic is carried on to the sizes asked for by the power
/// that halves of the pairs show. \p name, with the settings, tells metrics apart. \p statistics: how many numbers
/// statistic gives.
[[nodiscard]] std::shared_ptr<const SimulatedNull> simulated_null(const MetricInput& input, const std::string& name,
                                                                  Index n, Index m, Index statistics,
                                                                  const NullPlan& plan, const PairStatistic& statistic);

}  // namespace onmanifold
