// SPDX-License-Identifier: Apache-2.0
// Rates at which the nearest point is another one, against exact formulas.
#include "diagnostics/lift_geometry.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/affine.hpp"
#include "manifolds/backbone.hpp"
#include "manifolds/finite_set.hpp"
#include "manifolds/normal_lift.hpp"
#include "manifolds/rotation_group.hpp"
#include "manifolds/sphere.hpp"
#include "manifolds/torus.hpp"
#include "tests/support/test_meshes.hpp"

namespace onmanifold {
namespace {

const Stream stream(1, "lift geometry");

std::vector<LiftGeometryLevel> rates(const Manifold& manifold, Index n, const Vector& sigmas) {
  return lift_geometry(manifold, manifold.random_points(n, stream.at("points")), sigmas, {}, stream);
}

bool contains(const Interval& interval, double value) {
  return interval.low <= value && value <= interval.high;
}

/// A sphere whose lift goes along a tangent.
class TangentLift final : public Sphere {
 public:
  TangentLift() : Sphere(2) {}

 private:
  [[nodiscard]] Points do_from_normal_coordinates(const PointsRef& y, const PointsRef& coordinates) const override {
    Points result(3, y.cols());
    for (Index j = 0; j < y.cols(); ++j) {
      const double length = std::hypot(y(0, j), y(1, j));
      result.col(j) << -y(1, j), y(0, j), 0;
      result.col(j) *= coordinates(0, j) / length;
    }
    return result;
  }
};

TEST(LiftGeometry, OfTheSphereIsTheNormalDistribution) {
  const auto levels = rates(Sphere(2), 200000, Vector{{0.1, 0.3, 0.5, 1}});
  EXPECT_EQ(levels[0].flips, 0);
  EXPECT_EQ(levels[0].rate_interval.low, 0);
  EXPECT_GT(levels[0].rate_interval.high, 1e-5);
  for (const LiftGeometryLevel& level : levels) {
    EXPECT_TRUE(contains(level.rate_interval, sphere_flip_rate(1, level.sigma))) << level.sigma;
    EXPECT_TRUE(level.within_bound);
    EXPECT_NEAR(level.bound, 2 * sphere_flip_rate(1, level.sigma), 1e-12);  // both ends of the normal
    EXPECT_EQ(level.failures, 0);
    // To the antipode.
    if (level.flips > 0) {
      EXPECT_NEAR(level.mean_jump, 2, 1e-6);
    }
  }
  EXPECT_NEAR(sphere_flip_rate(1, 0.3), 4.29e-4, 5e-7);
  EXPECT_NEAR(sphere_flip_rate(1, 0.5), 2.28e-2, 5e-5);
  // Power: a sphere a tenth larger is not the one.
  EXPECT_FALSE(contains(levels[2].rate_interval, sphere_flip_rate(1.1, 0.5)));

  // A wrong lift, along tangents, never returns, and breaks the bound.
  for (const LiftGeometryLevel& level : rates(TangentLift(), 1000, Vector{{0.1, 0.3}})) {
    EXPECT_EQ(level.rate, 1);
    EXPECT_FALSE(level.within_bound);
  }
}

TEST(LiftGeometry, OfTheTorusIsThatOfItsCircles) {
  for (const LiftGeometryLevel& level : rates(Torus(2), 50000, Vector{{0.4, 0.7}})) {
    const double one = sphere_flip_rate(1, level.sigma);
    EXPECT_TRUE(contains(level.rate_interval, 1 - (1 - one) * (1 - one))) << level.sigma;
    EXPECT_FALSE(contains(level.rate_interval, one)) << level.sigma;
    EXPECT_TRUE(level.within_bound);
  }
}

TEST(LiftGeometry, OfAPlaneIsNothing) {
  const auto levels = rates(Affine::plane(Vector{{1, 2, 3}}, 1), 1000, Vector{{0.1, 10}});
  for (const LiftGeometryLevel& level : levels) {
    EXPECT_EQ(level.flips, 0);
    EXPECT_EQ(level.bound, 0);
    EXPECT_TRUE(level.within_bound);
  }
}

TEST(LiftGeometry, OfTwoAtomsIsTheNormalDistribution) {
  const FiniteSet atoms(Points{{-1, 1}, {0, 0}});
  const auto levels = rates(atoms, 50000, Vector{{0.5, 1}});
  for (const LiftGeometryLevel& level : levels) {
    EXPECT_TRUE(contains(level.rate_interval, sphere_flip_rate(1, level.sigma))) << level.sigma;
    EXPECT_NEAR(level.mean_jump, 2, 1e-12);
  }
}

TEST(LiftGeometry, OfRotations) {
  // Monte Carlo, 2.3e-2 and .136; chi-square bounds .24 and .67.
  const auto levels = rates(RotationGroup(), 50000, Vector{{0.5, 0.7}});
  EXPECT_NEAR(levels[0].rate, 0.023, 0.003);
  EXPECT_NEAR(levels[1].rate, 0.136, 0.006);
  EXPECT_NEAR(levels[0].bound, 0.24, 0.005);
  EXPECT_NEAR(levels[1].bound, 0.67, 0.005);
  EXPECT_TRUE(levels[0].within_bound && levels[1].within_bound);
}

TEST(LiftGeometry, OfACubeIsTheShareNearItsEdges) {
  const test::MeshArrays arrays = test::cube();
  const TriangleMesh cube(arrays.vertices, arrays.faces);
  // Twelve edges of length 2 and right angles on an area of 24: sigma sqrt(2/pi).
  EXPECT_NEAR(mesh_flip_rate(cube, 0.02), 0.02 * std::sqrt(2 / M_PI), 1e-15);
  for (const LiftGeometryLevel& level : rates(cube, 20000, Vector{{0.02, 0.1, 0.2}})) {
    // Inwards by t a point leaves if it is nearer than t to an edge of its face: (1 - E (1 - |n|)^2)/2.
    const double exact = level.sigma * std::sqrt(2 / M_PI) - level.sigma * level.sigma / 2;
    EXPECT_TRUE(contains(level.rate_interval, exact)) << level.sigma;
    EXPECT_EQ(level.bound, 1);  // reach 0: nothing is said
    if (level.sigma > 0.1) {
      EXPECT_FALSE(contains(level.rate_interval, mesh_flip_rate(cube, level.sigma)));
    } else {
      EXPECT_NEAR(level.rate / mesh_flip_rate(cube, level.sigma), 1, 0.15);
    }
    EXPECT_LT(level.mean_jump, 2 * level.sigma);
  }
}

TEST(LiftGeometry, OfABackboneReturnsFromSmallNoise) {
  const Backbone backbone(4, backbone_geometry("engh-huber-1991"), BackboneFrame::middle);
  const auto levels = rates(backbone, 64, Vector{{0.01, 0.6}});
  EXPECT_EQ(levels[0].flips, 0);
  EXPECT_GT(levels[1].flips, 0);
  EXPECT_TRUE(levels[0].within_bound);
}

TEST(LiftGeometry, IntervalsAreThoseOfTheBinomialLaw) {
  // No success in 100: 1 - .025^(1/100). Five of ten: a tabulated pair.
  EXPECT_NEAR(clopper_pearson(0, 100, 0.95).high, 1 - std::pow(0.025, 0.01), 1e-12);
  EXPECT_EQ(clopper_pearson(0, 100, 0.95).low, 0);
  EXPECT_EQ(clopper_pearson(100, 100, 0.95).high, 1);
  EXPECT_NEAR(clopper_pearson(5, 10, 0.95).low, 0.1871, 5e-5);
  EXPECT_NEAR(clopper_pearson(5, 10, 0.95).high, 0.8129, 5e-5);
  EXPECT_GT(clopper_pearson(5, 10, 0.99).high, 0.83);
  EXPECT_THROW((void)clopper_pearson(11, 10, 0.95), InvalidInput);
  EXPECT_THROW((void)clopper_pearson(1, 10, 1), InvalidInput);
}

TEST(LiftGeometry, BlocksOfPointsDoNotShow) {
  // 8192 points a block: the first block alone has the same flips, whatever follows.
  const Sphere sphere(2);
  const Points x = sphere.random_points(8192 + 100, stream.at("points"));
  const Vector sigmas{{1.0}};
  const auto all = lift_geometry(sphere, x, sigmas, {}, stream);
  const auto first = lift_geometry(sphere, x.leftCols(8192), sigmas, {}, stream);
  EXPECT_LE(first[0].flips, all[0].flips);
  EXPECT_LE(all[0].flips, first[0].flips + 100);
  EXPECT_THROW((void)lift_geometry(sphere, x, Vector{{0.0}}, {}, stream), InvalidInput);
  EXPECT_THROW((void)lift_geometry(sphere, Points(3, 0), sigmas, {}, stream), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
