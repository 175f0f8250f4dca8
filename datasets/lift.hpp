// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is done to training data before a model sees them: nothing, noise in the normal directions only
// (manifold-aware perturbation \cite keegan2026), or the same noise in all directions (the control).

#include <memory>
#include <string>

#include "contracts/training_source.hpp"
#include "contracts/unit_info.hpp"
#include "core/points.hpp"
#include "core/random/stream.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// A lift with its level.
struct Lift {
  LiftType type = LiftType::none;
  double sigma = 0.0;  ///< standard deviation in every lifted direction, in data units; 0 for none

  /// x + n, n = P_N(x) eps (normal) or eps (isotropic), eps ~ N(0, sigma^2 I). \p points D×N on \p manifold.
  [[nodiscard]] Points apply(const PointsRef& points, const Manifold& manifold, Stream stream) const;
};

/// Minibatches of \p clean with new lift noise in every epoch. \p manifold outlives the source.
/// Streams: order of epoch e = stream/"order"/e, noise of epoch e = stream/"lift"/e.
[[nodiscard]] std::unique_ptr<TrainingSource> make_training_source(Points clean, const Manifold& manifold,
                                                                   const Lift& lift, Stream stream);

}  // namespace onmanifold
