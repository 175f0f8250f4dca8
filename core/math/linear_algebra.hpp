// SPDX-License-Identifier: Apache-2.0
#pragma once
// The decompositions that are slow to compile, instantiated once over LAPACK. One thread, fixed block sizes:
// equal input gives equal bits. Manifold data are rank-deficient by nature; every function here takes that as
// the rule.

#include "core/points.hpp"

namespace onmanifold {

/// Sample covariance (ddof 1) of the columns of \p points, D×N -> D×D, exactly symmetric. Two passes, summed
/// over tiles of 1024 points by a fixed tree. O(N D^2). \throw InvalidInput below two points or for values
/// that are not finite.
[[nodiscard]] Eigen::MatrixXd covariance(const PointsRef& points);

/// Eigenvalues in ascending order with orthonormal eigenvectors, one a column, in the same order.
struct SymmetricEigen {
  Vector values;
  Eigen::MatrixXd vectors;  ///< the entry of largest size of each column is positive (the first one of a draw)
};
/// Eigen-decomposition of a symmetric \p matrix; only its lower triangle is read. O(D^3).
/// \throw InvalidInput unless square and finite, NumericalFailure if the iteration does not converge.
[[nodiscard]] SymmetricEigen symmetric_eigen(const PointsRef& matrix);

/// Singular values in descending order, min(rows, columns) of them.
/// \throw InvalidInput unless finite, NumericalFailure if the iteration does not converge.
[[nodiscard]] Vector singular_values(const PointsRef& matrix);
/// Sum of the singular values.
[[nodiscard]] double nuclear_norm(const PointsRef& matrix);
/// Number of singular values above max(rows, columns) · 2^-52 · the largest.
[[nodiscard]] Index numerical_rank(const PointsRef& matrix);

/// The triangular factor R of points that come in chunks: the bits do not depend on how they were cut. Memory
/// O(D max(D, 1024)).
class TriangularFactor {
 public:
  /// \p shift, D numbers, is subtracted from every point.
  explicit TriangularFactor(Vector shift);
  /// \throw InvalidInput unless D rows.
  void add(const PointsRef& points);
  /// min(n, D)×D for the n points so far.
  [[nodiscard]] Eigen::MatrixXd factor() const;

 private:
  [[nodiscard]] Eigen::MatrixXd absorbed() const;

  Vector shift_;
  Points block_;  // D×block size; the first filled_ columns are in use
  Index filled_ = 0;
  Eigen::MatrixXd factor_;
};

/// The triangular factor of the N×D matrix of \p points (D×N, one point a column, as everywhere): R is min(N,
/// D)×D, upper triangular with diagonal >= 0, and RᵀR = sum x xᵀ. Points go through in blocks, so memory is
/// O(D^2 + D max(D, 1024)); no squares of the data are formed, which keeps singular values to the last
/// digits. O(N D^2). \throw InvalidInput for no points or values that are not finite.
[[nodiscard]] Eigen::MatrixXd triangular_factor(const PointsRef& points);
/// triangular_factor of the points minus their mean (core/summation): covariance = RᵀR / (N - 1).
[[nodiscard]] Eigen::MatrixXd centred_triangular_factor(const PointsRef& points);

}  // namespace onmanifold
