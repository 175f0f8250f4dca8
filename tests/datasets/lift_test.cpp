// SPDX-License-Identifier: Apache-2.0
#include "datasets/lift.hpp"

#include <limits>

#include <boost/math/distributions/chi_squared.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/affine.hpp"
#include "manifolds/registry.hpp"
#include "manifolds/sphere.hpp"

namespace onmanifold {
namespace {

constexpr double alpha = 1e-3;

/// Two-sided chi-square check that \p noise (k×N) has independent entries of variance sigma².
bool variance_fits(const Points& noise, double sigma) {
  const auto n = static_cast<double>(noise.cols());
  const boost::math::chi_squared law(n);
  for (Index i = 0; i < noise.rows(); ++i) {
    const double statistic = noise.row(i).squaredNorm() / (sigma * sigma);
    const double level = alpha / static_cast<double>(noise.rows());
    if (statistic < quantile(law, level / 2) || statistic > quantile(complement(law, level / 2)))
      return false;
  }
  return true;
}

/// A line in R^5, so that the codimension is 4.
Affine line_in_5d() {
  Points a = Points::Zero(4, 5);
  a << 1, 2, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 1, -1, 0, 2, 0, 0, 1, 1;
  return {a, Eigen::Vector4d(1, 0, 2, -1)};
}

void check_normal_lift(const Manifold& manifold) {
  const double sigma = 0.3;
  const Index n = 4000;
  const Points clean = manifold.random_points(n, Stream(1, "lift"));
  const Points noise = Lift{LiftType::normal, sigma}.apply(clean, manifold, Stream(2, "lift")) - clean;
  const Points tangential = manifold.tangent_component(clean, noise);
  for (Index j = 0; j < n; ++j) {
    // 1e-12: n is a combination of orthonormal normals; the subtraction of the clean point adds |x| ulp.
    EXPECT_LE(tangential.col(j).norm(), 1e-12 * std::max(noise.col(j).norm(), 1e-2))
        << manifold.spec() << " " << j;
  }
  const Points bases = manifold.normal_bases(clean);
  const Index k = manifold.codimension();
  Points xi(k, n);
  for (Index j = 0; j < n; ++j) xi.col(j) = bases.middleCols(k * j, k).transpose() * noise.col(j);
  EXPECT_TRUE(variance_fits(xi, sigma));
  EXPECT_FALSE(variance_fits(xi, 0.9 * sigma)) << "a wrong level must be seen";
}

TEST(Lift, NormalNoiseIsNormalWithTheStatedVariance) {
  check_normal_lift(Sphere(2));
  check_normal_lift(Affine::plane(Eigen::Vector3d(1, 2, 3), 1));
  check_normal_lift(line_in_5d());
  for (const char* spec : {"so3", "torus:dim=3", "donut:major=2,minor=0.6", "ellipsoid:axes=1:2:0.7",
                           "one_hot:classes=5", "product:factors=so3*sphere:dim=2,radius=1",
                           "flux:dim=6,total=2,nonnegative=true", "sphere_in_16d", "circle_in_16d"}) {
    check_normal_lift(*make_manifold(spec));
  }
}

TEST(Lift, IsotropicNoiseHasTheStatedVarianceInEveryDirection) {
  const Sphere sphere(2);
  const Points clean = sphere.random_points(4000, Stream(1, "lift"));
  const Points noise = Lift{LiftType::isotropic, 0.2}.apply(clean, sphere, Stream(2, "lift")) - clean;
  EXPECT_TRUE(variance_fits(noise, 0.2));
  // The control is told apart from the normal lift: two thirds of its variance are tangential.
  const Points tangential = sphere.tangent_component(clean, noise);
  EXPECT_NEAR(tangential.squaredNorm() / noise.squaredNorm(), 2.0 / 3, 0.02);
}

TEST(Lift, NoneChangesNothing) {
  const Sphere sphere(2);
  const Points clean = sphere.random_points(10, Stream(1, "lift"));
  EXPECT_EQ(Lift{}.apply(clean, sphere, Stream(2, "lift")), clean);
}

TEST(Lift, NamesRoundTripAndUnknownOnesListTheKnown) {
  for (const LiftType type : {LiftType::none, LiftType::normal, LiftType::isotropic}) {
    EXPECT_EQ(parse_lift_type(to_string(type)), type);
  }
  try {
    (void)parse_lift_type("tangential");
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("none, normal, isotropic"));
  }
}

TEST(TrainingSource, EpochsDifferAndRepeatBitForBit) {
  const Sphere sphere(2);
  const Points clean = sphere.random_points(500, Stream(3, "lift"));
  for (const Lift& lift : {Lift{}, Lift{LiftType::normal, 0.1}, Lift{LiftType::isotropic, 0.1}}) {
    const auto source = make_training_source(clean, sphere, lift, Stream(4, "lift"));
    const Points zero = source->epoch(0);
    const Points one = source->epoch(1);
    EXPECT_NE(zero, one);
    EXPECT_EQ(source->epoch(0), zero);
    EXPECT_EQ(make_training_source(clean, sphere, lift, Stream(4, "lift"))->epoch(1), one);
    EXPECT_NE(make_training_source(clean, sphere, lift, Stream(5, "lift"))->epoch(1), one);
    EXPECT_EQ(source->clean_points(), clean);
    EXPECT_EQ(source->size(), 500);
    EXPECT_EQ(source->dimension(), 3);
  }
}

TEST(TrainingSource, AllLiftsOfOneStreamShareTheOrder) {
  const Sphere sphere(2);
  const Points clean = sphere.random_points(300, Stream(3, "lift"));
  const auto plain = make_training_source(clean, sphere, {}, Stream(4, "lift"));
  const auto normal = make_training_source(clean, sphere, {LiftType::normal, 0.1}, Stream(4, "lift"));
  const auto isotropic = make_training_source(clean, sphere, {LiftType::isotropic, 1e-6}, Stream(4, "lift"));
  for (const Index epoch : {0, 1, 7}) {
    const Points order = plain->epoch(epoch);
    // 0.1·N(0,1) stays below the reach, so that the projection gives the clean point back.
    EXPECT_LE((sphere.project(normal->epoch(epoch)).points - order).cwiseAbs().maxCoeff(), 1e-14);
    EXPECT_LE((isotropic->epoch(epoch) - order).cwiseAbs().maxCoeff(), 1e-5);
    // Every clean point comes once.
    EXPECT_NEAR((order.rowwise().sum() - clean.rowwise().sum()).norm(), 0, 1e-11);
  }
}

TEST(TrainingSource, LiftNoiseIsNewInEveryEpoch) {
  const Affine plane = Affine::plane(Eigen::Vector3d(1, 2, 3), 1);
  const Points clean = Points::Ones(3, 1) / 6 * std::sqrt(14.0);
  const auto source = make_training_source(clean, plane, {LiftType::normal, 0.5}, Stream(4, "lift"));
  Points noise(1, 2000);
  for (Index e = 0; e < noise.cols(); ++e) noise(0, e) = plane.residual(source->epoch(e))(0, 0);
  EXPECT_TRUE(variance_fits(noise, 0.5));
}

TEST(TrainingSource, RefusesBadInput) {
  const Sphere sphere(2);
  const Points clean = sphere.random_points(5, Stream(3, "lift"));
  const auto make = [&](Points points, const Lift& lift) {
    return make_training_source(std::move(points), sphere, lift, Stream(1, "lift"));
  };
  EXPECT_THROW((void)make(clean, {LiftType::normal, -1}), InvalidInput);
  EXPECT_THROW((void)make(clean, {LiftType::isotropic, std::numeric_limits<double>::quiet_NaN()}),
               InvalidInput);
  EXPECT_THROW((void)make(clean, {LiftType::none, 0.1}), InvalidInput);
  EXPECT_THROW((void)make(Points::Zero(2, 5), {}), InvalidInput);
  EXPECT_THROW((void)make(Points(3, 0), {}), InvalidInput);
  Points bad = clean;
  bad(1, 2) = std::numeric_limits<double>::infinity();
  EXPECT_THROW((void)make(bad, {}), InvalidInput);
  EXPECT_THROW((void)make(clean, {})->epoch(-1), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
