// SPDX-License-Identifier: Apache-2.0
#pragma once
// Products of vectors of three numbers, written out: GCC 12 mistakes Eigen's AVX-512 reductions over them for
// reads past the end.

#include <cmath>

#include <Eigen/Core>

#include "core/points.hpp"

namespace onmanifold {

[[nodiscard]] inline double dot3(const Eigen::Vector3d& a, const Eigen::Vector3d& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

[[nodiscard]] inline double norm3(const Eigen::Vector3d& a) {
  return std::sqrt(dot3(a, a));
}

/// a x; Eigen's product would fuse where the machine can.
[[nodiscard]] inline Eigen::Vector3d times3(const Eigen::Matrix3d& a, const Eigen::Vector3d& x) {
  return {a(0, 0) * x[0] + a(0, 1) * x[1] + a(0, 2) * x[2], a(1, 0) * x[0] + a(1, 1) * x[1] + a(1, 2) * x[2],
          a(2, 0) * x[0] + a(2, 1) * x[1] + a(2, 2) * x[2]};
}

inline void set_column(Points& points, Index j, const Eigen::Vector3d& value) {
  for (Index i = 0; i < 3; ++i) points(i, j) = value[i];
}

}  // namespace onmanifold
