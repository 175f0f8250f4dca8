// SPDX-License-Identifier: Apache-2.0
// The diagnostics as suites ask them: names of their numbers, and answers known in closed form.
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "diagnostics/diagnostic.hpp"
#include "diagnostics/lift_geometry.hpp"
#include "diagnostics/likelihood_explosion.hpp"
#include "manifolds/rotation_group.hpp"
#include "manifolds/sphere.hpp"
#include "manifolds/torus.hpp"
#include "tests/diagnostics/laws.hpp"

namespace onmanifold {
namespace {

using testing::flat_manifold;
using testing::flat_variance;
using testing::NormalLaw;

/// N(0, I_2) on the plane of the first two axes of R^3 with a density model of \p thickness, whose training
/// went as curves() says.
class Fixture final : public GenerativeModel, public Sampler {
 public:
  Fixture(double sigma, double thickness) : thickness_(thickness) {
    input.manifold = &plane_;
    input.lift = {sigma > 0 ? LiftType::normal : LiftType::none, sigma};
    source_ = make_training_source(sample(200, Stream(1, "clean")), plane_, input.lift, Stream(1, "source"));
    input.training = source_.get();
    input.model = this;
    input.sampler = this;
    input.entropy = std::log(2 * std::numbers::pi * std::numbers::e);
  }
  DiagnosticInput input{.lift = {}, .sigma_grid = {0.1, 1}, .stream = Stream(1, "diagnostic")};
  Curves recorded;

