// SPDX-License-Identifier: Apache-2.0
#pragma once
// What every training source refuses.

#include "core/error.hpp"
#include "core/points.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// \throw InvalidInput unless \p points are some finite points of the space of \p manifold.
inline void check_training_points(const Points& points, const Manifold& manifold) {
  check_dimension(points, manifold.ambient_dimension(), "training points");
  check_finite(points, "training points");
  if (points.cols() == 0) throw InvalidInput("training points: there are none");
}

}  // namespace onmanifold
