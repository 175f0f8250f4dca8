// SPDX-License-Identifier: Apache-2.0
#include "core/math/linear_algebra.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {
namespace {

constexpr double epsilon = 0x1p-52;

/// The fixture of the metrics: no random numbers, 3-D.
Points fixture_a() {
  Points a(3, 12);
  for (Index i = 0; i < 12; ++i) {
    for (Index j = 0; j < 3; ++j) {
      const auto x = static_cast<double>(i);
      const auto y = static_cast<double>(j);
      a(j, i) = std::sin(1.3 * x + .7 * y + .1 * x * y);
    }
  }
  return a;
}
/// Its partner, which lies in a plane: covariance of rank 2.
Points fixture_b() {
  Points b(3, 10);
  for (Index i = 0; i < 10; ++i) {
    for (Index j = 0; j < 3; ++j) {
      b(j, i) = std::cos(.9 * static_cast<double>(i) - .4 * static_cast<double>(j)) + .25;
    }
  }
  return b;
}

/// Squared Bures–Wasserstein distance of the Gaussian fits by triangular factors.
double squared_bures(const Points& x, const Points& y) {
  const Eigen::MatrixXd r = centred_triangular_factor(x) / std::sqrt(static_cast<double>(x.cols() - 1));
  const Eigen::MatrixXd s = centred_triangular_factor(y) / std::sqrt(static_cast<double>(y.cols() - 1));
  return (tree_mean(x) - tree_mean(y)).squaredNorm() + r.squaredNorm() + s.squaredNorm() -
         2 * nuclear_norm(r * s.transpose());
}

TEST(LinearAlgebra, FactorsGiveTheKnownDistance) {
  EXPECT_NEAR(tree_sum(fixture_a().reshaped()), 2.25639253735751, 1e-13);
  EXPECT_NEAR(tree_sum(fixture_b().reshaped()), 13.079449037445, 1e-13);
  EXPECT_NEAR(squared_bures(fixture_a(), fixture_b()), 1.13767135952369, 1e-12 * 1.2);
  EXPECT_NEAR(squared_bures(fixture_b(), fixture_b()), 0, 1e-14);
}

TEST(LinearAlgebra, CovarianceByHand) {
  const Points points = (Points(2, 3) << 1, 2, 3, 2, 4, 9).finished();
  EXPECT_TRUE(covariance(points).isApprox((Eigen::Matrix2d() << 1, 3.5, 3.5, 13).finished(), 4 * epsilon));
  EXPECT_FALSE(covariance(points).isApprox((Eigen::Matrix2d() << 2. / 3, 7. / 3, 7. / 3, 26. / 3).finished(),
                                           .1));  // ddof 0: the trap
  EXPECT_THROW((void)covariance(points.leftCols(1)), InvalidInput);
  Points bad = points;
  bad(1, 2) = std::nan("");
  EXPECT_THROW((void)covariance(bad), InvalidInput);
}

TEST(LinearAlgebra, CovarianceOverManyTiles) {
  for (const Index n : {2, 1023, 1024, 1025, 7000}) {
    const Points points = Stream(1, "covariance").normal(6, n).array() + 1e6;
    const Eigen::MatrixXd result = covariance(points);
    EXPECT_EQ(result, result.transpose());
    EXPECT_EQ(result, covariance(points));
    const Points centred = points.colwise() - Vector(points.rowwise().mean());
    const Eigen::MatrixXd plain = centred * centred.transpose() / static_cast<double>(n - 1);
    // Means of numbers near 1e6 carry errors of 1e6 · 2^-53 · a few; the centred values are of size 1.
    EXPECT_LE((result - plain).cwiseAbs().maxCoeff(), 1e-8) << n;
    // A one-pass formula loses everything: the broken twin.
    const Vector mean = points.rowwise().mean();
    const Eigen::MatrixXd one_pass =
        (points * points.transpose() - static_cast<double>(n) * mean * mean.transpose()) / static_cast<double>(n - 1);
    EXPECT_GT((result - one_pass).cwiseAbs().maxCoeff(), 1e-8) << n;
  }
}

TEST(LinearAlgebra, SymmetricEigen) {
  const SymmetricEigen two = symmetric_eigen((Eigen::Matrix2d() << 2, 1, 1, 2).finished());
  EXPECT_NEAR(two.values[0], 1, 4 * epsilon);
  EXPECT_NEAR(two.values[1], 3, 4 * epsilon);
  EXPECT_NEAR(two.vectors(0, 1), std::sqrt(.5), 4 * epsilon);
  EXPECT_NEAR(two.vectors(1, 1), std::sqrt(.5), 4 * epsilon);
  for (const Index d : {1, 5, 60}) {
    const Points x = Stream(2, "eigen").normal(d, 2 * d);
    const Eigen::MatrixXd matrix = x * x.transpose();
    const SymmetricEigen result = symmetric_eigen(matrix);
    // Backward error of LAPACK: a small multiple of D epsilon |A|.
    const double tolerance = 10 * static_cast<double>(d) * epsilon * matrix.norm();
    EXPECT_LE((result.vectors * result.values.asDiagonal() * result.vectors.transpose() - matrix).norm(), tolerance);
    EXPECT_LE((result.vectors.transpose() * result.vectors - Eigen::MatrixXd::Identity(d, d)).norm(),
              10 * static_cast<double>(d) * epsilon);
    EXPECT_TRUE(std::is_sorted(result.values.begin(), result.values.end()));
    for (Index j = 0; j < d; ++j) {
      EXPECT_EQ(result.vectors.col(j).cwiseAbs().maxCoeff(), result.vectors.col(j).maxCoeff());
    }
  }
  EXPECT_THROW((void)symmetric_eigen(Eigen::MatrixXd::Zero(2, 3)), InvalidInput);
  EXPECT_THROW((void)symmetric_eigen(Eigen::MatrixXd::Constant(2, 2, std::nan(""))), InvalidInput);
  EXPECT_EQ(symmetric_eigen(Eigen::MatrixXd(0, 0)).values.size(), 0);
}

TEST(LinearAlgebra, OnlyTheLowerTriangleIsRead) {
  const Eigen::Matrix2d lower = (Eigen::Matrix2d() << 2, 99, 1, 2).finished();
  EXPECT_NEAR(symmetric_eigen(lower).values[1], 3, 4 * epsilon);
}

TEST(LinearAlgebra, SingularValues) {
  const Vector values = singular_values((Eigen::MatrixXd(2, 3) << 3, 0, 0, 0, 0, -4).finished());
  EXPECT_EQ(values, Vector(Eigen::Vector2d(4, 3)));
  EXPECT_EQ(nuclear_norm((Eigen::MatrixXd(2, 3) << 3, 0, 0, 0, 0, -4).finished()), 7);
  const Eigen::MatrixXd matrix = Stream(3, "svd").normal(40, 25);
  const Vector squares = symmetric_eigen(matrix.transpose() * matrix).values.reverse();
  EXPECT_TRUE(singular_values(matrix).cwiseAbs2().isApprox(squares, 100 * epsilon));
  EXPECT_TRUE(singular_values(matrix.transpose()).isApprox(singular_values(matrix), 100 * epsilon));
  EXPECT_EQ(singular_values(Eigen::MatrixXd(0, 4)).size(), 0);
  EXPECT_EQ(nuclear_norm(Eigen::MatrixXd::Zero(3, 3)), 0);
  EXPECT_THROW((void)singular_values(Eigen::MatrixXd::Constant(2, 2, HUGE_VAL)), InvalidInput);
}

TEST(LinearAlgebra, NumericalRank) {
  EXPECT_EQ(numerical_rank(Eigen::MatrixXd::Zero(3, 5)), 0);
  EXPECT_EQ(numerical_rank(Eigen::MatrixXd::Identity(4, 4)), 4);
  const Vector line = Vector::LinSpaced(3, 1, 3);
  EXPECT_EQ(numerical_rank(line * line.transpose()), 1);
  const Points b = fixture_b();
  EXPECT_EQ(numerical_rank(b.colwise() - Vector(tree_mean(b))), 2);
  EXPECT_EQ(numerical_rank(centred_triangular_factor(b)), 2);
}

bool is_triangular_factor(const Eigen::MatrixXd& r, const Points& points) {
  if (r.rows() != std::min(points.rows(), points.cols()) || r.cols() != points.rows()) return false;
  if (!r.isUpperTriangular(0.0) || (r.diagonal().array() < 0).any()) return false;
  const Eigen::MatrixXd gram = points * points.transpose();
  // Backward stability of Householder reflections: a small multiple of D epsilon |X|^2.
  return (r.transpose() * r - gram).norm() <= 20 * static_cast<double>(points.rows()) * epsilon * points.squaredNorm();
}

TEST(LinearAlgebra, TriangularFactor) {
  for (const auto& [d, n] : {std::pair<Index, Index>{1, 1}, {3, 12}, {5, 3}, {20, 2500}, {7, 1024}, {3, 4097}}) {
    const Points points = Stream(4, "qr").normal(d, n);
    const Eigen::MatrixXd r = triangular_factor(points);
    EXPECT_TRUE(is_triangular_factor(r, points)) << d << "x" << n;
    EXPECT_FALSE(is_triangular_factor(-r, points));
    EXPECT_FALSE(is_triangular_factor(1.0001 * r, points));
  }
  // Rank 2 in R^4: the factor has two rows of noise, not of NaN.
  const Points flat = Stream(5, "basis").normal(4, 2) * Stream(5, "coefficients").normal(2, 3000);
  EXPECT_TRUE(is_triangular_factor(triangular_factor(flat), flat));
  EXPECT_EQ(numerical_rank(triangular_factor(flat)), 2);
  EXPECT_THROW((void)triangular_factor(Points(3, 0)), InvalidInput);
}

TEST(LinearAlgebra, CentredFactorIsTheRootOfTheCovariance) {
  const Points points = Stream(6, "centred").normal(4, 5000).array() + 100;
  const Eigen::MatrixXd r = centred_triangular_factor(points);
  EXPECT_TRUE((r.transpose() * r / 4999).isApprox(covariance(points), 1e-12));
}

}  // namespace
}  // namespace onmanifold
