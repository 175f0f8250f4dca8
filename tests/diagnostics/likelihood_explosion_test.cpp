// SPDX-License-Identifier: Apache-2.0
// The slope of likelihoods on planes, and the floor that a lift leaves.
#include "diagnostics/likelihood_explosion.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "manifolds/finite_set.hpp"
#include "manifolds/normal_lift.hpp"
#include "manifolds/product.hpp"
#include "manifolds/rotation_group.hpp"
#include "manifolds/sphere.hpp"
#include "manifolds/torus.hpp"
#include "tests/diagnostics/laws.hpp"

namespace onmanifold {
namespace {

using testing::flat_variance;
using testing::NormalLaw;

const Stream stream(1, "likelihood explosion");

TEST(LikelihoodExplosion, OfANormalLawOnAPlaneIsTheCodimension) {
  const Points x = NormalLaw(flat_variance(2, 5, 1, 0)).sample(200, stream.at("plane"));
  const NormalLaw unit(flat_variance(2, 5, 1, 0));
  Vector log_thickness(10);
  Vector log_likelihood(10);
  Vector off(10);
  const double r = 0.1;
  const Points probes = points_off_manifold(testing::flat_manifold(2, 5), x, r, stream.at("off"));
  EXPECT_LT((probes.topRows(2) - x.topRows(2)).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT((probes.bottomRows(3).colwise().norm().array() - r).abs().maxCoeff(), 1e-12);
  for (Index i = 0; i < 10; ++i) {
    const double thickness = std::exp(-4 - 0.3 * static_cast<double>(i));
    log_thickness[i] = std::log(thickness);
    const NormalLaw model(flat_variance(2, 5, 1, thickness));
    // Noise of 1e-9 makes the data bare: p0 itself has no score or density in R^5.
    log_likelihood[i] = mean(model.log_density(x, 1, 1e-9));
    off[i] = std::log(mean(model.score(probes, 1, 1e-9).bottomRows(3).colwise().norm().transpose()));
  }
  const LikelihoodExplosion fit = likelihood_explosion(log_thickness, log_likelihood, 2, 5);
  EXPECT_EQ(fit.expected, -3);
  EXPECT_NEAR(fit.line.slope, -3, 1e-8);
  EXPECT_TRUE(fit.reproduced);
  // Off M: r/s^2.
  EXPECT_NEAR(fit_line(log_thickness, off).slope, -2, 1e-8);

  // A lifted model stops at its lift, and a model of the wrong codimension has another slope.
  const Vector stopped = (-1.5 * (2 * log_thickness.array()).exp().max(1e-3).log()).matrix();
  EXPECT_FALSE(likelihood_explosion(log_thickness, stopped, 2, 5).reproduced);
  EXPECT_FALSE(likelihood_explosion(log_thickness, log_likelihood, 3, 5).reproduced);
}

TEST(LikelihoodExplosion, ExactModelOfLiftedDataReachesTheFloor) {
  const double sigma = 0.1;
  const NormalLaw lifted(flat_variance(2, 5, 1, sigma));
  const Points x = lifted.sample(5000, stream.at("lifted"));
  const double entropy = std::log(2 * std::numbers::pi * std::numbers::e);
  const double floor =
      lifted_nll_floor(entropy, 3, sigma, testing::flat_manifold(2, 5).mean_log_tube_factor(sigma)->value);
  const Vector nll = -lifted.log_density(x, 1, 1e-9);
  EXPECT_NEAR(mean(nll), floor, 3 * standard_error(nll));
  // A model with a lift of .12 is above it by 3 (log 1.2 + (1/1.44 - 1)/2) nats.
  const Vector worse = -NormalLaw(flat_variance(2, 5, 1, 0.12)).log_density(x, 1, 1e-9);
  const double gap = 3 * (std::log(1.2) + (1 / 1.44 - 1) / 2);
  EXPECT_NEAR(mean(worse) - floor, gap, 3 * standard_error(worse));
  EXPECT_GT(mean(worse) - floor, 3 * standard_error(worse));
}

TEST(LikelihoodExplosion, LiftedSphereReachesTheFloor) {
  // Uniform p0 on S^2, x = r u: p = r^-2 (phi(r - 1) + phi(r + 1))/4 pi.
  const double sigma = 0.2;
  const Points xi = stream.at("sphere").normal(1, 20000);
  Vector nll(xi.cols());
  for (Index j = 0; j < xi.cols(); ++j) {
    const double r = std::abs(1 + sigma * xi(0, j));
    const auto phi = [&](double at) { return std::exp(-at * at / (2 * sigma * sigma)); };
    nll[j] = std::log(4 * std::numbers::pi * r * r) + 0.5 * std::log(2 * std::numbers::pi * sigma * sigma) -
             std::log(phi(r - 1) + phi(r + 1));
  }
  const double entropy = std::log(4 * std::numbers::pi);
  const double factor = Sphere(2).mean_log_tube_factor(sigma)->value;
  EXPECT_NEAR(mean(nll), lifted_nll_floor(entropy, 1, sigma, factor), 3 * standard_error(nll));
  // Without curvature the floor is .042 off, which is more than the noise.
  EXPECT_GT(std::abs(mean(nll) - lifted_nll_floor(entropy, 1, sigma, 0)), 3 * standard_error(nll));
}

TEST(LikelihoodExplosion, TubeFactors) {
  // -a^2/2 - 3 a^4/4 - 15 a^6/6 - 105 a^8/8: the rest is 945 a^10/10.
  for (const double a : {0.01, 0.05, 0.1}) {
    const double series = -a * a / 2 - 3 * std::pow(a, 4) / 4 - 15 * std::pow(a, 6) / 6 - 105 * std::pow(a, 8) / 8;
    EXPECT_NEAR(mean_log_one_plus_normal(a), series, 150 * std::pow(a, 10) + 1e-13) << a;
  }
  // a to infinity: log a + E log|xi| = log a - (gamma + log 2)/2, with 1/(2 a^2) more.
  EXPECT_NEAR(mean_log_one_plus_normal(1e3) - std::log(1e3), -(std::numbers::egamma + std::numbers::ln2) / 2 + 5e-7,
              1e-9);
  // Between, by Monte Carlo, in the reach of the singular panel and not.
  const Points xi = stream.at("tube").normal(1, 200000);
  for (const double a : {0.085, 0.3, 1.0}) {
    const Vector values = (1 + a * xi.array()).abs().log().matrix().transpose();
    EXPECT_NEAR(mean(values), mean_log_one_plus_normal(a), 4 * standard_error(values)) << a;
    EXPECT_GT(std::abs(mean(values) - mean_log_one_plus_normal(1.2 * a)), 4 * standard_error(values)) << a;
  }
  EXPECT_NEAR(Sphere(2).mean_log_tube_factor(0.2)->value, -0.042, 0.001);
  EXPECT_EQ(Sphere(2, 2).mean_log_tube_factor(0.4)->value, Sphere(2).mean_log_tube_factor(0.2)->value);
  EXPECT_EQ(Torus(2).mean_log_tube_factor(0.2)->value, Sphere(2).mean_log_tube_factor(0.2)->value);
  EXPECT_EQ(SignCube(3).mean_log_tube_factor(0.2)->value, 0);
  const TubeFactor rotations = *RotationGroup().mean_log_tube_factor(0.2);
  EXPECT_LT(rotations.se, 1e-4);
  // E log det(I + B) with B = ((tr S) I - S)/2: -E tr B^2/2 - E tr B^4/4 = -9/8 sigma^2 - 147/128 sigma^4 -
  // O(sigma^6).
  const TubeFactor thin = *RotationGroup().mean_log_tube_factor(0.1);
  EXPECT_NEAR(thin.value, -9.0 / 8 * 1e-2 - 147.0 / 128 * 1e-4, 1e-5 + 4 * thin.se);
  EXPECT_LT(rotations.value, -9.0 / 8 * 0.04 - 147.0 / 128 * 0.0016 + 4 * rotations.se);
  EXPECT_NEAR(rotations.value, -9.0 / 8 * 0.04 - 147.0 / 128 * 0.0016, 5e-4 + 4 * rotations.se);
  EXPECT_GT(std::abs(thin.value + 9.0 / 8 * 1e-2), 4 * thin.se);  // the first order alone is told apart
  const Product both({std::make_shared<Sphere>(2), std::make_shared<RotationGroup>()});
  EXPECT_NEAR(both.mean_log_tube_factor(0.2)->value, rotations.value + Sphere(2).mean_log_tube_factor(0.2)->value,
              1e-12);
  EXPECT_FALSE(Donut(2, 0.5).mean_log_tube_factor(0.1).has_value());
}

TEST(LikelihoodExplosion, RefusesWhatItCannotUse) {
  const Vector x = Vector::LinSpaced(5, 0, 1);
  EXPECT_THROW((void)likelihood_explosion(x, x, 3, 3), InvalidInput);
  EXPECT_THROW((void)likelihood_explosion(x, x.head(4), 2, 3), InvalidInput);
  EXPECT_THROW((void)likelihood_explosion(x, x, 2, 3, 0), InvalidInput);
  EXPECT_THROW((void)lifted_nll_floor(0, 1, 0, 0), InvalidInput);
  EXPECT_THROW((void)Sphere(2).mean_log_tube_factor(-1), InvalidInput);
  EXPECT_THROW((void)points_off_manifold(Sphere(2), Points::Zero(3, 1), 0, stream), InvalidInput);
  EXPECT_TRUE(points_off_manifold(Sphere(2), Points::Zero(3, 1), 0.1, stream).array().isNaN().all());
}

}  // namespace
}  // namespace onmanifold
