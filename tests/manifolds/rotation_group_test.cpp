// SPDX-License-Identifier: Apache-2.0
#include "manifolds/rotation_group.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <Eigen/Eigenvalues>
#include <gtest/gtest.h>

#include "core/math/statistics.hpp"

namespace onmanifold {
namespace {

using Eigen::Matrix3d;
using Eigen::Vector3d;

const RotationGroup so3;

/// The level of the checks of samplers: fixed streams, so they pass always or never.
constexpr double alpha = 1e-3;

double norm(const Matrix3d& m) {
  double sum = 0;
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) sum += m(i, j) * m(i, j);
  }
  return std::sqrt(sum);
}

Points as_point(const Matrix3d& m) {
  Points result(9, 1);
  set_rotation(result, 0, m);
  return result;
}

/// Rotation vectors of all sizes: tiny, small, middling, and near pi from both sides.
std::vector<Vector3d> vectors() {
  std::vector<Vector3d> result;
  Stream stream(1, "rotation vectors");
  for (const double angle : {0.0, 1e-300, 1e-12, 1e-8, 1e-4, 9.99e-4, 1.001e-3, 0.1, 1.0, 2.0, 3.0, M_PI - 1e-4,
                             M_PI - 1e-8, M_PI - 1e-12}) {
    for (int i = 0; i < 10; ++i) {
      const Points u = stream.normal(3, 1);
      result.push_back(angle * Vector3d(u / u.norm()));
    }
  }
  return result;
}

TEST(RotationGroupTest, ExponentialIsRodriguesFormula) {
  for (const Vector3d& v : vectors()) {
    const double angle = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    Matrix3d cross;
    cross << 0, -v[2], v[1], v[2], 0, -v[0], -v[1], v[0], 0;
    const double half = std::sin(angle / 2);
    const double first = angle > 0 ? std::sin(angle) / angle : 1;
    const double second = angle > 1e-150 ? 2 * half * half / (angle * angle) : 0.5;
    const Matrix3d expected = Matrix3d::Identity() + first * cross + second * cross * cross;
    EXPECT_LT(norm(rotation_exp(v) - expected), 4e-15) << "angle " << angle;
    EXPECT_NEAR(rotation_angle(rotation_exp(v)), angle, 4e-15 + 1e-15 * angle);
  }
}

TEST(RotationGroupTest, LogarithmInvertsTheExponential) {
  for (const Vector3d& v : vectors()) {
    const double angle = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    const Vector3d back = rotation_log(rotation_exp(v));
    const Vector3d error = back - v;
    // Relative near 0: entries of R - R^T carry the angle to 1e-16 absolute, and that is all a matrix can
    // hold.
    EXPECT_LT(std::sqrt(error[0] * error[0] + error[1] * error[1] + error[2] * error[2]), 1e-15 + 2e-15 * angle)
        << "angle " << angle;
  }
}

TEST(RotationGroupTest, LogarithmAtPiPicksOneOfTheTwoVectors) {
  for (const Vector3d& axis : {Vector3d(1, 0, 0), Vector3d(-1, 0, 0), Vector3d(0, -1, 0), Vector3d(0, 0.6, -0.8),
                               Vector3d(-0.48, 0.6, 0.64)}) {
    const Matrix3d r = 2 * axis * axis.transpose() - Matrix3d::Identity();
    const Vector3d v = rotation_log(r);
    EXPECT_NEAR(v.norm(), M_PI, 1e-14);
    EXPECT_NEAR(std::abs(v.dot(axis)), M_PI, 1e-14);
    EXPECT_LT(norm(rotation_exp(v) - r), 1e-14);
    const double leading = v[0] != 0 ? v[0] : (v[1] != 0 ? v[1] : v[2]);
    EXPECT_GT(leading, 0);
  }
}

TEST(RotationGroupTest, QuaternionsRoundTrip) {
  Stream stream(2, "quaternions");
  for (int i = 0; i < 200; ++i) {
    Eigen::Vector4d q = stream.normal(4, 1);
    q /= q.norm();
    if (i % 5 == 0) q[i / 5 % 4] = 0;  // axes and half turns
    const Eigen::Vector4d back = quaternion_from_rotation(rotation_from_quaternion(q));
    const double sign = q.dot(back) < 0 ? -1 : 1;
    EXPECT_LT((sign * back - q / q.norm()).norm(), 2e-15);
  }
}

