// SPDX-License-Identifier: Apache-2.0
#include "manifolds/implicit_manifold.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "manifolds/rotation_group.hpp"
#include "manifolds/torus.hpp"
#include "tests/support/manifold_conformance.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// |x|^2 - R^2.
class RoundFunction final : public ImplicitFunction {
 public:
  explicit RoundFunction(double radius) : radius_(radius) {}
  Index ambient_dimension() const override { return 3; }
  Index codimension() const override { return 1; }
  Vector value(const Vector& x) const override { return Vector::Constant(1, x.squaredNorm() - radius_ * radius_); }
  Eigen::MatrixXd jacobian(const Vector& x) const override { return 2 * x.transpose(); }

 private:
  double radius_;
};

/// The upper triangle of X^T X - I: the orthogonal group, six equations in nine dimensions, Hessian by
/// differences.
class OrthogonalFunction final : public ImplicitFunction {
 public:
  Index ambient_dimension() const override { return 9; }
  Index codimension() const override { return 6; }
  Vector value(const Vector& x) const override {
    const Eigen::Matrix3d m = rotation_matrix(x);
    const Eigen::Matrix3d g = m.transpose() * m - Eigen::Matrix3d::Identity();
    return Vector{{g(0, 0), g(1, 1), g(2, 2), g(0, 1), g(0, 2), g(1, 2)}};
  }
  Eigen::MatrixXd jacobian(const Vector& x) const override {
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(6, 9);
    const int pairs[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}};
    for (int e = 0; e < 6; ++e) {
      for (int i = 0; i < 3; ++i) {
        result(e, 3 * i + pairs[e][0]) += x[3 * i + pairs[e][1]];
        result(e, 3 * i + pairs[e][1]) += x[3 * i + pairs[e][0]];
      }
    }
    return result;
  }
};

/// Two equations with square roots, as the flat torus would have them, squared.
class TorusFunction final : public ImplicitFunction {
 public:
  Index ambient_dimension() const override { return 4; }
  Index codimension() const override { return 2; }
  Vector value(const Vector& x) const override {
    return Vector{{x.head(2).squaredNorm() - 1, x.tail(2).squaredNorm() - 1}};
  }
  Eigen::MatrixXd jacobian(const Vector& x) const override {
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(2, 4);
    result.block(0, 0, 1, 2) = 2 * x.head(2).transpose();
    result.block(1, 2, 1, 2) = 2 * x.tail(2).transpose();
    return result;
  }
};

/// Nearest point of an ellipsoid by bisection on the multiplier: x_i = a_i^2 y_i / (a_i^2 + t), for y with no
/// zero entry.
Vector nearest_on_ellipsoid(const Vector& axes, const Vector& y) {
  const Eigen::ArrayXd squares = axes.array().square();
  double low = -squares.minCoeff();
  double high = y.norm() * axes.maxCoeff();
  for (int i = 0; i < 200; ++i) {
    const double t = 0.5 * (low + high);
    const double f = (squares * y.array().square() / (squares + t).square()).sum();
    (f > 1 ? low : high) = t;
  }
  return (squares * y.array() / (squares + high)).matrix();
}

TEST(ImplicitManifoldTest, FindsTheNearestPointOfAnEllipsoid) {
  // Also far beyond the reach, where the closed form is the global minimum.
  const Ellipsoid ellipsoid(Vector{{1, 2, 0.7}});
  EXPECT_NEAR(ellipsoid.reach(), 0.49 / 2, 1e-16);
  Points x = ellipsoid.random_points(400, Stream(1, "ellipsoid"));
  x.rightCols(200) += 0.1 * Stream(2, "ellipsoid").normal(3, 200);
  x.leftCols(100) *= 3;
  const ImplicitProjection found = ellipsoid.nearest(x);
  int certified = 0;
  for (Index j = 0; j < x.cols(); ++j) {
    ASSERT_TRUE(found.converged(j));
    const Vector expected = nearest_on_ellipsoid(ellipsoid.axes(), x.col(j));
    EXPECT_LT((found.points.col(j) - expected).norm(), 1e-13 * std::max(1.0, x.col(j).norm())) << j;
    EXPECT_LT(found.constraint(j), 1e-15);
    EXPECT_LT(found.tangential(j), 1e-13);
    EXPECT_LE(found.iterations(j), 15);
    EXPECT_EQ(found.certified(j), (x.col(j) - expected).norm() < ellipsoid.reach()) << j;
    certified += found.certified(j) ? 1 : 0;
  }
  EXPECT_GT(certified, 100);
  EXPECT_LT(certified, 400);
}

