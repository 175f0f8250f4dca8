// SPDX-License-Identifier: Apache-2.0
#pragma once
// The unit sphere of a linear subspace of R^D: curvature 1 and as many flat normals as one likes.

#include <string>

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// M = {U u : u in R^(d+1), |u| = 1}, U the first d + 1 columns of random_frame(D): S^d padded with zeros and
/// turned.
///
/// Pi(x) = U u/|u|, u = U^T x; columns with u = 0, a NaN or an infinity do not converge. h(x) = (|u| - 1, W^T
/// x), W the other columns of the frame; |h(x)| = |x - M|. Normals: U u, then W. Reach and scale 1,
/// constraint tolerance 1e-12. O(D d) a projection, O(D²) a residual. Every column is computed by itself.
class PlacedSphere : public Manifold {
 public:
  /// \throw InvalidInput unless 1 <= \p dimension < \p ambient <= 256.
  PlacedSphere(Index dimension, Index ambient);

  /// U u column by column, \p u (d+1)×N.
  [[nodiscard]] Points embed(const PointsRef& u) const;
  /// U^T x, \p x D×N.
  [[nodiscard]] Points parameters(const PointsRef& x) const;
  /// U, D×(d+1).
  [[nodiscard]] Points basis() const { return frame_.leftCols(dimension_ + 1); }

 private:
  [[nodiscard]] Index do_ambient_dimension() const override { return frame_.rows(); }
  [[nodiscard]] Index do_dimension() const override { return dimension_; }
  [[nodiscard]] double do_reach() const override { return 1; }
  [[nodiscard]] double do_scale() const override { return 1; }
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-12; }
  [[nodiscard]] std::string do_spec() const override;
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;
  [[nodiscard]] std::optional<TubeFactor> do_mean_log_tube_factor(double sigma) const override;
  [[nodiscard]] std::optional<double> do_flip_rate(double sigma) const override;

  Index dimension_;
  Points frame_;  // D×D, orthogonal
};

}  // namespace onmanifold