TEST(RotationGroupTest, KnownProjections) {
  // A scaled rotation goes back; a reflection diag(1, 2, -3) goes to diag(1, 1, 1)? No: the sign of the
  // smallest singular value is what flips, here that of the 1: diag(-1, 1, -1).
  const Matrix3d r = rotation_exp({0.3, -1.2, 0.7});
  EXPECT_LT((so3.project(as_point(2.5 * r)).points - as_point(r)).norm(), 1e-14);
  EXPECT_NEAR(so3.project(as_point(2.5 * r)).distance(0), 1.5 * std::sqrt(3.0), 1e-14);
  const Matrix3d x = Vector3d(1, 2, -3).asDiagonal();
  const Matrix3d nearest = Vector3d(-1, 1, -1).asDiagonal();
  EXPECT_LT((so3.project(as_point(x)).points - as_point(nearest)).norm(), 1e-14);
  EXPECT_NEAR(so3.project(as_point(x)).distance(0), std::sqrt(4 + 1 + 4), 1e-14);
  EXPECT_NEAR(so3.residual(as_point(x)).norm(), 3, 1e-14);
}

TEST(RotationGroupTest, NoRandomRotationIsNearer) {
  // The definition of a projection, on matrices of every kind, negative determinants included.
  Stream stream(3, "nearer");
  const Points x = 1.5 * stream.normal(9, 300);
  const Projection projection = so3.project(x);
  EXPECT_EQ(projection.failures(), 0);
  const Points others = so3.random_points(3000, stream.at("others"));
  for (Index j = 0; j < x.cols(); ++j) {
    const Matrix3d r = rotation_matrix(projection.points.col(j));
    EXPECT_NEAR(r.determinant(), 1, 1e-14);
    EXPECT_LT(norm(r.transpose() * r - Matrix3d::Identity()), 1e-14);
    EXPECT_GE(std::sqrt((others.colwise() - x.col(j)).colwise().squaredNorm().minCoeff()),
              projection.distance(j) - 1e-14);
    // First-order condition: R^T X is symmetric.
    const Matrix3d s = r.transpose() * rotation_matrix(x.col(j));
    EXPECT_LT(norm(s - s.transpose()), 2e-14);
  }
}

TEST(RotationGroupTest, WithoutAUniqueNearestRotationItDoesNotConverge) {
  const Matrix3d r = rotation_exp({0.4, 0.1, -2});
  Points x(9, 7);
  set_rotation(x, 0, Matrix3d::Zero());
  set_rotation(x, 1, -r);                                              // s2 - s3 = 0
  set_rotation(x, 2, r * Vector3d(1, 0, 0).asDiagonal());              // rank one
  set_rotation(x, 3, r * Vector3d(3, 0.5, -0.5).asDiagonal());         // s2 - s3 = 0
  set_rotation(x, 4, r * Vector3d(3, 0.5, -0.5 + 1e-9).asDiagonal());  // just unique
  set_rotation(x, 5, Matrix3d::Constant(std::numeric_limits<double>::quiet_NaN()));
  set_rotation(x, 6, 1e200 * r);
  const Projection projection = so3.project(x);
  for (const Index j : {0, 1, 2, 3, 5}) {
    EXPECT_FALSE(projection.converged(j)) << j;
    EXPECT_TRUE(std::isnan(projection.distance(j))) << j;
  }
  EXPECT_EQ(projection.points.col(3), x.col(3)) << "a failed column is kept";
  EXPECT_TRUE(projection.converged(4));
  EXPECT_TRUE(projection.converged(6)) << "huge entries keep their direction";
  EXPECT_LT((projection.points.col(6) - as_point(r)).norm(), 1e-14);
}

TEST(RotationGroupTest, ReachIsTheRootOfTwo) {
  // From I along -diag(0, 1, 1)/sqrt(2), a normal direction: Pi comes back up to sqrt(2) and not beyond.
  const Matrix3d direction = Vector3d(0, -1, -1).asDiagonal();
  const auto back = [&](double length) {
    const Points x = as_point(Matrix3d::Identity() + length / std::sqrt(2.0) * direction);
    return (so3.project(x).points - as_point(Matrix3d::Identity())).norm() < 1e-9;
  };
  EXPECT_TRUE(back(so3.reach() - 1e-6));
  EXPECT_FALSE(back(so3.reach() + 1e-6));
  EXPECT_EQ(so3.reach(), std::sqrt(2.0));
}

/// Rotation angles of points.
Vector angles(const Points& rotations) {
  Vector result(rotations.cols());
  for (Index j = 0; j < rotations.cols(); ++j) result[j] = rotation_angle(rotation_matrix(rotations.col(j)));
  return result;
}

/// Distribution function of the angle under Haar measure, density (1 - cos)/pi.
double haar_angle(double angle) {
  return (angle - std::sin(angle)) / M_PI;
}

