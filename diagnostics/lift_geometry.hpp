// SPDX-License-Identifier: Apache-2.0
#pragma once
// How much normal noise a manifold bears: the rate at which the nearest point of x + n is not x any more.

#include <memory>
#include <vector>

#include "core/math/statistics.hpp"
#include "core/random/stream.hpp"
#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"
#include "manifolds/manifold.hpp"
#include "manifolds/triangle_mesh.hpp"

namespace onmanifold {

struct LiftGeometryOptions {
  /// Of the intervals.
  double level = 0.99;
  /// x counts as found again within this distance, times Manifold::scale().
  double tolerance = 1e-6;
};

struct LiftGeometryLevel {
  double sigma = 0;
  Index draws = 0;
  Index flips = 0;           ///< draws with |Pi(x + n) - x| above the tolerance, or without a projection
  Index failures = 0;        ///< of them, those without a projection
  double rate = 0;           ///< flips/draws
  Interval rate_interval;    ///< Clopper–Pearson: exact
  double bound = 0;          ///< P(|n| >= reach), which the rate cannot exceed; vacuous, 1, at reach 0
  bool within_bound = true;  ///< the lower end of the interval does not exceed the bound
  double mean_jump = 0;      ///< mean |Pi(x + n) - x| over the flips that have a projection; 0 without any
  double max_jump = 0;       ///< largest |Pi(x + n) - x| over all draws; infinite if one has no projection
};

/// The rate for each of \p sigmas. \p points on \p manifold, D×N. All sigmas see the same normal directions,
/// in blocks of 8192 points: streams stream/b. The rate bounds the total variation between the law of the
/// points and that of the points lifted and projected. Cost: N projections a sigma. \throw InvalidInput for
/// no points, or sigmas that are not positive.
[[nodiscard]] std::vector<LiftGeometryLevel> lift_geometry(const Manifold& manifold, const PointsRef& points,
                                                           const VectorRef& sigmas, const LiftGeometryOptions& options,
                                                           const Stream& stream);

/// P(|n| >= reach) = P(chi-square with k degrees >= reach^2/sigma^2): 0 for infinite reach, 1 for none.
[[nodiscard]] double reach_bound(const Manifold& manifold, double sigma);

/// The rate on a mesh with uniform points to first order in sigma: (sigma/A) sqrt(2/pi) sum over edges of
/// length × tan(half the angle between the normals of the two faces). The second order is negative where
/// edges meet. O(faces log faces).
[[nodiscard]] double mesh_flip_rate(const TriangleMesh& mesh, double sigma);

/// The exact interval of a probability after \p successes in \p trials \cite clopper1934; [0, …] for none,
/// […, 1] for all. \throw InvalidInput unless 0 <= successes <= trials, trials >= 1 and 0 < level < 1.
[[nodiscard]] Interval clopper_pearson(Index successes, Index trials, double level);

/// lift_geometry over the task's grid of lift levels, of the manifold and the points alone; by level: sigma,
/// rate, rate_low, rate_high, draws, bound, exact (NaN where the rate has no closed form), max_jump,
/// mean_jump, failures; within_bound (1 or 0) over all.
[[nodiscard]] std::unique_ptr<Diagnostic> make_lift_geometry(Settings& settings);

}  // namespace onmanifold
