// SPDX-License-Identifier: Apache-2.0
#include "manifolds/affine.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// Distances here are sums of three products of numbers near 1: 16 roundings.
constexpr double few_roundings = 16 * 2.3e-16;

TEST(AffineTest, PlaneOfTheBenchmark) {
  // Plane {a·x = 1}, a = (1, 2, 3)/sqrt 14; 0 is at signed distance -1 and projects to a.
  const Affine plane = Affine::plane(Eigen::Vector3d(1, 2, 3), 1);
  const Eigen::Vector3d a = Eigen::Vector3d(1, 2, 3) / std::sqrt(14.0);
  EXPECT_EQ(plane.ambient_dimension(), 3);
  EXPECT_EQ(plane.dimension(), 2);
  EXPECT_EQ(plane.codimension(), 1);
  EXPECT_EQ(plane.reach(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(plane.spec(), "plane:normal=1:2:3,offset=1");
  EXPECT_LT((plane.normals() - a).norm(), few_roundings);
  EXPECT_LT((plane.origin() - a).norm(), few_roundings);

  Points x(3, 2);
  x << 0, 2, 0, 0, 0, 1;
  const Points h = plane.residual(x);
  EXPECT_NEAR(h(0, 0), -1, few_roundings);
  EXPECT_NEAR(h(0, 1), 5 / std::sqrt(14.0) - 1, few_roundings);
  const Projection projection = plane.project(x);
  EXPECT_EQ(projection.failures(), 0);
  EXPECT_LT((projection.points.col(0) - a).norm(), few_roundings);
  EXPECT_NEAR(projection.distance(0), 1, few_roundings);
  EXPECT_NEAR(projection.distance(1), 5 / std::sqrt(14.0) - 1, few_roundings);
}

TEST(AffineTest, OffsetCountsAfterNormalising) {
  const Affine plane = Affine::plane(Eigen::Vector3d(0, 0, 10), 2);
  EXPECT_EQ(plane.residual(Eigen::Vector3d(5, -7, 2.5))(0, 0), 0.5);
}

TEST(AffineTest, LineAsIntersectionOfSkewPlanes) {
  // x + y + z = 3 and x - 2y + z = 0: the line (1, 1, 1) + t (1, 0, -1).
  Points a(2, 3);
  a << 1, 1, 1, 1, -2, 1;
  const Affine line(a, Eigen::Vector2d(3, 0));
  EXPECT_EQ(line.dimension(), 1);
  EXPECT_EQ(line.codimension(), 2);
  EXPECT_LT((line.origin() - Eigen::Vector3d(1, 1, 1)).norm(), few_roundings);
  const Eigen::Vector3d direction = Eigen::Vector3d(1, 0, -1) / std::sqrt(2.0);
  EXPECT_NEAR(std::abs(line.basis().col(0).dot(direction)), 1, few_roundings);
  // (3, 5, 0) is nearest to the line at t = 1.5.
  const Projection projection = line.project(Eigen::Vector3d(3, 5, 0));
  EXPECT_LT((projection.points - Eigen::Vector3d(2.5, 1, -0.5)).norm(), 5 * few_roundings);
  EXPECT_NEAR(projection.distance(0), line.residual(Eigen::Vector3d(3, 5, 0)).norm(), 5 * few_roundings);
  EXPECT_LT((a * line.random_points(50, Stream(1, "line"))).colwise().operator-(Eigen::Vector2d(3, 0)).norm(), 1e-13);
}

TEST(AffineTest, FluxIsTheSumOfTheCoordinates) {
  const Affine flux = Affine::flux(784, 100);
  EXPECT_EQ(flux.spec(), "flux:dim=784,total=100");
  const Points x = flux.random_points(20, Stream(1, "flux"));
  for (Index j = 0; j < x.cols(); ++j) EXPECT_NEAR(x.col(j).sum(), 100, 1e-10);
  // Zero moves by total/sqrt(D) = 100/28.
  EXPECT_NEAR(flux.project(Vector::Zero(784)).distance(0), 100.0 / 28, 1e-13);
  // The point that the simplex sends to a corner: here two thirds off every coordinate.
  const Vector moved = Affine::flux(3, 1).project(Eigen::Vector3d(2, 1, -1)).points;
  EXPECT_LT((moved - Eigen::Vector3d(5, 2, -4) / 3).cwiseAbs().maxCoeff(), 1e-15);
}

TEST(AffineTest, ConstraintHoldsForLargeAndSkewProjections) {
  Points a(2, 5);
  a << 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.0001;  // condition 1e4
  const Affine manifold(a, Eigen::Vector2d(1, 2));
  const Points x = 100 * Stream(3, "affine").normal(5, 200);
  const Projection projection = manifold.project(x);
  EXPECT_EQ(projection.failures(), 0);
  EXPECT_LE(manifold.residual(projection.points).cwiseAbs().maxCoeff(), manifold.constraint_tolerance());
}

TEST(AffineTest, NonFiniteColumnsKeepTheirInputAndAreCounted) {
  const Affine plane = Affine::plane(Eigen::Vector3d(0, 0, 1), 0);
  Points x = Points::Ones(3, 4);
  x(1, 0) = std::numeric_limits<double>::quiet_NaN();
  x(2, 1) = std::numeric_limits<double>::infinity();
  x(2, 3) = 1e308 * 1.5;
  const Projection projection = plane.project(x);
  EXPECT_FALSE(projection.converged(0));
  EXPECT_FALSE(projection.converged(1));
  EXPECT_TRUE(projection.converged(2));
  EXPECT_TRUE(std::isnan(projection.distance(0)));
  EXPECT_TRUE(std::isnan(projection.points(1, 0)));
  EXPECT_EQ(projection.points(2, 1), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(plane.residual(x)(0, 0)));
}

TEST(AffineTest, AColumnDoesNotDependOnItsPlace) {
  const Affine plane = Affine::plane(Eigen::Vector3d(1, 2, 3), 1);
  const Points x = Stream(5, "place").normal(3, 65);
  const Points all = plane.project(x).points;
  for (Index j = 0; j < x.cols(); ++j) EXPECT_EQ(plane.project(x.col(j)).points, all.col(j)) << "column " << j;
}

TEST(AffineTest, RejectsWhatIsNoSubspace) {
  Points a(2, 3);
  a << 1, 2, 3, 2, 4, 6;
  EXPECT_THAT([&] { Affine(a, Eigen::Vector2d(1, 2)); },
              ThrowsMessage<InvalidInput>(HasSubstr("2 constraints of rank 1")));
  EXPECT_THAT([] { Affine(Points::Identity(3, 3), Vector::Ones(3)); },
              ThrowsMessage<InvalidInput>(HasSubstr("3 constraints in 3 dimensions")));
  EXPECT_THAT([] { Affine(Points::Ones(1, 3), Vector::Ones(2)); },
              ThrowsMessage<InvalidInput>(HasSubstr("2 values for 1 constraints")));
  EXPECT_THAT([] { Affine(Points::Constant(1, 3, NAN), Vector::Ones(1)); },
              ThrowsMessage<InvalidInput>(HasSubstr("not finite")));
  EXPECT_THAT([] { (void)Affine::plane(Vector::Zero(3), 1); },
              ThrowsMessage<InvalidInput>(HasSubstr("normal (0, 0, 0)")));
  EXPECT_THAT([] { (void)Affine::flux(1, 1); }, ThrowsMessage<InvalidInput>(HasSubstr("dim = 1")));
  EXPECT_THAT([] { (void)Affine::flux(3, 1).project(Points::Zero(2, 5)); },
              ThrowsMessage<InvalidInput>(HasSubstr("points have 2 coordinates, expected 3")));
}

}  // namespace
}  // namespace onmanifold
