// SPDX-License-Identifier: Apache-2.0
#include "metrics/gaussian_fit.hpp"

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"

// What Armadillo does not wrap: LᵀAL of a symmetric A in place, half the work of two triangular products.
extern "C" void dsygst_(const arma::blas_int* type, const char* triangle, const arma::blas_int* n, double* a,
                        const arma::blas_int* lda, const double* b, const arma::blas_int* ldb, arma::blas_int* info);

namespace onmanifold {
namespace {

constexpr Index block_size = 1024;

// Eigenvalues of the symmetric \p matrix, ascending; its lower triangle is overwritten.
Vector eigenvalues_in_place(Eigen::MatrixXd& matrix) {
  auto n = static_cast<arma::blas_int>(matrix.rows());
  char job = 'N';
  char triangle = 'L';
  Vector values(matrix.rows());
  double best_work = 0;
  arma::blas_int best_integers = 0;
  arma::blas_int query = -1;
  arma::blas_int info = 0;
  arma::lapack::syevd(&job, &triangle, &n, matrix.data(), &n, values.data(), &best_work, &query, &best_integers, &query,
                      &info);
  Vector work(std::max<Index>(1, static_cast<Index>(best_work)));
  std::vector<arma::blas_int> integers(static_cast<std::size_t>(std::max<arma::blas_int>(1, best_integers)));
  auto work_size = static_cast<arma::blas_int>(work.size());
  auto integer_size = static_cast<arma::blas_int>(integers.size());
  arma::lapack::syevd(&job, &triangle, &n, matrix.data(), &n, values.data(), work.data(), &work_size, integers.data(),
                      &integer_size, &info);
  if (info != 0) throw NumericalFailure(fmt::format("eigenvalues of a {0}x{0} matrix: no convergence", matrix.rows()));
  return values;
}

}  // namespace

CovarianceSum::CovarianceSum(Vector mean)
    : mean_(std::move(mean)),
      block_(mean_.size(), block_size),
      sum_(Eigen::MatrixXd::Zero(mean_.size(), mean_.size())) {}

void CovarianceSum::absorb() {
  auto d = static_cast<arma::blas_int>(mean_.size());
  auto k = static_cast<arma::blas_int>(filled_);
  const char triangle = 'L';
  const char plain = 'N';
  const double one = 1;
  arma::blas::syrk(&triangle, &plain, &d, &k, &one, block_.data(), &d, &one, sum_.data(), &d);
  filled_ = 0;
  ++blocks_;
}

void CovarianceSum::add(const PointsRef& points) {
  check_dimension(points, mean_.size(), "covariance");
  for (Index first = 0; first < points.cols();) {
    const Index width = std::min(block_size - filled_, points.cols() - first);
    block_.middleCols(filled_, width) = points.middleCols(first, width).colwise() - mean_;
    filled_ += width;
    first += width;
    if (filled_ == block_size) absorb();
  }
  count_ += points.cols();
}

Eigen::MatrixXd CovarianceSum::covariance() {
  if (count_ < 2) throw InvalidInput(fmt::format("covariance of {} points", count_));
  if (filled_ > 0) absorb();
  return sum_ / static_cast<double>(count_ - 1);
}

CovarianceFit fit_covariance(CovarianceSum& sum) {
  CovarianceFit fit;
  fit.covariance = sum.covariance();
  fit.trace = tree_sum(fit.covariance.diagonal());
  fit.blocks = sum.blocks();
  Vector columns = Vector::Zero(fit.covariance.cols());
  for (Index j = 0; j < columns.size(); ++j) {
    columns[j] += std::abs(fit.covariance(j, j));
    for (Index i = j + 1; i < columns.size(); ++i) {
      const double entry = std::abs(fit.covariance(i, j));
      columns[i] += entry;
      columns[j] += entry;
    }
  }
  fit.norm = columns.maxCoeff();
  return fit;
}

CovarianceFit fit_covariance(const PointsRef& points, const Vector& mean) {
  check_finite(points, "covariance");
  CovarianceSum sum(mean);
  sum.add(points);
  return fit_covariance(sum);
}

std::optional<Eigen::MatrixXd> cholesky(const CovarianceFit& fit) {
  constexpr double least = 1e-12;
  const double largest = fit.covariance.diagonal().maxCoeff();
  if (!(fit.covariance.diagonal().minCoeff() > least * largest)) return std::nullopt;
  Eigen::MatrixXd factor = fit.covariance;
  auto n = static_cast<arma::blas_int>(factor.rows());
  char triangle = 'L';
  arma::blas_int info = 0;
  arma::lapack::potrf(&triangle, &n, factor.data(), &n, &info);
  if (info != 0 || !(factor.diagonal().cwiseAbs2().minCoeff() > least * largest)) return std::nullopt;
  return factor;
}

Vector eigenvalues(const CovarianceFit& fit) {
  Eigen::MatrixXd work = fit.covariance;
  return eigenvalues_in_place(work).cwiseMax(0.0);
}

RootTrace root_trace(const CovarianceFit& first, const Eigen::MatrixXd& cholesky_of_first,
                     const CovarianceFit& second) {
  check_dimension(second.covariance, first.covariance.rows(), "second covariance");
  Eigen::MatrixXd product = second.covariance;
  const auto n = static_cast<arma::blas_int>(product.rows());
  const arma::blas_int type = 2;
  const char triangle = 'L';
  arma::blas_int info = 0;
  dsygst_(&type, &triangle, &n, product.data(), &n, cholesky_of_first.data(), &n, &info);
  if (info != 0) throw NumericalFailure(fmt::format("product of covariances failed (dsygst: {})", info));
  const Vector mu = eigenvalues_in_place(product);
  const double constant = 8 + static_cast<double>(first.blocks + second.blocks);
  const double moved = constant * std::numeric_limits<double>::epsilon() * first.norm * second.norm;
  if (!(mu.minCoeff() > moved)) return {0, std::numeric_limits<double>::infinity()};
  const Vector roots = mu.cwiseSqrt();
  return {tree_sum(roots), 0.5 * moved * tree_sum(roots.cwiseInverse())};
}

}  // namespace onmanifold
