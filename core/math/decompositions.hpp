// SPDX-License-Identifier: Apache-2.0
#pragma once
// Eigen's dense decompositions, instantiated once: each costs seconds of every file that names its class. The bits are
// Eigen's, so trained methods and projections keep theirs; linear_algebra.hpp has what goes through LAPACK.

#include <optional>

#include "core/points.hpp"

namespace onmanifold {

/// A = Q R by Householder reflections, signs as they come.
struct FullQr {
  Points q;  ///< D×D, orthogonal: the first k columns span A's, the others their complement
  Points r;  ///< k×k, upper triangular
};
/// \p a is D×k with k <= D. O(D^2 k).
[[nodiscard]] FullQr full_qr(const PointsRef& a);
/// Number of pivots above \p threshold times the largest, by column pivoting. O(D k^2).
[[nodiscard]] Index pivoted_rank(const PointsRef& a, double threshold);

/// X = U diag(s) V^T, singular values in descending order.
struct ThinSvd {
  Eigen::MatrixXd u;  ///< rows×min(rows, columns)
  Vector s;
  Eigen::MatrixXd v;  ///< columns×min(rows, columns)
};
/// By Jacobi rotations. \p x must be finite.
[[nodiscard]] ThinSvd jacobi_svd(const Eigen::MatrixXd& x);

/// X = U diag(s) V^T of a 3×3 matrix; U and V may be reflections.
struct Svd3 {
  Eigen::Matrix3d u;
  Eigen::Vector3d s;
  Eigen::Matrix3d v;
};
/// By Jacobi rotations. \p x must be finite.
[[nodiscard]] Svd3 jacobi_svd3(const Eigen::Matrix3d& x);

/// Eigenvalues in ascending order, orthonormal eigenvectors a column each, signs as they come.
struct EigenPairs {
  Vector values;
  Eigen::MatrixXd vectors;
};
/// By tridiagonal QR iterations; reads the lower triangle. Nothing where they do not converge.
[[nodiscard]] std::optional<EigenPairs> self_adjoint_eigen(const Eigen::MatrixXd& matrix);

/// The solution of \p a x = \p b by Cholesky; nothing where \p a is not positive definite.
[[nodiscard]] std::optional<Vector> cholesky_solve(const Eigen::MatrixXd& a, const Vector& b);

}  // namespace onmanifold
