// SPDX-License-Identifier: Apache-2.0
#include "core/math/linear_algebra.hpp"

#include <algorithm>
#include <armadillo>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {
namespace {

constexpr Index tile_size = 1024;

// An Armadillo view of Eigen's memory (aligned to 64 bytes, unlike Armadillo's own), so LAPACK works in
// place.
arma::mat view(Eigen::MatrixXd& matrix) {
  return {matrix.data(), static_cast<arma::uword>(matrix.rows()), static_cast<arma::uword>(matrix.cols()), false, true};
}
arma::vec view(Vector& vector) {
  return {vector.data(), static_cast<arma::uword>(vector.size()), false, true};
}

// R of the QR decomposition of \p matrix, which is overwritten; diagonal >= 0.
Eigen::MatrixXd upper_factor(Eigen::MatrixXd& matrix) {
  auto rows = static_cast<arma::blas_int>(matrix.rows());
  auto columns = static_cast<arma::blas_int>(matrix.cols());
  arma::blas_int info = 0;
  arma::blas_int work_size = -1;
  double best_size = 0;
  Vector scales(std::min(matrix.rows(), matrix.cols()));
  arma::lapack::geqrf(&rows, &columns, matrix.data(), &rows, scales.data(), &best_size, &work_size, &info);
  Vector work(static_cast<Index>(best_size));
  work_size = static_cast<arma::blas_int>(work.size());
  arma::lapack::geqrf(&rows, &columns, matrix.data(), &rows, scales.data(), work.data(), &work_size, &info);
  if (info != 0) throw NumericalFailure(fmt::format("QR decomposition failed (dgeqrf: {})", info));
  Eigen::MatrixXd factor = matrix.topRows(scales.size()).triangularView<Eigen::Upper>();
  for (Index i = 0; i < factor.rows(); ++i) {
    if (factor(i, i) < 0) factor.row(i) = -factor.row(i);
  }
  return factor;
}

Eigen::MatrixXd factor_of_shifted(const PointsRef& points, const Vector& shift) {
  TriangularFactor factor(shift);
  factor.add(points);
  return factor.factor();
}

}  // namespace

Eigen::MatrixXd covariance(const PointsRef& points) {
  if (points.cols() < 2) throw InvalidInput(fmt::format("covariance of {} points", points.cols()));
  check_finite(points, "covariance");
  const Vector mean = tree_mean(points);
  std::vector<Eigen::MatrixXd> levels;  // levels[k]: sum over 2^k tiles where bit k of tiles is set
  std::size_t tiles = 0;
  Eigen::MatrixXd total = Eigen::MatrixXd::Zero(points.rows(), points.rows());
  for (Index first = 0; first < points.cols(); first += tile_size, ++tiles) {
    Eigen::MatrixXd tile = points.middleCols(first, std::min(tile_size, points.cols() - first)).colwise() - mean;
    Eigen::MatrixXd sum(points.rows(), points.rows());
    arma::mat target = view(sum);
    const arma::mat source = view(tile);
    target = source * source.t();
    std::size_t level = 0;
    for (std::size_t bits = tiles; bits % 2 == 1; bits /= 2) sum = levels[level++] + sum;
    if (level == levels.size()) levels.emplace_back();
    levels[level] = std::move(sum);
  }
  std::size_t level = 0;
  for (std::size_t bits = tiles; bits > 0; bits /= 2, ++level) {
    if (bits % 2 == 1) total = levels[level] + total;
  }
  total /= static_cast<double>(points.cols() - 1);
  total.triangularView<Eigen::StrictlyUpper>() = total.transpose();
  return total;
}

SymmetricEigen symmetric_eigen(const PointsRef& matrix) {
  if (matrix.rows() != matrix.cols()) {
    throw InvalidInput(fmt::format("eigenvalues of a {}x{} matrix: not square", matrix.rows(), matrix.cols()));
  }
  check_finite(matrix, "eigenvalues");
  SymmetricEigen result{Vector(matrix.rows()), Eigen::MatrixXd(matrix.rows(), matrix.cols())};
  if (matrix.rows() == 0) return result;
  Eigen::MatrixXd symmetric = matrix.selfadjointView<Eigen::Lower>();
  arma::vec values = view(result.values);
  arma::mat vectors = view(result.vectors);
  if (!arma::eig_sym(values, vectors, view(symmetric))) {
    throw NumericalFailure(fmt::format("eigenvalues of a {0}x{0} matrix: no convergence", matrix.rows()));
  }
  for (Index j = 0; j < result.vectors.cols(); ++j) {
    Index largest = 0;
    result.vectors.col(j).cwiseAbs().maxCoeff(&largest);
    if (result.vectors(largest, j) < 0) result.vectors.col(j) = -result.vectors.col(j);
  }
  return result;
}

Vector singular_values(const PointsRef& matrix) {
  check_finite(matrix, "singular values");
  Vector result(std::min(matrix.rows(), matrix.cols()));
  if (result.size() == 0) return result;
  Eigen::MatrixXd work = matrix;
  arma::vec values = view(result);
  if (!arma::svd(values, view(work))) {
    throw NumericalFailure(
        fmt::format("singular values of a {}x{} matrix: no convergence", matrix.rows(), matrix.cols()));
  }
  return result;
}

double nuclear_norm(const PointsRef& matrix) {
  return tree_sum(singular_values(matrix));
}

Index numerical_rank(const PointsRef& matrix) {
  const Vector values = singular_values(matrix);
  if (values.size() == 0) return 0;
  const double threshold =
      static_cast<double>(std::max(matrix.rows(), matrix.cols())) * std::numeric_limits<double>::epsilon() * values[0];
  return (values.array() > threshold).count();
}

// The factor so far on top, a block of points below, again and again. The block size depends on D alone.
TriangularFactor::TriangularFactor(Vector shift)
    : shift_(std::move(shift)), block_(shift_.size(), std::max(shift_.size(), tile_size)), factor_(0, shift_.size()) {}

Eigen::MatrixXd TriangularFactor::absorbed() const {
  Eigen::MatrixXd stacked(factor_.rows() + filled_, shift_.size());
  stacked.topRows(factor_.rows()) = factor_;
  stacked.bottomRows(filled_) = (block_.leftCols(filled_).colwise() - shift_).transpose();
  return upper_factor(stacked);
}

void TriangularFactor::add(const PointsRef& points) {
  check_dimension(points, shift_.size(), "triangular factor");
  for (Index first = 0; first < points.cols();) {
    const Index width = std::min(block_.cols() - filled_, points.cols() - first);
    block_.middleCols(filled_, width) = points.middleCols(first, width);
    filled_ += width;
    first += width;
    if (filled_ == block_.cols()) {
      factor_ = absorbed();
      filled_ = 0;
    }
  }
}

Eigen::MatrixXd TriangularFactor::factor() const {
  return filled_ == 0 ? factor_ : absorbed();
}

Eigen::MatrixXd triangular_factor(const PointsRef& points) {
  if (points.size() == 0) throw InvalidInput("triangular factor of no points");
  check_finite(points, "triangular factor");
  return factor_of_shifted(points, Vector::Zero(points.rows()));
}

Eigen::MatrixXd centred_triangular_factor(const PointsRef& points) {
  if (points.size() == 0) throw InvalidInput("triangular factor of no points");
  check_finite(points, "triangular factor");
  return factor_of_shifted(points, tree_mean(points));
}

}  // namespace onmanifold
