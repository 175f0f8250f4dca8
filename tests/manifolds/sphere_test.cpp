// SPDX-License-Identifier: Apache-2.0
#include "manifolds/sphere.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(SphereTest, ProjectsAlongTheRadius) {
  const Sphere sphere(2, 2);
  EXPECT_EQ(sphere.ambient_dimension(), 3);
  EXPECT_EQ(sphere.dimension(), 2);
  EXPECT_EQ(sphere.reach(), 2);
  EXPECT_EQ(sphere.spec(), "sphere:dim=2,radius=2");
  Points x(3, 2);
  x << 3, 0, 0, -0.5, 4, 0;
  const Projection projection = sphere.project(x);
  Points expected(3, 2);
  expected << 1.2, 0, 0, -2, 1.6, 0;
  EXPECT_LT((projection.points - expected).norm(), 1e-15);
  EXPECT_EQ(projection.distance(0), 3);
  EXPECT_EQ(projection.distance(1), 1.5);
  const Points h = sphere.residual(x);
  EXPECT_EQ(h(0, 0), 3);
  EXPECT_EQ(h(0, 1), -1.5);
}

TEST(SphereTest, CentreMovesEverything) {
  const Sphere sphere(1, 1, Eigen::Vector2d(10, -3));
  EXPECT_EQ(sphere.spec(), "sphere:dim=1,radius=1,centre=10:-3");
  EXPECT_EQ(sphere.project(Eigen::Vector2d(10, 5)).points, Eigen::Vector2d(10, -2));
  EXPECT_EQ(sphere.normal_bases(Eigen::Vector2d(9, -3)), Eigen::Vector2d(-1, 0));
}

TEST(SphereTest, CentreAndNonFinitePointsDoNotConverge) {
  Points x = Points::Zero(3, 4);
  x(0, 1) = std::numeric_limits<double>::quiet_NaN();
  x(1, 2) = -std::numeric_limits<double>::infinity();
  x(2, 3) = 1e-310;  // denormal, but a direction all the same
  const Projection projection = Sphere(2).project(x);
  EXPECT_FALSE(projection.converged(0));
  EXPECT_FALSE(projection.converged(1));
  EXPECT_FALSE(projection.converged(2));
  EXPECT_TRUE(projection.converged(3));
  EXPECT_EQ(projection.failures(), 3);
  EXPECT_EQ(projection.points.col(0), Eigen::Vector3d::Zero());
  EXPECT_TRUE(std::isnan(projection.distance(0)));
  EXPECT_EQ(projection.points.col(3), Eigen::Vector3d::UnitZ());
  EXPECT_TRUE(std::isnan(Sphere(2).residual(x)(0, 1)));
}

TEST(SphereTest, HugePointsKeepTheirDirection) {
  const Projection projection = Sphere(2).project(Eigen::Vector3d(3e200, 4e200, 0));
  EXPECT_TRUE(projection.converged(0));
  EXPECT_LT((projection.points - Eigen::Vector3d(0.6, 0.8, 0)).norm(), 1e-15);
}

TEST(SphereTest, RandomPointsAreUniform) {
  // On S^2 each coordinate is uniform on [-1, 1] (Archimedes): chi-square with 20 bins, upper 1e-3
  // quantile 43.8.
  const Points x = Sphere(2).random_points(20000, Stream(7, "sphere"));
  for (Index axis = 0; axis < 3; ++axis) {
    Vector counts = Vector::Zero(20);
    for (Index j = 0; j < x.cols(); ++j) {
      counts(std::min<Index>(19, static_cast<Index>(10 * (x(axis, j) + 1)))) += 1;
    }
    EXPECT_LT((counts.array() - 1000).square().sum() / 1000, 43.82) << "axis " << axis;
  }
}

TEST(SphereTest, AColumnDoesNotDependOnItsPlace) {
  const Sphere sphere(4, 1.5);
  const Points x = Stream(5, "place").normal(5, 65);
  const Points all = sphere.project(x).points;
  for (Index j = 0; j < x.cols(); ++j) EXPECT_EQ(sphere.project(x.col(j)).points, all.col(j)) << "column " << j;
}

TEST(SphereTest, RejectsWhatIsNoSphere) {
  EXPECT_THAT([] { Sphere(0); }, ThrowsMessage<InvalidInput>(HasSubstr("dim = 0")));
  EXPECT_THAT([] { Sphere(2, 0); }, ThrowsMessage<InvalidInput>(HasSubstr("radius = 0")));
  EXPECT_THAT([] { Sphere(2, NAN); }, ThrowsMessage<InvalidInput>(HasSubstr("radius = nan")));
  EXPECT_THAT([] { Sphere(2, 1, Eigen::Vector2d(0, 0)); }, ThrowsMessage<InvalidInput>(HasSubstr("3 finite numbers")));
}

}  // namespace
}  // namespace onmanifold
