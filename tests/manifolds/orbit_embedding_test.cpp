// SPDX-License-Identifier: Apache-2.0
#include "manifolds/orbit_embedding.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

/// Unit vectors, dimension×n.
Points directions(Index dimension, Index n, const char* path) {
  Points u = Stream(1, path).normal(dimension, n);
  for (Index j = 0; j < n; ++j) u.col(j) /= u.col(j).norm();
  return u;
}

class Embeddings : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] static std::unique_ptr<OrbitEmbedding> make() {
    if (std::string(GetParam()) == "sphere") return std::make_unique<SphereIn16d>();
    return std::make_unique<CircleIn16d>();
  }
};

TEST_P(Embeddings, InnerProductsAreTheKernelOfTheAngle) {
  const auto manifold = make();
  const Index p = manifold->dimension() + 1;
  const Points u = directions(p, 40, "u");
  const Points w = directions(p, 40, "w");
  const Points fu = manifold->embed(u);
  const Points fw = manifold->embed(w);
  for (Index j = 0; j < 40; ++j) {
    const double angle = std::acos(std::clamp(u.col(j).dot(w.col(j)), -1.0, 1.0));
    double kernel = 0;
    for (Index m = 0; m < manifold->kernel().size(); ++m) {
      kernel += manifold->kernel()[m] * std::cos(static_cast<double>(m) * angle);
    }
    EXPECT_NEAR(fu.col(j).dot(fw.col(j)), kernel, 1e-14);
    EXPECT_NEAR(fu.col(j).norm(), manifold->scale(), 1e-15);
  }
}

TEST_P(Embeddings, IsAnIsometry) {
  // Length of a small arc: |f(w) - f(u)| = angle (1 - angle^2/24 curvature^2 …): 1e-4 leaves 1e-8 relative.
  const auto manifold = make();
  const Index p = manifold->dimension() + 1;
  const Points u = directions(p, 30, "u");
  Points w = u + 1e-4 * directions(p, 30, "w");
  for (Index j = 0; j < 30; ++j) w.col(j) /= w.col(j).norm();
  for (Index j = 0; j < 30; ++j) {
    const double arc = 2 * std::asin((w.col(j) - u.col(j)).norm() / 2);
    EXPECT_NEAR((manifold->embed(w.col(j)) - manifold->embed(u.col(j))).norm() / arc, 1, 1e-7);
  }
  // Tangents are orthonormal and derivatives: the conformance suite checks the former, here the latter.
  const Points y = manifold->embed(u);
  const Points difference = manifold->embed(w) - y;
  EXPECT_LT(manifold->normal_component(y, difference).colwise().norm().maxCoeff(), 1e-7) << "of second order";
}

TEST_P(Embeddings, FindsTheParameterAlsoFarFromM) {
  const auto manifold = make();
  const Index p = manifold->dimension() + 1;
  const Points u = directions(p, 200, "u");
  EXPECT_LT((manifold->parameters(manifold->embed(u)) - u).cwiseAbs().maxCoeff(), 1e-14);
  // The global maximum of <f, x> for random x, against a fine grid.
  const Points x = Stream(2, "far").normal(16, 200);
  const Points fine = manifold->embed(directions(p, 20000, "grid"));
  const Projection projection = manifold->project(x);
  EXPECT_EQ(projection.failures(), 0);
  for (Index j = 0; j < x.cols(); ++j) {
    EXPECT_GE(projection.points.col(j).dot(x.col(j)), (fine.transpose() * x.col(j)).maxCoeff() - 1e-14) << j;
  }
}

TEST_P(Embeddings, ZeroAndBadColumnsDoNotConverge) {
  const auto manifold = make();
  Points x = Points::Ones(16, 3);
  x.col(0).setZero();
  x(3, 1) = NAN;
  const Projection projection = manifold->project(x);
  EXPECT_FALSE(projection.converged(0));
  EXPECT_FALSE(projection.converged(1));
  EXPECT_TRUE(projection.converged(2));
  EXPECT_TRUE(std::isnan(manifold->parameters(x)(0, 0)));
  EXPECT_NEAR(manifold->residual(x).col(0).norm(), manifold->scale(), 1e-15);
  EXPECT_THROW((void)manifold->embed(Points::Ones(5, 1)), InvalidInput);
}

INSTANTIATE_TEST_SUITE_P(All, Embeddings, ::testing::Values("sphere", "circle"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(OrbitEmbeddingTest, HasTheStatedNumbers) {
  const SphereIn16d sphere;
  EXPECT_EQ(sphere.codimension(), 14);
  EXPECT_NEAR(sphere.scale(), std::sqrt(0.625), 1e-15);
  EXPECT_NEAR(sphere.reach(), 1 / std::sqrt(3.625), 1e-12);
  EXPECT_NEAR(sphere.reach(), 0.52523, 5e-6);
  const CircleIn16d circle;
  EXPECT_EQ(circle.codimension(), 15);
  EXPECT_NEAR(circle.scale(), 0.76451, 5e-6);
  EXPECT_NEAR(circle.reach(), 0.42169, 5e-6);
  // No coordinate is constant.
  for (const OrbitEmbedding* manifold :
       {static_cast<const OrbitEmbedding*>(&sphere), static_cast<const OrbitEmbedding*>(&circle)}) {
    const Points y = manifold->random_points(100, Stream(3, "constant"));
    EXPECT_GT(((y.colwise() - y.rowwise().mean()).rowwise().norm()).minCoeff(), 0.05);
  }
  // Distances by Legendre polynomials: |f(x) - f(y)|^2 = 2 sum a_l^2 (1 - P_l).
  const Points u = directions(3, 2, "legendre");
  const double c = u.col(0).dot(u.col(1));
  const double expected = 2 * ((1 - c) / 2 + (1 - (3 * c * c - 1) / 2) / 12 + (1 - (5 * c * c * c - 3 * c) / 2) / 24);
  EXPECT_NEAR((sphere.embed(u.col(0)) - sphere.embed(u.col(1))).squaredNorm(), expected, 1e-15);
}

TEST(OrbitEmbeddingTest, TheReachIsSharp) {
  // Beyond the radius of curvature towards the centre of curvature the base point is no longer the nearest
  // one.
  const CircleIn16d circle;
  const Points y = circle.embed(Eigen::Vector2d(1, 0));
  const double h = 1e-4;
  const Points bend = (circle.embed(Eigen::Vector2d(std::cos(h), std::sin(h))) +
                       circle.embed(Eigen::Vector2d(std::cos(h), -std::sin(h))) - 2 * y) /
                      (h * h);
  const Points towards = bend / bend.norm();
  const auto back = [&](double length) { return (circle.project(y + length * towards).points - y).norm() < 1e-2; };
  EXPECT_NEAR(1 / bend.norm(), circle.reach(), 1e-6);
  EXPECT_TRUE(back(0.98 * circle.reach()));
  EXPECT_FALSE(back(1.02 * circle.reach()));
}

}  // namespace
}  // namespace onmanifold
