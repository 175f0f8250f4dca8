// SPDX-License-Identifier: Apache-2.0
#pragma once
// The plane of the plane tasks with its coordinates, and the histogram in them.

#include "contracts/partition.hpp"
#include "core/points.hpp"
#include "manifolds/affine.hpp"

namespace onmanifold {

/// In-plane coordinates of {x in R^3 : n·x = b}, n = (1,2,3)/sqrt(14), b = 1: x = b n + u e1 + v e2 + h n
/// with e1 = (2,-1,0)/sqrt(5), e2 = n × e1 = (3,6,-5)/sqrt(70). Fixed here, not taken from the manifold,
/// whose basis is an arbitrary one.
class PlaneFrame {
 public:
  PlaneFrame();

  /// (u, v) 2×N to points on the plane, 3×N.
  [[nodiscard]] Points embed(const PointsRef& uv) const;
  /// (u, v) of the orthogonal projections of \p x (3×N), 2×N.
  [[nodiscard]] Points coordinates(const PointsRef& x) const;
  /// Signed distances n·x - b of \p x (3×N), N numbers.
  [[nodiscard]] Vector heights(const PointsRef& x) const;
  [[nodiscard]] Affine manifold() const;

  [[nodiscard]] const Eigen::Vector3d& normal() const { return normal_; }
  [[nodiscard]] const Eigen::Matrix<double, 3, 2>& basis() const { return basis_; }
  [[nodiscard]] double offset() const { return offset_; }

 private:
  Eigen::Vector3d normal_;
  Eigen::Matrix<double, 3, 2> basis_;
  double offset_ = 1.0;
};

/// bins × bins equal squares over [-half_width, half_width]^2 in (u, v), cell = row(v)·bins + column(u), and
/// the overflow cell bins·bins. Right edges belong to the next cell, except the last ones. Points off the
/// plane count by their orthogonal projection.
class PlanePartition final : public Partition {
 public:
  /// \throw InvalidInput unless \p half_width > 0 and \p bins >= 1.
  PlanePartition(PlaneFrame frame, double half_width, Index bins);

  [[nodiscard]] Index size() const override { return bins_ * bins_ + 1; }
  [[nodiscard]] Eigen::VectorXi assign(const PointsRef& points) const override;
  [[nodiscard]] std::string description() const override;

  [[nodiscard]] Index bins() const { return bins_; }
  /// Edge \p i = 0 … bins of the grid, the same in u and v.
  [[nodiscard]] double edge(Index i) const;

 private:
  PlaneFrame frame_;
  double half_width_;
  Index bins_;
};

}  // namespace onmanifold
