// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/plane_frame.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

PlaneFrame::PlaneFrame() {
  normal_ = Eigen::Vector3d(1, 2, 3) / std::sqrt(14.0);
  basis_.col(0) = Eigen::Vector3d(2, -1, 0) / std::sqrt(5.0);
  basis_.col(1) = Eigen::Vector3d(3, 6, -5) / std::sqrt(70.0);
}

Points PlaneFrame::embed(const PointsRef& uv) const {
  check_dimension(uv, 2, "in-plane coordinates");
  Points x(3, uv.cols());
  for (Index j = 0; j < uv.cols(); ++j) {
    x.col(j) = offset_ * normal_ + uv(0, j) * basis_.col(0) + uv(1, j) * basis_.col(1);
  }
  return x;
}

Points PlaneFrame::coordinates(const PointsRef& x) const {
  check_dimension(x, 3, "points");
  Points uv(2, x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    for (Index i = 0; i < 2; ++i) {
      uv(i, j) = basis_(0, i) * x(0, j) + basis_(1, i) * x(1, j) + basis_(2, i) * x(2, j);
    }
  }
  return uv;
}

Vector PlaneFrame::heights(const PointsRef& x) const {
  check_dimension(x, 3, "points");
  Vector h(x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    h[j] = normal_[0] * x(0, j) + normal_[1] * x(1, j) + normal_[2] * x(2, j) - offset_;
  }
  return h;
}

Affine PlaneFrame::manifold() const {
  return Affine::plane(Eigen::Vector3d(1, 2, 3), offset_);
}

PlanePartition::PlanePartition(PlaneFrame frame, double half_width, Index bins)
    : frame_(std::move(frame)), half_width_(half_width), bins_(bins) {
  if (!(half_width > 0) || !std::isfinite(half_width) || bins < 1 || bins > 4096) {
    throw InvalidInput(fmt::format("plane partition: half width {} with {} bins", half_width, bins));
  }
}

double PlanePartition::edge(Index i) const {
  return half_width_ * (2 * static_cast<double>(i) / static_cast<double>(bins_) - 1);
}

Eigen::VectorXi PlanePartition::assign(const PointsRef& points) const {
  check_dimension(points, 3, "points");
  const Points uv = frame_.coordinates(points);
  const auto count = static_cast<double>(bins_);
  Eigen::VectorXi cells(points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    if (!points.col(j).allFinite()) {
      cells[j] = -1;
      continue;
    }
    Index cell[2] = {0, 0};
    bool inside = true;
    for (Index i = 0; i < 2; ++i) {
      inside = inside && std::abs(uv(i, j)) <= half_width_;
      if (!inside) break;
      cell[i] = std::min(bins_ - 1, static_cast<Index>(std::floor((uv(i, j) / half_width_ + 1) / 2 * count)));
    }
    cells[j] = static_cast<int>(inside ? cell[1] * bins_ + cell[0] : bins_ * bins_);
  }
  return cells;
}

std::string PlanePartition::description() const {
  return fmt::format("in-plane {0}×{0} on [{1:g}, {2:g}]² and overflow", bins_, -half_width_, half_width_);
}

}  // namespace onmanifold
