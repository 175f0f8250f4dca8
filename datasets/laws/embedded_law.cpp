// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/embedded_law.hpp"

namespace onmanifold {

Points EmbeddedLaw::sample(Index n, Stream stream) const {
  return embedding_.embed(sampler_->sample(n, stream));
}

Vector EmbeddedLaw::log_density(const PointsRef& points) const {
  return density_->log_density(embedding_.parameters(points));
}

Eigen::VectorXi EmbeddedPartition::assign(const PointsRef& points) const {
  Points parameters = embedding_.parameters(points);
  for (Index j = 0; j < points.cols(); ++j) {
    if (!parameters.col(j).allFinite() && points.col(j).allFinite()) parameters.col(j).setZero();
  }
  return cells_->assign(parameters);
}

std::string EmbeddedPartition::description() const {
  return cells_->description() + " of the nearest point";
}

}  // namespace onmanifold
