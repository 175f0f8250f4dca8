// SPDX-License-Identifier: Apache-2.0
#include "manifolds/torus.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double significance = 1e-3;

TEST(TorusTest, ProjectsEveryPair) {
  const Torus torus(2);
  EXPECT_EQ(torus.ambient_dimension(), 4);
  EXPECT_EQ(torus.codimension(), 2);
  EXPECT_EQ(torus.reach(), 1);
  Points x(4, 3);
  x << 3, 0, 1, 4, 0, 0, 0, 1, -0.5, 0.5, 1, 0;
  const Projection projection = torus.project(x);
  EXPECT_LT((projection.points.col(0) - Eigen::Vector4d(0.6, 0.8, 0, 1)).norm(), 1e-15);
  EXPECT_NEAR(projection.distance(0), std::hypot(4, 0.5), 1e-15);
  EXPECT_FALSE(projection.converged(1)) << "the pair (0, 0) has no nearest point";
  EXPECT_EQ(projection.points.col(1), x.col(1));
  EXPECT_TRUE(projection.converged(2));
  EXPECT_EQ(torus.residual(x)(0, 0), 4);
  EXPECT_EQ(torus.residual(x)(1, 0), -0.5);
}

TEST(TorusTest, LiftLosesAPointOnlyWhereAPairChangesSides) {
  // P(Pi(y + n) != y) = 1 - (1 - Phi(-1/sigma))^2 for two pairs; the count is binomial.
  const Torus torus(2);
  const Index n = 20000;
  const double sigma = 0.5;
  const Points clean = torus.random_points(n, Stream(1, "torus"));
  const Points normals = torus.normal_bases(clean);
  const Points xi = sigma * Stream(2, "torus").normal(2, n);
  Points lifted = clean;
  for (Index j = 0; j < n; ++j) lifted.col(j) += normals.middleCols(2 * j, 2) * xi.col(j);
  const Points back = torus.project(lifted).points;
  const double lost = static_cast<double>(((back - clean).colwise().norm().array() > 1e-6).count());
  const double flip = normal_cdf(-1 / sigma);
  const double rate = 1 - (1 - flip) * (1 - flip);
  EXPECT_NEAR(lost, static_cast<double>(n) * rate,
              -normal_quantile(significance / 2) * std::sqrt(static_cast<double>(n) * rate));
  EXPECT_LE(rate, 2 * flip);
}

TEST(TorusTest, RejectsWhatIsNone) {
  EXPECT_THAT([] { Torus(0); }, ThrowsMessage<InvalidInput>(HasSubstr("dim = 0")));
  EXPECT_THAT([] { Donut(1, 1); }, ThrowsMessage<InvalidInput>(HasSubstr("0 < minor < major")));
  EXPECT_THAT([] { Donut(1, 0); }, ThrowsMessage<InvalidInput>(HasSubstr("0 < minor < major")));
  EXPECT_THAT([] { Donut(NAN, 1); }, ThrowsMessage<InvalidInput>(HasSubstr("0 < minor < major")));
}

TEST(DonutTest, KnownProjections) {
  const Donut donut(2, 0.5);
  EXPECT_EQ(donut.reach(), 0.5);
  EXPECT_EQ(Donut(1, 0.75).reach(), 0.25);
  Points x(3, 6);
  x << 4, 1, 2, 0, 2, NAN,  //
      0, 0, 0, 0, 0, 0,     //
      0, 0, 3, 1, 0, 0;
  const Projection projection = donut.project(x);
  EXPECT_LT((projection.points.col(0) - Eigen::Vector3d(2.5, 0, 0)).norm(), 1e-15);
  EXPECT_LT((projection.points.col(1) - Eigen::Vector3d(1.5, 0, 0)).norm(), 1e-15);
  EXPECT_LT((projection.points.col(2) - Eigen::Vector3d(2, 0, 0.5)).norm(), 1e-15);
  EXPECT_NEAR(projection.distance(2), 2.5, 1e-15);
  EXPECT_FALSE(projection.converged(3)) << "on the axis";
  EXPECT_NEAR(donut.residual(x)(0, 3), std::sqrt(5.0) - 0.5, 1e-15) << "the distance is known all the same";
  EXPECT_FALSE(projection.converged(4)) << "on the core";
  EXPECT_FALSE(projection.converged(5));
}

TEST(DonutTest, RandomPointsAreUniformByArea) {
  // The angle of the tube has density (R + r cos v)/(2 pi R).
  const double major = 2;
  const double minor = 1.2;
  const Index n = 20000;
  const Points x = Donut(major, minor).random_points(n, Stream(3, "donut"));
  Vector u(n);
  Vector v(n);
  for (Index j = 0; j < n; ++j) {
    u[j] = std::atan2(x(1, j), x(0, j));
    v[j] = std::atan2(x(2, j), std::hypot(x(0, j), x(1, j)) - major);
  }
  EXPECT_GT(kolmogorov_smirnov_test(u, [](double a) { return 0.5 + a / (2 * M_PI); }).p, significance);
  const auto by_area = [&](double a) { return 0.5 + (a + minor / major * std::sin(a)) / (2 * M_PI); };
  EXPECT_GT(kolmogorov_smirnov_test(v, by_area).p, significance);
  EXPECT_LT(kolmogorov_smirnov_test(v, [](double a) { return 0.5 + a / (2 * M_PI); }).p, 1e-9)
      << "uniform angles are not uniform by area";
}

}  // namespace
}  // namespace onmanifold
