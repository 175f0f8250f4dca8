// SPDX-License-Identifier: Apache-2.0
#include "metrics/target.hpp"

namespace onmanifold {

FiniteColumns::FiniteColumns(const Points& points) : points_(&points) {
  if (points.allFinite()) return;
  std::vector<Index> finite;
  for (Index c = 0; c < points.cols(); ++c) {
    if (points.col(c).allFinite()) finite.push_back(c);
  }
  nonfinite_ = points.cols() - static_cast<Index>(finite.size());
  kept_ = points(Eigen::all, finite);
  points_ = &kept_;
}

}  // namespace onmanifold
