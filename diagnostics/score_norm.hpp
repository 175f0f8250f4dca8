// SPDX-License-Identifier: Apache-2.0
#pragma once
// How large the score is along normals as the noise falls: like 1/s on a bare manifold, bounded on a lifted
// one.

#include <limits>
#include <memory>
#include <vector>

#include "contracts/score_field.hpp"
#include "core/math/statistics.hpp"
#include "core/random/stream.hpp"
#include "core/settings.hpp"
#include "datasets/lift.hpp"
#include "diagnostics/diagnostic.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

struct ScoreNormOptions {
  /// What was done to the data that the field belongs to. v = s^2 + sigma0^2 below.
  Lift lift;
  /// Numbers of the levels to look at, rising; empty: all. A chain of a thousand steps has more than a slope
  /// needs.
  std::vector<Index> levels;
  /// The smallest level that the field was trained for, data units; levels below are flagged and enter no
  /// fit. 0: all were.
  double trained_smallest = 0;
  /// The fit takes the levels s <= decade × the smallest trained one, and s <= sigma0/3 if lifted, where the
  /// plateau is.
  double decade = 10;
  /// Bootstrap resamples of the points, at least 2000.
  Index replicates = 2000;
  /// Of the intervals.
  double level = 0.95;
};

struct ScoreNormLevel {
  double s = 0;
  /// E |P_N(Pi(y)) score(y)|^2 at y = x_0 + lift + s z, with the draw's normal noise as a control: the mean
  /// over the points times k v/mean |P_N(x_0)(y - x_0)|^2. On a flat M with the exact score it is k/v to
  /// rounding.
  double normal_square = 0;
  double ideal = 0;         ///< k/v; right up to O(1) on a curved M
  double total_square = 0;  ///< mean |score|^2: the tangential part hides the law, for comparison only
  /// v × the slope of <score, -n> on |n|^2, n = y - Pi(y), with an intercept: 1 for the exact score of flat
  /// M. What the network gets wrong along M, and what it gets wrong regardless of n, drop out.
  double regression = 0;
  double regression_se = 0;  ///< by the bootstrap
  bool below_trained = false;
  bool in_fit = false;
};

struct ScoreNormResult {
  std::vector<ScoreNormLevel> levels;  ///< those asked for, falling
  /// Of log normal_square on log s over the levels of the fit; NaN with fewer than two of them. Ideal: -2
  /// without lift.
  double slope = std::numeric_limits<double>::quiet_NaN();
  double slope_se = std::numeric_limits<double>::quiet_NaN();     ///< by the bootstrap
  Interval slope_interval;                                        ///< percentiles of the bootstrap
  double ideal_slope = std::numeric_limits<double>::quiet_NaN();  ///< of log ideal over the same levels
  /// Means over the levels of the fit: normal_square, normal_square/ideal, and regression.
  double plateau = std::numeric_limits<double>::quiet_NaN();
  double ideal_ratio = std::numeric_limits<double>::quiet_NaN();
  double regression = std::numeric_limits<double>::quiet_NaN();
  /// Slope over the flagged levels alone: near 0 without a lift if a bounded network shows a plateau of its
  /// own.
  double slope_below_trained = std::numeric_limits<double>::quiet_NaN();
  Index failures =
      0;  ///< points whose projection failed, or whose score was not finite, at some level: left out at all
};

/// \p base: draws of p0 on \p manifold, D×N, before the lift. All levels see the same points and the same
/// noise, so that slopes are paired. Streams: stream/"lift", stream/"noise", stream/"bootstrap"/b. Cost: L N
/// evaluations of the field, L N projections, O(L N replicates). \throw InvalidInput on a manifold without
/// normals, sizes that do not fit, or fewer than 10 usable points; NumericalFailure if the score has no
/// normal part.
[[nodiscard]] ScoreNormResult score_norm(const ScoreField& field, const Manifold& manifold, const PointsRef& base,
                                         const ScoreNormOptions& options, const Stream& stream);

/// score_norm: slope, slope_se, slope_low, slope_high, ideal_slope, plateau, ideal_ratio, regression,
/// slope_below_trained, failures; by level: level, normal_square, ideal, total_square, level_regression.
/// Of a model of two steps it looks at the score of the latent points along the normals of the encoded
/// manifold: slope, slope_se, ideal_slope, latent_dimension; by level: level, normal_square, total_square.
[[nodiscard]] std::unique_ptr<Diagnostic> make_score_norm(Settings& settings);

}  // namespace onmanifold
