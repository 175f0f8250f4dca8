// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Stiefel manifold St(n, p): matrices with p orthonormal columns in R^n.

#include <string>

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// M = {X in R^{n×p} : X^T X = I} with the Frobenius metric, 1 <= p <= n; D = np, k = p(p+1)/2. Points are the entries
/// row by row. St(n, 1) is the sphere; St(n, n) is O(n), both components.
///
/// With X = U diag(s) V^T, s1 >= … >= sp, Pi(X) = U V^T, the polar factor. It is unique iff sp > 0; a column with sp <=
/// 8 eps s1, a NaN or an infinity does not converge. h(X) = the entries of S - I, S = Pi(X)^T X symmetric, those off
/// the diagonal times sqrt(2): |h(X)| = |X - M|. Normal space at X: X times the symmetric matrices. Reach 1, scale
/// sqrt(p) (the norm of every point), constraint tolerance 1e-12 sqrt(p). Jacobi SVD: O(n p^2) a point.
class Stiefel : public Manifold {
 public:
  /// \throw InvalidInput unless 1 <= \p columns <= \p rows.
  Stiefel(Index rows, Index columns);

 private:
  [[nodiscard]] Index do_ambient_dimension() const override { return rows_ * columns_; }
  [[nodiscard]] Index do_dimension() const override { return rows_ * columns_ - columns_ * (columns_ + 1) / 2; }
  [[nodiscard]] double do_reach() const override { return 1; }
  [[nodiscard]] double do_scale() const override;
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-12 * do_scale(); }
  [[nodiscard]] std::string do_spec() const override;
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_normal_component(const PointsRef& y, const PointsRef& v) const override;
  /// Uniform: the polar factor of a normal matrix.
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;

  Index rows_;
  Index columns_;
};

}  // namespace onmanifold
