// SPDX-License-Identifier: Apache-2.0
// The Stiefel manifold against its two ends, the sphere and the rotations, and a matrix whose factors are known.

#include "manifolds/stiefel.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/rotation_group.hpp"
#include "manifolds/sphere.hpp"

namespace onmanifold {
namespace {

TEST(Stiefel, WithOneColumnIsTheSphere) {
  const Stiefel stiefel(4, 1);
  const Sphere sphere(3);
  const Points x = Stream(1, "x").normal(4, 50);
  EXPECT_LT((stiefel.project(x).points - sphere.project(x).points).cwiseAbs().maxCoeff(), 1e-15);
  EXPECT_LT((stiefel.residual(x) - sphere.residual(x)).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_EQ(stiefel.dimension(), 3);
}

TEST(Stiefel, OfSquareMatricesIsTheRotationsWhereTheDeterminantIsPositive) {
  const Stiefel stiefel(3, 3);
  const RotationGroup rotations;
  const Points x = rotations.random_points(50, Stream(1, "r")) + 0.2 * Stream(1, "x").normal(9, 50);
  EXPECT_LT((stiefel.project(x).points - rotations.project(x).points).cwiseAbs().maxCoeff(), 1e-14);
  // A reflection is its own nearest point here, and not there: the two differ off the component of the identity.
  Points reflection(9, 1);
  reflection << 1, 0, 0, 0, 1, 0, 0, 0, -1;
  EXPECT_LT(stiefel.project(reflection).distance[0], 1e-15);
  EXPECT_GT(rotations.residual(reflection).norm(), 1);
}

TEST(Stiefel, PolarFactorOfAKnownMatrix) {
  // X = Q S with Q in St(3, 2) and S = [[2, .5], [.5, 1]] positive definite: Pi(X) = Q, |X - Q| = |S - I|.
  const Stiefel stiefel(3, 2);
  Points q(6, 1);
  q << 1, 0, 0, 0.6, 0, 0.8;
  Points x(6, 1);
  x << 2, 0.5, 0.3, 0.6, 0.4, 0.8;
  const Projection projection = stiefel.project(x);
  EXPECT_LT((projection.points - q).norm(), 1e-15);
  EXPECT_NEAR(projection.distance[0], std::sqrt(1 + 2 * 0.25), 1e-15);
  EXPECT_NEAR(stiefel.residual(x).norm(), std::sqrt(1.5), 1e-14);
}

TEST(Stiefel, RankDeficientMatricesHaveNoNearestPoint) {
  const Stiefel stiefel(3, 2);
  Points x(6, 3);
  x.col(0) << 1, 2, 1, 2, 1, 2;  // parallel columns
  x.col(1).setZero();
  x.col(2).setConstant(std::nan(""));
  EXPECT_EQ(stiefel.project(x).failures(), 3);
  EXPECT_THROW(Stiefel(2, 3), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