TEST(ImplicitManifoldTest, GaussNewtonLandsASquareAwayFromTheNearestPoint) {
  const Ellipsoid ellipsoid(Vector{{1, 2, 0.7}});
  const Points y = ellipsoid.random_points(100, Stream(3, "ellipsoid"));
  const Points normals = ellipsoid.normal_bases(y);
  double previous = 0;
  for (const double length : {0.08, 0.04, 0.02}) {
    const ImplicitProjection landing = ellipsoid.gauss_newton(y + length * normals);
    EXPECT_TRUE(landing.converged.all());
    EXPECT_LT(landing.constraint.maxCoeff(), 1e-15);
    EXPECT_LE(landing.iterations.maxCoeff(), 6);
    EXPECT_FALSE(landing.certified.any());
    const double error = (landing.points - y).colwise().norm().maxCoeff();
    EXPECT_GT(error, 0.1 * length * length);
    EXPECT_LT(error, 10 * length * length);
    // Halving the offset quarters the error, up to the next order.
    if (previous > 0) {
      EXPECT_NEAR(previous / error, 4, 0.6);
    }
    previous = error;
  }
}

TEST(ImplicitManifoldTest, GaussNewtonIsExactOnASphere) {
  const ImplicitManifold sphere(std::make_shared<RoundFunction>(2), 2, 2, "round");
  const Points x = Stream(4, "sphere").normal(3, 50);
  const ImplicitProjection landing = sphere.gauss_newton(x);
  Points expected = x;
  for (Index j = 0; j < x.cols(); ++j) expected.col(j) *= 2 / x.col(j).norm();
  EXPECT_LT((landing.points - expected).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_LT(landing.tangential.maxCoeff(), 1e-14);
}

TEST(ImplicitManifoldTest, AgreesWithTheClosedFormsOfOtherManifolds) {
  // Offsets within the reach: the nearest point is unique, and the same by either way.
  const auto compare = [](const ImplicitManifold& implicit, const Manifold& closed, double level) {
    const Points y = closed.random_points(60, Stream(5, "closed"));
    const Points x = y + level * Stream(6, "closed").normal(y.rows(), 60);
    const Projection expected = closed.project(x);
    const ImplicitProjection found = implicit.nearest(x);
    EXPECT_TRUE(found.converged.all());
    EXPECT_LT((found.points - expected.points).cwiseAbs().maxCoeff(), 1e-13);
    EXPECT_LT((implicit.residual(x).colwise().norm() - closed.residual(x).colwise().norm()).cwiseAbs().maxCoeff(),
              1e-13);
    // The same normal and tangent spaces, whatever the bases.
    const Points v = Stream(7, "closed").normal(y.rows(), 60);
    EXPECT_LT((implicit.normal_component(y, v) - closed.normal_component(y, v)).cwiseAbs().maxCoeff(), 1e-13);
  };
  compare(ImplicitManifold(std::make_shared<OrthogonalFunction>(), std::sqrt(2.0), std::sqrt(3.0), "orthogonal"),
          RotationGroup(), 0.1);
  compare(ImplicitManifold(std::make_shared<TorusFunction>(), 1, 1, "flat"), Torus(2), 0.2);
}

TEST(ImplicitManifoldTest, ConformsWithAHessianByDifferences) {
  const ImplicitManifold sphere(std::make_shared<RoundFunction>(2), 2, 2, "round");
  // From near singular matrices, sqrt(2) - 1 away, the iteration may land on the other component: the bound
  // says half.
  const ImplicitManifold orthogonal(std::make_shared<OrthogonalFunction>(), 0.5, std::sqrt(3.0), "orthogonal");
  for (const ImplicitManifold* manifold : {&sphere, &orthogonal}) {
    for (const test::Regime regime : {test::Regime::zero, test::Regime::tiny, test::Regime::random}) {
      test::ConformanceOptions options;
      options.points = 20;
      // Own points are projected Gaussians: for the orthogonal group both signs of the determinant.
      const auto found = test::violations(*manifold, regime, Stream(8, manifold->spec()), options);
      EXPECT_TRUE(found.empty()) << manifold->spec() << ", " << test::to_string(regime) << ": "
                                 << test::describe(found);
    }
  }
}

TEST(ImplicitManifoldTest, DifferencesGiveTheHessian) {
  const OrthogonalFunction function;
  const Vector x = Stream(9, "hessian").normal(9, 1);
  const Vector weights = Stream(10, "hessian").normal(6, 1);
  const Eigen::MatrixXd hessian = function.weighted_hessian(x, weights);
  // h is quadratic: sum_i w_i h_i(x + v) = value + gradient + v'Hv/2 exactly.
  const Vector v = Stream(11, "hessian").normal(9, 1);
  const double expected = weights.dot(function.value(x + v) - function.value(x) - function.jacobian(x) * v);
  EXPECT_NEAR(0.5 * v.dot(hessian * v), expected, 1e-7);
}

/// A projection by Gauss–Newton alone: on M, but not the nearest point.
class LandingManifold final : public Manifold {
 public:
  explicit LandingManifold(const ImplicitManifold& manifold) : manifold_(manifold) {}

 private:
  Index do_ambient_dimension() const override { return manifold_.ambient_dimension(); }
  Index do_dimension() const override { return manifold_.dimension(); }
  double do_reach() const override { return manifold_.reach(); }
  double do_scale() const override { return manifold_.scale(); }
  double do_constraint_tolerance() const override { return manifold_.constraint_tolerance(); }
  std::string do_spec() const override { return "broken"; }
  Projection do_project(const PointsRef& x) const override {
    const ImplicitProjection landing = manifold_.gauss_newton(x);
    return {landing.points, (x - landing.points).colwise().norm(), landing.converged};
  }
  Points do_residual(const PointsRef& x) const override { return manifold_.residual(x); }
  Points do_normal_bases(const PointsRef& y) const override { return manifold_.normal_bases(y); }
  Points do_random_points(Index n, Stream stream) const override { return manifold_.random_points(n, stream); }

  const ImplicitManifold& manifold_;
};

TEST(ImplicitManifoldTest, GaussNewtonForTheNearestPointIsCaught) {
  const Ellipsoid ellipsoid(Vector{{1, 2, 0.7}});
  std::set<int> caught;
  for (const test::Violation& v :
       test::violations(LandingManifold(ellipsoid), test::Regime::random, Stream(12, "landing"))) {
    caught.insert(v.identity);
  }
  EXPECT_TRUE(caught.contains(3) && caught.contains(4) && caught.contains(5) && caught.contains(8));
}

TEST(ImplicitManifoldTest, ReportsWhatDoesNotConverge) {
  const Ellipsoid ellipsoid(Vector{{1, 2, 0.7}});
  Points x = Points::Ones(3, 3);
  x.col(0).setZero();  // the gradient vanishes
  x(1, 1) = NAN;
  const ImplicitProjection found = ellipsoid.nearest(x);
  EXPECT_FALSE(found.converged(0));
  EXPECT_FALSE(found.converged(1));
  EXPECT_TRUE(found.converged(2));
  EXPECT_EQ(found.points.col(0), x.col(0));
  EXPECT_FALSE(ellipsoid.gauss_newton(x).converged(0));
  EXPECT_EQ(ellipsoid.project(x).failures(), 2);
  EXPECT_TRUE(std::isnan(ellipsoid.residual(x)(0, 1)));
  EXPECT_THAT([] { Ellipsoid(Vector{{1, 0}}); }, ThrowsMessage<InvalidInput>(HasSubstr("semi-axes (1, 0)")));
  EXPECT_THAT([] { ImplicitManifold(nullptr, 1, 1, ""); }, ThrowsMessage<InvalidInput>(HasSubstr("no function")));
}

TEST(EllipsoidTest, ProjectionIsTheNearestPointEverywhere) {
  for (const Vector& axes : {Vector{{1, 1, 8}}, Vector{{1, 1, 4}}, Vector{{1, 1, 0.25}}, Vector{{1, 1, 1}},
                             Vector{{1, 2, 0.7}}, Vector{{0.5, 2, 1, 1}}}) {
    const Ellipsoid ellipsoid(axes);
    const Index size = axes.size();
    Points x = axes.asDiagonal() * Stream(21, "foot").normal(size, 300);
    x.leftCols(50) *= 1e-3;                                    // near the centre
    x.rightCols(50) *= 1e3;                                    // far
    for (Index j = 100; j < 150; ++j) x(j % size, j) = 1e-13;  // nearly on a plane of symmetry
    const Projection projection = ellipsoid.project(x);
    const Points cloud = ellipsoid.random_points(2000, Stream(22, "foot"));
    const Points tangents = ellipsoid.tangent_bases(projection.points);
    const Points again = ellipsoid.project(projection.points).points;
    for (Index j = 0; j < x.cols(); ++j) {
      ASSERT_TRUE(projection.converged(j));
      const Vector y = projection.points.col(j);
      const Vector moved = x.col(j) - y;
      EXPECT_NEAR(y.cwiseQuotient(axes).norm(), 1, 4e-16 * 8);
      EXPECT_LE((again.col(j) - y).norm(), 1e-14 * axes.maxCoeff());
      // First order: what is left along M is rounding of x, y and of the normal, whose condition is the
      // squared ratio.
      const double condition = std::pow(axes.maxCoeff() / axes.minCoeff(), 2);
      EXPECT_LE((tangents.middleCols((size - 1) * j, size - 1).transpose() * moved).norm(),
                1e-15 * condition * (x.col(j).norm() + axes.maxCoeff()));
      // Global: no other point is nearer.
      EXPECT_LE(projection.distance(j), (cloud.colwise() - x.col(j)).colwise().norm().minCoeff() * (1 + 1e-14));
    }
  }
}

TEST(EllipsoidTest, ReachIsThatOfTheLongestAxis) {
  // Along the normal at the end of the longest axis, and there only, points return up to the reach and no
  // further.
  for (const double q : {1.0, 2.0, 4.0, 8.0}) {
    const Ellipsoid ellipsoid(Vector{{1, 1, q}});
    EXPECT_NEAR(ellipsoid.reach(), 1 / q, 1e-16);
    const Points y = ellipsoid.random_points(500, Stream(23, "reach"));
    const Points back = ellipsoid.project(y - 0.999 / q * ellipsoid.normal_bases(y)).points;
    EXPECT_LE((back - y).cwiseAbs().maxCoeff(), 1e-11);  // the condition number is 1/(1 - .999) times 8²
    if (q == 1) continue;                                // all directions alike
    // A little off the axis, so that the nearest point stays unique.
    const Vector beyond = ellipsoid.project(Vector{{1e-3, 0, q - 1.1 / q}}).points;
    EXPECT_GT(beyond[0], 0.05);
    const Vector before = ellipsoid.project(Vector{{1e-3, 0, q - 0.9 / q}}).points;
    EXPECT_LT(before[0], 0.011);
  }
}

TEST(EllipsoidTest, PointsWithoutOneNearestPointDoNotConverge) {
  const Ellipsoid prolate(Vector{{1, 1, 4}});
  Points x = Points::Zero(3, 4);
  x(2, 1) = 2;     // a circle of nearest points
  x(2, 2) = 3.9;   // within the reach of the end
  x(0, 3) = 1e-9;  // a little off the axis
  const Projection projection = prolate.project(x);
  EXPECT_FALSE(projection.converged(0));
  EXPECT_FALSE(projection.converged(1));
  EXPECT_TRUE(projection.converged(2));
  EXPECT_NEAR(projection.points(2, 2), 4, 1e-15);
  EXPECT_TRUE(projection.converged(3));
  EXPECT_NEAR(projection.points(0, 3), 1, 1e-14);
  // The distance is known all the same; at (0, 0, 2): z = 16·2/15 and the radius of the surface there.
  const double z = 32.0 / 15;
  EXPECT_NEAR(prolate.residual(x)(0, 1), -std::sqrt(1 - z * z / 16 + (z - 2) * (z - 2)), 1e-15);
  EXPECT_NEAR(prolate.residual(x)(0, 0), -1, 1e-15);
}

TEST(EllipsoidTest, RandomPointsAreUniformByArea) {
  // Spheroid with axes (1, 1, q): area element of z in (-q, q) is proportional to sqrt(1 + (q^-2 - 1)
  // z^2/q^2)... with z = q c, dA ~ sqrt(c^2 + q^2 (1 - c^2)) dc. The distribution function by Simpson's rule.
  const double q = 3;
  const Points x = Ellipsoid(Vector{{1, 1, q}}).random_points(10000, Stream(13, "area"));
  const auto density = [&](double c) { return std::sqrt(c * c + q * q * (1 - c * c)); };
  const auto integral = [&](double high) {
    const int steps = 200;
    const double h = (high + 1) / steps;
    double sum = density(-1) + density(high);
    for (int i = 1; i < steps; ++i) sum += (i % 2 == 1 ? 4 : 2) * density(-1 + h * i);
    return sum * h / 3;
  };
  const double total = integral(1);
  const Vector c = x.row(2) / q;
  EXPECT_GT(kolmogorov_smirnov_test(c, [&](double v) { return integral(v) / total; }).p, 1e-3);
  EXPECT_LT(kolmogorov_smirnov_test(c, [](double v) { return (v + 1) / 2; }).p, 1e-6)
      << "stretched uniform directions are not uniform by area";
}

}  // namespace
}  // namespace onmanifold
