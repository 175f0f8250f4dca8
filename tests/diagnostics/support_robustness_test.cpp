// SPDX-License-Identifier: Apache-2.0
// Displacements by errors of the drift against the closed forms for Gaussians on planes.
#include "diagnostics/support_robustness.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/finite_set.hpp"
#include "manifolds/sphere.hpp"
#include "tests/diagnostics/laws.hpp"

namespace onmanifold {
namespace {

using testing::ChangedField;
using testing::flat_manifold;
using testing::flat_variance;
using testing::NormalLaw;
using testing::UniformSphereLaw;

const Stream stream(1, "support robustness");

/// The law on a plane of R^3, on the levels 10 … .003.
struct Flat {
  explicit Flat(double lift, Index count = 120)
      : law(flat_variance(2, 3, 0.7, lift)), field(make_exact_score_field(law, geometric_levels(10, 0.003, count))) {
    start = law.sample(20, stream.at("base")) + 10 * stream.at("start").normal(3, 20);
  }
  NormalLaw law;
  std::unique_ptr<ScoreField> field;
  Affine manifold = flat_manifold(2, 3);
  Points start;
};

SupportRobustnessOptions constant_along(Index axis) {
  SupportRobustnessOptions options;
  options.kinds = {DriftError::constant};
  options.direction = Vector::Unit(3, axis);
  return options;
}

TEST(SupportRobustness, OfAConstantErrorIsTheClosedForm) {
  for (const double lift : {0.0, 0.1}) {
    const Flat flat(lift);
    const auto across = support_robustness(*flat.field, flat.manifold, flat.start, constant_along(2), stream);
    const auto along = support_robustness(*flat.field, flat.manifold, flat.start, constant_along(0), stream);
    EXPECT_DOUBLE_EQ(across.s_max, 10);
    EXPECT_NEAR(across.s_min, 0.003, 1e-15);
    for (Index i = 0; i < 4; ++i) {
      const double eps = SupportRobustnessOptions{}.sizes[static_cast<std::size_t>(i)];
      const double normal = constant_error_shift(eps, lift, 10, 0.003);
      const double tangential = constant_error_shift(eps, 0.7, 10, 0.003);
      // Every level is less than the one before by the factor 1 + q. Along a bare normal a step of Heun is
      // off by q^2/2 of what the error adds in it, and by the same order elsewhere.
      const double q = flat.field->levels()[0] / flat.field->levels()[1] - 1;
      EXPECT_NEAR(across.shifts[0].normal[i] / normal, 1 - (lift == 0 ? q * q / 2 : 0), lift == 0 ? 1e-5 : q * q / 2);
      EXPECT_NEAR(along.shifts[0].tangential[i] / tangential, 1, q * q / 2);
      EXPECT_LT(across.shifts[0].tangential[i], 1e-9);
      EXPECT_LT(along.shifts[0].normal[i], 1e-9);
    }
    EXPECT_NEAR(across.shifts[0].normal_slope, 1, 1e-6);
    EXPECT_NEAR(along.shifts[0].tangential_slope, 1, 1e-6);
    EXPECT_TRUE(std::isnan(across.ratio));
    EXPECT_EQ(across.shifts[0].failures, 0);

    // A field that contracts a tenth too little lets the error grow.
    const ChangedField weak(*flat.field,
                            [](const PointsRef&, Index, const Points& score) -> Points { return 0.9 * score; });
    const auto broken = support_robustness(weak, flat.manifold, flat.start, constant_along(2), stream);
    EXPECT_GT(std::abs(broken.shifts[0].normal[0] / constant_error_shift(0.01, lift, 10, 0.003) - 1), 0.05);
  }
}

TEST(SupportRobustness, StepsAreOfSecondOrder) {
  const auto error = [](Index count) {
    const Flat flat(0, count);
    const auto along = support_robustness(*flat.field, flat.manifold, flat.start, constant_along(0), stream);
    return std::abs(along.shifts[0].tangential[0] / constant_error_shift(0.01, 0.7, 10, 0.003) - 1);
  };
  // Half the steps: four times the error; a first-order method would give two.
  EXPECT_NEAR(error(31) / error(61), 4, 0.8);
}

TEST(SupportRobustness, SeparatesTangentsFromNormals) {
  const Flat flat(0);
  SupportRobustnessOptions options;
  options.sizes = {0.001, 0.002, 0.005};  // tangential shifts, size × 7, stay short against the waves
  const auto result = support_robustness(*flat.field, flat.manifold, flat.start, options, stream);
  ASSERT_EQ(result.shifts.size(), 4U);
  const DriftErrorShifts& tangent = result.shifts[2];
  const DriftErrorShifts& normal = result.shifts[3];
  EXPECT_EQ(to_string(tangent.kind), "tangent_only");
  EXPECT_LT(tangent.normal.maxCoeff(), 1e-12);
  EXPECT_LT(normal.tangential.maxCoeff(), 1e-12);
  EXPECT_GT(tangent.tangential.minCoeff(), 1e-3);
  EXPECT_GT(normal.normal.minCoeff(), 1e-6);
  EXPECT_NEAR(tangent.tangential_slope, 1, 0.05);
  EXPECT_NEAR(normal.normal_slope, 1, 0.05);
  // Flat data end within their noise: E|n| = s_min sqrt(2/pi), of 20 points.
  EXPECT_NEAR(result.distance / (0.003 * std::sqrt(2 / std::numbers::pi)), 1, 0.6);
}

TEST(SupportRobustness, RatioFallsWithTheNoiseUnlessLifted) {
  const auto ratio = [](double lift, Index last) {
    const Flat flat(lift, 61);
    SupportRobustnessOptions options;
    options.kinds = {DriftError::tangent_only, DriftError::normal_only};
    options.sizes = {0.01};
    options.last_level = last;
    return support_robustness(*flat.field, flat.manifold, flat.start, options, stream).ratio;
  };
  // Level 50 is ten levels, a factor of 3.9, above the last.
  const double bare = ratio(0, 60);
  EXPECT_LT(bare, 0.1);
  EXPECT_NEAR(ratio(0, 50) / bare, std::pow(10 / 0.003, 1.0 / 6), 0.4);
  const double lifted = ratio(0.3, 60);
  EXPECT_GT(lifted, 0.1);
  EXPECT_NEAR(ratio(0.3, 50) / lifted, 1, 0.1);
}

TEST(SupportRobustness, AllWavesTogetherAreOneVector) {
  // Infinite waves: the normal-only error is a constant normal, of size 1 by the scaling.
  const Flat flat(0);
  SupportRobustnessOptions options;
  options.kinds = {DriftError::normal_only, DriftError::tangent_only};
  options.wavelength = std::numeric_limits<double>::infinity();
  const auto result = support_robustness(*flat.field, flat.manifold, flat.start, options, stream);
  EXPECT_NEAR(result.shifts[0].normal[0] / constant_error_shift(0.01, 0, 10, 0.003), 1, 3e-3);
  EXPECT_NEAR(result.shifts[1].tangential[0] / constant_error_shift(0.01, 0.7, 10, 0.003), 1, 3e-3);
}

TEST(SupportRobustness, OnTheSphere) {
  const UniformSphereLaw law;
  const auto field = make_exact_score_field(law, geometric_levels(3, 0.003, 60));
  const Sphere sphere(2);
  const Points start = sphere.random_points(50, stream.at("sphere")) + 3 * stream.at("far").normal(3, 50);
  SupportRobustnessOptions options;
  options.sizes = {0.01, 0.02};
  const auto result = support_robustness(*field, sphere, start, options, stream);
  EXPECT_LT(result.ratio, 0.1);
  EXPECT_NEAR(result.shifts[2].tangential_slope, 1, 0.1);
  EXPECT_EQ(result.shifts[2].failures, 0);
  // A shift along the sphere is none away from it: the offset changes by its own length times the angle
  // squared.
  EXPECT_LT(result.shifts[2].normal[0], 0.05 * result.shifts[2].tangential[0]);
}

TEST(SupportRobustness, OfAConstantErrorOfTheVelocity) {
  // n' = -n/(1 - t) + eps, n(0) = 0, by Runge–Kutta.
  double n = 0;
  const Index steps = 2000;
  const double h = 0.99 / steps;
  for (Index i = 0; i < steps; ++i) {
    const double t = static_cast<double>(i) * h;
    const auto drift = [](double at, double value) { return 0.1 - value / (1 - at); };
    const double a = drift(t, n);
    const double b = drift(t + h / 2, n + h / 2 * a);
    const double c = drift(t + h / 2, n + h / 2 * b);
    const double d = drift(t + h, n + h * c);
    n += h / 6 * (a + 2 * b + 2 * c + d);
  }
  EXPECT_NEAR(constant_velocity_error_shift(0.1, 0.99), n, 1e-9);
  EXPECT_GT(std::abs(0.1 * 0.99 - n), 0.05);
}

TEST(SupportRobustness, RefusesWhatItCannotUse) {
  const Flat flat(0, 5);
  const auto run = [&](const SupportRobustnessOptions& options) {
    (void)support_robustness(*flat.field, flat.manifold, flat.start, options, stream);
  };
  SupportRobustnessOptions options;
  options.sizes = {0.1, 0.01};
  EXPECT_THROW(run(options), InvalidInput);
  options.sizes = {};
  EXPECT_THROW(run(options), InvalidInput);
  options = {};
  options.last_level = 5;
  EXPECT_THROW(run(options), InvalidInput);
  options = {};
  options.direction = Vector::Zero(3);
  EXPECT_THROW(run(options), InvalidInput);
  options = {};
  options.kinds = {};
  EXPECT_THROW(run(options), InvalidInput);
  const SignCube cube(3);
  EXPECT_THROW((void)support_robustness(*flat.field, cube, flat.start, {}, stream), InvalidInput);
  const ChangedField broken(*flat.field, [](const PointsRef&, Index, const Points& score) -> Points {
    return score.array() * std::numeric_limits<double>::quiet_NaN();
  });
  EXPECT_THROW((void)support_robustness(broken, flat.manifold, flat.start, {}, stream), NumericalFailure);
}

}  // namespace
}  // namespace onmanifold