TEST(RotationGroupTest, RandomPointsAreHaar) {
  const Index n = 20000;
  const Points rotations = so3.random_points(n, Stream(4, "haar"));
  EXPECT_GT(kolmogorov_smirnov_test(angles(rotations), haar_angle).p, alpha);
  // Left translation changes nothing.
  const Matrix3d shift = rotation_exp({1, -0.5, 2});
  Points moved(9, n);
  Vector trace(n);
  for (Index j = 0; j < n; ++j) {
    const Matrix3d r = rotation_matrix(rotations.col(j));
    set_rotation(moved, j, shift * r);
    trace[j] = r(0, 0) + r(1, 1) + r(2, 2);
  }
  EXPECT_GT(kolmogorov_smirnov_test(angles(moved), haar_angle).p, alpha);
  // E tr R = 0, E (tr R)^2 = 1, within 4 standard errors.
  EXPECT_NEAR(mean(trace), 0, 4 * standard_error(trace));
  const Vector squares = trace.cwiseAbs2();
  EXPECT_NEAR(mean(squares), 1, 4 * standard_error(squares));
  // Every entry has the law of a coordinate of S^2, uniform on [-1, 1].
  for (const Index entry : {0, 5, 7}) {
    const Vector values = rotations.row(entry);
    EXPECT_GT(kolmogorov_smirnov_test(values, [](double x) { return (x + 1) / 2; }).p, alpha);
  }
}

TEST(RotationGroupTest, UniformRotationVectorsAreNotHaarAndAreCaught) {
  // The classic bug: a uniform point of the ball of radius pi in the tangent space, sent through the
  // exponential map. Its angle has density 3 angle^2/pi^3 instead of (1 - cos angle)/pi: Kolmogorov distance
  // 0.10.
  const Index n = 2000;
  Stream stream(5, "tangent uniform");
  Points rotations(9, n);
  for (Index j = 0; j < n; ++j) {
    const Points u = stream.normal(3, 1);
    const double radius = M_PI * std::cbrt(stream.uniform());
    set_rotation(rotations, j, rotation_exp(radius * Vector3d(u / u.norm())));
  }
  EXPECT_LT(kolmogorov_smirnov_test(angles(rotations), haar_angle).p, 1e-9);
  // The other one: three Euler angles, all uniform.
  for (Index j = 0; j < n; ++j) {
    const Points turn = 2 * M_PI * stream.uniform(3, 1);
    set_rotation(
        rotations, j,
        rotation_exp({0, 0, turn(0, 0)}) * rotation_exp({0, turn(1, 0) / 2, 0}) * rotation_exp({0, 0, turn(2, 0)}));
  }
  const Vector last = rotations.row(8);
  EXPECT_LT(kolmogorov_smirnov_test(last, [](double x) { return (x + 1) / 2; }).p, 1e-9);
}

TEST(RotationGroupTest, NormalLiftReturnsAtTheKnownRates) {
  // X = R(I + S): Pi(X) = R iff the two smaller eigenvalues of I + S have a positive sum. The rate of loss is
  // known to two digits for four levels; the count must be a binomial one for some rate within those digits,
  // at level alpha.
  struct Rate {
    double sigma;
    double low;
    double high;
  };
  const Index n = 20000;
  const Points clean = so3.random_points(n, Stream(6, "rates"));
  const Points normals = so3.normal_bases(clean);
  for (const Rate& rate : {Rate{0.3, 1.5e-5, 2.5e-5}, Rate{0.4, 2.85e-3, 2.95e-3}, Rate{0.5, 2.25e-2, 2.35e-2},
                           Rate{0.7, 0.1355, 0.1365}}) {
    const Points xi = rate.sigma * Stream(7, "rates").normal(6, n);
    Points lifted = clean;
    for (Index j = 0; j < n; ++j) lifted.col(j) += normals.middleCols(6 * j, 6) * xi.col(j);
    const Projection projection = so3.project(lifted);
    Index lost = 0;
    Index disagree = 0;
    for (Index j = 0; j < n; ++j) {
      const bool back = (projection.points.col(j) - clean.col(j)).norm() < 1e-6;
      if (!back) ++lost;
      // The criterion, through the eigenvalues of I + S: the sum of the two smaller ones.
      const Matrix3d r = rotation_matrix(clean.col(j));
      const Matrix3d stretch = r.transpose() * rotation_matrix(lifted.col(j));
      const Eigen::SelfAdjointEigenSolver<Matrix3d> eigen(0.5 * (stretch + stretch.transpose()),
                                                          Eigen::EigenvaluesOnly);
      const double sum = eigen.eigenvalues()[0] + eigen.eigenvalues()[1];
      if (back != (sum > 0) && std::abs(sum) > 1e-6) ++disagree;
    }
    EXPECT_EQ(disagree, 0) << "sigma " << rate.sigma;
    const double count = static_cast<double>(n);
    const double z = -normal_quantile(alpha / 2);
    EXPECT_GE(static_cast<double>(lost), count * rate.low - z * std::sqrt(count * rate.low)) << rate.sigma;
    // For a mean below one the normal law is no bound: three events have probability 8e-3 at mean 0.4, five
    // 6e-5.
    EXPECT_LE(static_cast<double>(lost), std::max(4.0, count * rate.high + z * std::sqrt(count * rate.high)))
        << rate.sigma;
  }
}

}  // namespace
}  // namespace onmanifold
