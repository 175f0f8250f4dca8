// SPDX-License-Identifier: Apache-2.0
#include "contracts/training_source.hpp"

#include <cmath>

namespace onmanifold {

Standardisation standardisation(const TrainingSource& source) {
  const Points& points = source.clean_points();
  Standardisation result;
  result.mean = points.rowwise().mean();
  const double variance = (points.colwise() - result.mean).squaredNorm() / static_cast<double>(points.size());
  if (variance > 0) result.scale = std::sqrt(variance);
  return result;
}

}  // namespace onmanifold
