// SPDX-License-Identifier: Apache-2.0
#include "manifolds/stiefel.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/decompositions.hpp"

namespace onmanifold {
namespace {

using Matrix = Eigen::MatrixXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix matrix_of(const VectorRef& x, Index rows, Index columns) {
  return Eigen::Map<const RowMajor>(x.data(), rows, columns);
}

void set_matrix(Points& points, Index j, const Matrix& matrix) {
  Eigen::Map<RowMajor>(points.col(j).data(), matrix.rows(), matrix.cols()) = matrix;
}

struct Polar {
  Matrix factor;  // U V^T
  double gap;     // smallest over largest singular value; NaN where it cannot be found
};

Polar polar(const Matrix& x) {
  if (!x.allFinite()) return {x, std::numeric_limits<double>::quiet_NaN()};
  const ThinSvd svd = jacobi_svd(x);
  return {svd.u * svd.v.transpose(), svd.s[svd.s.size() - 1] / svd.s[0]};
}

}  // namespace

Stiefel::Stiefel(Index rows, Index columns) : rows_(rows), columns_(columns) {
  if (columns < 1 || columns > rows) {
    throw InvalidInput(fmt::format("stiefel: {} orthonormal columns in R^{}", columns, rows));
  }
}

double Stiefel::do_scale() const {
  return std::sqrt(static_cast<double>(columns_));
}

std::string Stiefel::do_spec() const {
  return fmt::format("stiefel:n={},p={}", rows_, columns_);
}

Projection Stiefel::do_project(const PointsRef& x) const {
  Projection result{x, Vector(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  for (Index j = 0; j < x.cols(); ++j) {
    const Matrix point = matrix_of(x.col(j), rows_, columns_);
    const Polar nearest = polar(point);
    result.converged(j) = nearest.gap > 8 * std::numeric_limits<double>::epsilon();
    result.distance(j) =
        result.converged(j) ? (point - nearest.factor).norm() : std::numeric_limits<double>::quiet_NaN();
    if (result.converged(j)) set_matrix(result.points, j, nearest.factor);
  }
  return result;
}

Points Stiefel::do_residual(const PointsRef& x) const {
  Points result(codimension(), x.cols());
  const double root = std::sqrt(0.5);
  for (Index j = 0; j < x.cols(); ++j) {
    const Matrix point = matrix_of(x.col(j), rows_, columns_);
    const Matrix factor = polar(point).factor;
    // Q^T (X - Q), not Q^T X - I: the difference of near numbers comes first.
    const Matrix s = factor.transpose() * (point - factor);
    Index row = 0;
    for (Index a = 0; a < columns_; ++a) {
      result(row++, j) = s(a, a);
      for (Index b = a + 1; b < columns_; ++b) result(row++, j) = root * (s(a, b) + s(b, a));
    }
  }
  return result;
}

Points Stiefel::do_normal_bases(const PointsRef& y) const {
  const Index k = codimension();
  Points result(y.rows(), k * y.cols());
  const double root = std::sqrt(0.5);
  Matrix normal(rows_, columns_);
  for (Index j = 0; j < y.cols(); ++j) {
    const Matrix point = matrix_of(y.col(j), rows_, columns_);
    Index column = k * j;
    for (Index a = 0; a < columns_; ++a) {
      for (Index b = a; b < columns_; ++b) {  // X (e_a e_b^T + e_b e_a^T)/sqrt(2), or X e_a e_a^T
        normal.setZero();
        normal.col(b) = a == b ? Vector(point.col(a)) : Vector(root * point.col(a));
        if (a != b) normal.col(a) = root * point.col(b);
        set_matrix(result, column++, normal);
      }
    }
  }
  return result;
}

Points Stiefel::do_normal_component(const PointsRef& y, const PointsRef& v) const {
  Points result(y.rows(), y.cols());
  for (Index j = 0; j < y.cols(); ++j) {
    const Matrix point = matrix_of(y.col(j), rows_, columns_);
    const Matrix product = point.transpose() * matrix_of(v.col(j), rows_, columns_);
    set_matrix(result, j, point * (0.5 * (product + product.transpose())));
  }
  return result;
}

Points Stiefel::do_random_points(Index n, Stream stream) const {
  return do_project(stream.normal(rows_ * columns_, n)).points;
}

}  // namespace onmanifold
