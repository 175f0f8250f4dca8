// SPDX-License-Identifier: Apache-2.0
#pragma once
// The root trace tr (S1 S2)^(1/2) of two covariances from the covariances themselves: three times as fast as
// the factor form of metrics/frechet.hpp, but only for covariances of full rank that are well conditioned,
// which it tells by a bound on its own error.

#include <optional>

#include "core/points.hpp"

namespace onmanifold {

/// Covariance (ddof 1) of points that come in chunks, about a known mean: the bits do not depend on how they
/// were cut. Memory O(D max(D, 1024)); only the lower triangle is kept.
class CovarianceSum {
 public:
  explicit CovarianceSum(Vector mean);
  /// \throw InvalidInput unless D rows.
  void add(const PointsRef& points);
  /// D×D, the upper triangle 0. \throw InvalidInput below two points.
  [[nodiscard]] Eigen::MatrixXd covariance();
  [[nodiscard]] Index count() const { return count_; }
  /// Additions an entry went through, in units of a block: part of the error bound.
  [[nodiscard]] Index blocks() const { return blocks_; }

 private:
  void absorb();

  Vector mean_;
  Points block_;  // D×1024, centred; the first filled_ columns are in use
  Index filled_ = 0;
  Index count_ = 0;
  Index blocks_ = 0;
  Eigen::MatrixXd sum_;
};

/// One side: what fits a Gaussian without its mean.
struct CovarianceFit {
  Eigen::MatrixXd covariance;  ///< lower triangle
  double trace = 0;
  double norm = 0;  ///< largest sum of a column's absolute values: at least the largest eigenvalue
  Index blocks = 0;
};
/// Of the columns of \p points about \p mean. O(N D^2).
[[nodiscard]] CovarianceFit fit_covariance(const PointsRef& points, const Vector& mean);
[[nodiscard]] CovarianceFit fit_covariance(CovarianceSum& sum);

/// The lower Cholesky factor of a covariance; nothing if a pivot is not above 1e-12 of the largest diagonal
/// entry.
[[nodiscard]] std::optional<Eigen::MatrixXd> cholesky(const CovarianceFit& fit);
/// Eigenvalues of the covariance, ascending, clipped at 0. O(D^3).
[[nodiscard]] Vector eigenvalues(const CovarianceFit& fit);

/// tr (S1 S2)^(1/2) with a bound on its error.
struct RootTrace {
  double value = 0;
  /// c u |S1| |S2| sum_i 1 / (2 sqrt mu_i) with u = 2^-52, norms as above and c = 8 + the blocks of both
  /// sums: every eigenvalue mu_i of LᵀS2L moves by at most c u |S1| |S2| (Weyl), its root by that over 2 sqrt
  /// mu_i. Infinite if some mu_i is not above what it may move by.
  double error = 0;
};
/// From S1 = L Lᵀ: the sum of the square roots of the eigenvalues of the symmetric LᵀS2L. O(D^3): a
/// two-sided triangular product and one tridiagonal reduction; no eigenvectors and no square root of a
/// matrix.
[[nodiscard]] RootTrace root_trace(const CovarianceFit& first, const Eigen::MatrixXd& cholesky_of_first,
                                   const CovarianceFit& second);

/// The criterion: the covariance route is taken for D >= covariance_dimension, more than D points on both
/// sides, a Cholesky factor of the first covariance, and an error bound of root_trace of at most
/// root_trace_tolerance (tr S1 + tr S2). Everything else goes through triangular factors.
inline constexpr Index covariance_dimension = 128;
inline constexpr double root_trace_tolerance = 1e-11;

}  // namespace onmanifold
