// SPDX-License-Identifier: Apache-2.0
#include "manifolds/simplex.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "manifolds/affine.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(SimplexTest, KnownProjections) {
  const Simplex simplex(3, 1);
  Points x(3, 5);
  x << 1, 0, 0.5, 2, -1,  //
      0, 0, 0.5, 0, -1,   //
      0, 0, -1, 1.5, -1;
  Points expected(3, 5);
  expected << 1, 1.0 / 3, 0.5, 0.75, 1.0 / 3,  //
      0, 1.0 / 3, 0.5, 0, 1.0 / 3,             //
      0, 1.0 / 3, 0, 0.25, 1.0 / 3;
  EXPECT_LT((simplex.project(x).points - expected).cwiseAbs().maxCoeff(), 1e-15);
  EXPECT_NEAR(simplex.project(x).distance(2), 1, 1e-15);
  // h of the third: the hyperplane's error (0 - 1)/sqrt 3, the rest inside it.
  EXPECT_NEAR(simplex.residual(x)(0, 2), -1 / std::sqrt(3.0), 1e-15);
  EXPECT_NEAR(simplex.residual(x)(1, 2), std::sqrt(2.0 / 3), 1e-15);
  EXPECT_EQ(simplex.spec(), "flux:dim=3,total=1,nonnegative=true");
}

TEST(SimplexTest, ConditionsOfTheNearestPoint) {
  // Karush–Kuhn–Tucker: x - Pi(x) is theta on the support and at most theta off it; sum and signs hold.
  const Simplex simplex(40, 7);
  const Points x = 2 * Stream(1, "simplex").normal(40, 200);
  const Projection projection = simplex.project(x);
  for (Index j = 0; j < x.cols(); ++j) {
    const Vector y = projection.points.col(j);
    EXPECT_NEAR(y.sum(), 7, 1e-13);
    EXPECT_GE(y.minCoeff(), 0);
    double theta = 0;
    for (Index i = 0; i < 40; ++i) {
      if (y[i] > 0) theta = x(i, j) - y[i];
    }
    for (Index i = 0; i < 40; ++i) {
      if (y[i] > 0) {
        EXPECT_NEAR(x(i, j) - y[i], theta, 1e-13);
      } else {
        EXPECT_LE(x(i, j), theta + 1e-13);
      }
    }
  }
}

TEST(SimplexTest, AgreesWithTheHyperplaneInside) {
  const Simplex simplex(20, 5);
  const Affine plane = Affine::flux(20, 5);
  const Points inside = simplex.random_points(50, Stream(2, "simplex"));
  const Points lifted = inside + Points::Constant(20, 1, 0.7) * Stream(3, "simplex").normal(1, 50);
  EXPECT_LT((simplex.project(lifted).points - inside).cwiseAbs().maxCoeff(), 1e-14) << "every lift is undone";
  EXPECT_LT((plane.project(lifted).points - inside).cwiseAbs().maxCoeff(), 1e-14);
  // The negative control: clipping without the search for theta keeps neither sum nor nearness.
  const Points x = Stream(4, "simplex").normal(20, 1);
  Points clipped = plane.project(x).points.cwiseMax(0);
  EXPECT_GT(std::abs(clipped.sum() - 5), 0.1);
  clipped *= 5 / clipped.sum();
  EXPECT_GT((x - clipped).norm(), simplex.project(x).distance(0) + 1e-3);
}

TEST(SimplexTest, RandomPointsAreUniform) {
  // A coordinate of the uniform law on the simplex of D parts has survival (1 - t/F)^(D-1).
  const Points x = Simplex(5, 2).random_points(10000, Stream(5, "simplex"));
  for (const Index i : {0, 4}) {
    const Vector values = x.row(i);
    EXPECT_GT(kolmogorov_smirnov_test(values, [](double t) { return 1 - std::pow(1 - t / 2, 4); }).p, 1e-3);
  }
}

TEST(SimplexTest, RejectsWhatIsNone) {
  EXPECT_THAT([] { Simplex(1, 1); }, ThrowsMessage<InvalidInput>(HasSubstr("dim = 1")));
  EXPECT_THAT([] { Simplex(3, 0); }, ThrowsMessage<InvalidInput>(HasSubstr("total = 0")));
  Points x = Points::Zero(3, 2);
  x(1, 0) = NAN;
  const Projection projection = Simplex(3, 1).project(x);
  EXPECT_FALSE(projection.converged(0));
  EXPECT_TRUE(projection.converged(1));
}

}  // namespace
}  // namespace onmanifold