  [[nodiscard]] Index dimension() const override { return 3; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override {
    return NormalLaw(flat_variance(2, 3, 1, 0)).sample(n, stream);
  }
  [[nodiscard]] Curves curves() const override { return recorded; }
  [[nodiscard]] std::optional<Vector> log_density(const PointsRef& x) const override {
    return NormalLaw(flat_variance(2, 3, 1, thickness_)).log_density(x, 1, 1e-9);
  }

 private:
  void do_fit(const FitContext& /*context*/) override {}
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override { return Stream(stream).normal(3, n); }
  Affine plane_ = flat_manifold(2, 3);
  double thickness_;
  std::unique_ptr<TrainingSource> source_;
};

Curves ask(const std::string& name, const DiagnosticInput& input) {
  Settings settings(Value(Value::Table{}), "test");
  const std::unique_ptr<Diagnostic> diagnostic = diagnostic_registry().get(name).factory(settings);
  settings.finish();
  return diagnostic->run(input);
}

/// Log thickness from 0 to -4; the shape along M is learned in the first half, worth 3 nats.
Curves contraction(double slope) {
  Vector thickness(41);
  Vector loss(41);
  for (Index i = 0; i < 41; ++i) {
    thickness[i] = -0.1 * static_cast<double>(i);
    loss[i] = -slope * thickness[i] + 0.15 * std::max<double>(0, 20 - static_cast<double>(i));
  }
  return {{"loss", loss}, {"log_thickness", thickness}, {"gradient_norm", loss.array().exp().matrix()}};
}

TEST(CellDiagnostics, LikelihoodAgainstThicknessOverTheThinnerHalf) {
  Fixture bare(0, 0.1);
  bare.recorded = contraction(-1);
  const Curves numbers = ask("likelihood_explosion", bare.input);
  EXPECT_NEAR(numbers.at("slope")[0], -1, 1e-12);
  EXPECT_EQ(numbers.at("expected")[0], -1);
  EXPECT_EQ(numbers.at("records")[0], 20);
  EXPECT_FALSE(numbers.contains("gap_per_dimension"));  // no lift, no floor
  // The whole course would be off, and a likelihood that stopped growing is seen.
  EXPECT_LT(fit_line(bare.recorded.at("log_thickness"), -bare.recorded.at("loss")).slope, -1.5);
  bare.recorded = contraction(0);
  EXPECT_NEAR(ask("likelihood_explosion", bare.input).at("slope")[0], 0, 1e-12);
  bare.recorded.erase("log_thickness");
  EXPECT_THROW((void)ask("likelihood_explosion", bare.input), InvalidInput);
}

TEST(CellDiagnostics, AnExactModelOfLiftedDataHasNoGap) {
  Fixture exact(0.1, 0.1);
  exact.recorded = contraction(-1);
  const Curves numbers = ask("likelihood_explosion", exact.input);
  EXPECT_NEAR(numbers.at("gap_per_dimension")[0], 0, 4 * numbers.at("gap_se")[0]);
  EXPECT_LT(numbers.at("gap_se")[0], 0.01);
  // A model twice as thick: log 2 + (1/4 - 1)/2 nats over three coordinates.
  Fixture thick(0.1, 0.2);
  thick.recorded = contraction(-1);
  const Curves worse = ask("likelihood_explosion", thick.input);
  EXPECT_NEAR(worse.at("gap_per_dimension")[0], (std::log(2) - 0.375) / 3, 4 * worse.at("gap_se")[0]);
  EXPECT_GT(worse.at("gap_per_dimension")[0], 0.1);
}

TEST(CellDiagnostics, TrainingIsItsLastTenth) {
  Fixture fixture(0, 0.1);
  fixture.recorded["loss"] = Vector::LinSpaced(100, 1, 100);
  fixture.recorded["gradient_norm"] = Vector::LinSpaced(100, 1, 100);
  const Curves numbers = ask("training", fixture.input);
  EXPECT_DOUBLE_EQ(numbers.at("final_loss")[0], 95.5);
  EXPECT_DOUBLE_EQ(numbers.at("gradient_norm")[0], 90.5);
  EXPECT_NEAR(numbers.at("gradient_norm_sd")[0], std::sqrt((400 - 1) / 12.0 * 20 / 19), 1e-9);
  fixture.recorded["loss"] = Vector::LinSpaced(3, 1, 3);
  EXPECT_DOUBLE_EQ(ask("training", fixture.input).at("final_loss")[0], 3);
  fixture.recorded.clear();
  EXPECT_THROW((void)ask("training", fixture.input), InvalidInput);
}

TEST(CellDiagnostics, LiftGeometryOfAPlaneReturnsExactly) {
  const Fixture fixture(0, 0.1);
  const Curves numbers = ask("lift_geometry", fixture.input);
  for (const char* name : {"sigma", "rate", "bound", "draws", "exact", "max_jump"}) {
    ASSERT_TRUE(numbers.contains(name)) << name;
    EXPECT_EQ(numbers.at(name).size(), 2) << name;
  }
  EXPECT_EQ(numbers.at("draws")[0], 200);
  EXPECT_EQ(numbers.at("exact").cwiseAbs().maxCoeff(), 0);
  EXPECT_LT(numbers.at("max_jump").maxCoeff(), 1e-14);
}

TEST(CellDiagnostics, ExactRatesOfReturn) {
  const double one = normal_cdf(-2);
  EXPECT_EQ(flat_manifold(2, 5).flip_rate(1), 0);
  EXPECT_DOUBLE_EQ(*Sphere(3).flip_rate(0.5), one);
  EXPECT_DOUBLE_EQ(*Sphere(2, 2).flip_rate(1), one);
  EXPECT_DOUBLE_EQ(*Torus(2).flip_rate(0.5), 1 - (1 - one) * (1 - one));
  EXPECT_FALSE(RotationGroup().flip_rate(0.5).has_value());
  // The largest jump of a sphere is to the antipode; without any flip it is rounding.
  const Sphere sphere(2);
  const auto levels =
      lift_geometry(sphere, sphere.random_points(2000, Stream(1, "points")), Vector{{0.1, 0.7}}, {}, Stream(1, "lift"));
  EXPECT_LT(levels[0].max_jump, 1e-14);
  EXPECT_NEAR(levels[1].max_jump, 2, 1e-6);
}

TEST(CellDiagnostics, EstimatorsOfTheDimensionSideBySide) {
  Fixture fixture(0, 0.1);
  const NormalLaw law(flat_variance(2, 3, 1, 0));
  fixture.input.exact = &law;
  fixture.input.smallest_noise = 0.01;
  Settings settings(Value(Value::Table{{"field", "exact"}, {"levels", 60}}), "test");
  const auto diagnostic = diagnostic_registry().get("intrinsic_dimension").factory(settings);
  const Curves plane = diagnostic->run(fixture.input);
  EXPECT_NEAR(plane.at("flipd")[0], 2, 0.02);
  EXPECT_NEAR(plane.at("normal_bundle_threshold")[0], 2, 1e-12);
  // Tangential curvature of the log-density at ten times the level, and the steps of the flow: below .1.
  EXPECT_NEAR(plane.at("lidl")[0], 2, 0.1);
  EXPECT_EQ(plane.at("flipd_evaluations")[0], 4);
  EXPECT_EQ(plane.at("normal_bundle_evaluations")[0], 12);
  EXPECT_GT(plane.at("lidl_evaluations")[0], 1000);

  const NormalLaw lifted(flat_variance(2, 3, 1, 0.5));
  fixture.input.exact = &lifted;
  EXPECT_NEAR(diagnostic->run(fixture.input).at("lidl")[0], 3, 0.15);  // D below the lift
}

TEST(CellDiagnostics, RefuseWhatTheyCannotAnswer) {
  const Fixture fixture(0, 0.1);
  EXPECT_THROW((void)ask("two_step_bound", fixture.input), InvalidInput);
  EXPECT_THROW((void)ask("score_norm", fixture.input), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
