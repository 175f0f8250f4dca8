// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/first_column_partition.hpp"

#include <cmath>

#include "core/math/portable.hpp"

namespace onmanifold {

Eigen::VectorXi FirstColumnPartition::assign(const PointsRef& points) const {
  check_dimension(points, 9, "points");
  Points columns(3, points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    const bool finite = points.col(j).allFinite();
    for (Index i = 0; i < 3; ++i) {
      columns(i, j) = finite ? points(3 * i, j) : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return sphere_.assign(columns);
}

std::string FirstColumnPartition::description() const {
  return "first column, " + sphere_.description();
}

double log_volume_ratio_of_rotations() {
  return 1.5 * portable::log(2.0);
}

double log_volume_of_rotations() {
  return portable::log(8 * M_PI * M_PI) + log_volume_ratio_of_rotations();
}

}  // namespace onmanifold
