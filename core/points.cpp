// SPDX-License-Identifier: Apache-2.0
#include "core/points.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

void check_dimension(const PointsRef& points, Index dimension, std::string_view what) {
  if (points.rows() != dimension) {
    throw InvalidInput(fmt::format("{}: points have {} coordinates, expected {}", what, points.rows(), dimension));
  }
}

Index first_nonfinite_column(const PointsRef& points) {
  for (Index j = 0; j < points.cols(); ++j) {
    if (!points.col(j).allFinite()) return j;
  }
  return -1;
}

void check_finite(const PointsRef& points, std::string_view what) {
  const Index j = first_nonfinite_column(points);
  if (j >= 0) throw InvalidInput(fmt::format("{}: point {} is not finite", what, j));
}

}  // namespace onmanifold
