// SPDX-License-Identifier: Apache-2.0
// Networks as score fields: units, levels, and Jacobian products against differences.
#include "models/score_fields.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/registry.hpp"
#include "models/diffusion/mad.hpp"
#include "models/networks/mlp.hpp"
#include "models/networks/time_embedding.hpp"
#include "models/networks/unet.hpp"
#include "models/registry.hpp"

namespace onmanifold {
namespace {

/// A normal law far from the origin, with another scale in each direction.
class NormalSource final : public TrainingSource {
 public:
  NormalSource() : points_(3, 4000) {
    Stream(6, "source").fill_normal(points_);
    points_ = deviation().asDiagonal() * points_;
    points_.colwise() += centre();
  }
  static Vector deviation() { return Vector{{3, 2, 1}}; }
  static Vector centre() { return Vector{{10, -20, 5}}; }
  [[nodiscard]] Index dimension() const override { return 3; }
  [[nodiscard]] Index size() const override { return points_.cols(); }
  [[nodiscard]] const Points& clean_points() const override { return points_; }
  [[nodiscard]] Points epoch(Index) const override { return points_; }

 private:
  Points points_;
};

TEST(ScoreFields, OfTrainedModelsAreTheScoreInTheUnitsOfTheData) {
  const NormalSource source;
  const auto space = make_manifold("sphere:dim=2,radius=1");  // none of these asks for it
  const FitContext context{.training = &source,
                           .manifold = space.get(),
                           .smallest_noise = 0.05,
                           .initialisation = Stream(1, "initialisation"),
                           .training_noise = Stream(1, "noise"),
                           .progress = {}};
  for (const auto& [name, more] :
       {std::pair<std::string, Value::Table>{"ddpm", {{"timesteps", 50}}},
        {"ddpm", {{"timesteps", 50}, {"prediction", "signal"}, {"time_input", "raw"}, {"warmup", 0}}},
        {"flow_matching", {{"ode_steps", 25}}}}) {
    Value::Table table = more;
    table.insert({{"steps", 1500}, {"width", 32}, {"depth", 2}, {"batch", 128}, {"learning_rate", 5e-3}});
    Settings settings{Value(table), "test"};
    const auto model = method_registry().get(name).factory(settings);
    model->fit(context);
    const auto field = model->score_field();
    ASSERT_NE(field, nullptr);
    // -(y - m)/(v + s²) for N(m, diag v): where noise and data are alike, a short training is good to a tenth.
    Index k = 0;
    (field->levels().array() - 2).abs().minCoeff(&k);
    const double s = field->levels()[k];
    Points y = source.clean_points().leftCols(700);  // more than a block
    Points noise(3, 700);
    Stream(2, "noise").fill_normal(noise);
    y += s * noise;
    const Vector total = (NormalSource::deviation().array().square() + s * s).matrix();
    const Points exact = -(total.cwiseInverse().asDiagonal() * (y.colwise() - NormalSource::centre()));
    const double size = exact.norm();
    EXPECT_LT((field->score(y, k) - exact).norm(), 0.2 * size) << name;
    EXPECT_GT((field->score(y, k) - 1.3 * exact).norm(), 0.2 * size) << name;  // units matter by that much
    EXPECT_GT((field->score((y.array() + 2).matrix(), k) - exact).norm(), 0.2 * size) << name;
  }
}

/// Largest relative difference between the field's products and central differences of its score, along unit vectors.
double product_error(const ScoreField& field, Index k, double factor = 1) {
  const Index d = field.dimension();
  constexpr Index n = 5;
  Points y(d, n);
  Stream(3, "y").fill_normal(y);
  const Points vectors = Points::Identity(d, d).replicate(1, n);
  Points score;
  Points products;
  field.products(y, k, vectors, d, score, products);
  EXPECT_LT((score - field.score(y, k)).cwiseAbs().maxCoeff(), 1e-4 * score.cwiseAbs().maxCoeff());
  // Floats lose 1e-6 of the score over the step, curvature takes its square.
  const double h = 0.02 * field.levels()[k];
  Points differences(d, d * n);
  for (Index c = 0; c < n * d; ++c) {
    const Points up = y.col(c / d) + h * vectors.col(c);
    const Points down = y.col(c / d) - h * vectors.col(c);
    differences.col(c) = (field.score(up, k) - field.score(down, k)) / (2 * h);
  }
  return (factor * products - differences).cwiseAbs().maxCoeff() / differences.cwiseAbs().maxCoeff();
}

TEST(ScoreFields, ProductsAgreeWithDifferences) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const DiffusionFrame frame{
      NoiseSchedule::cosine(20, 0.9).with_smallest_level(0.02), {Vector::Constant(3, 0.1), 0.6}, sphere.get(), 0.1};
  const Mlp network({.data = 3, .width = 32, .depth = 2});
  const Eigen::VectorXf parameters = 3 * network.initial_parameters(Stream(1, "weights"));
  const DiffusionObjective plain(frame);
  const SignalPrediction signal(frame, SignalWeight::one);
  const auto mad = make_mad_objective(frame);
  for (const DiffusionObjective* objective :
       std::initializer_list<const DiffusionObjective*>{&plain, &signal, mad.get()}) {
    const auto field = make_diffusion_score_field(network, parameters, *objective, frame);
    ASSERT_EQ(field->levels().size(), 20);
    EXPECT_NEAR(field->levels()[19], 0.6 * 0.02, 1e-12);
    for (const Index k : {Index{0}, Index{10}, Index{19}}) {
      EXPECT_LT(product_error(*field, k), 5e-3) << k;
      EXPECT_GT(product_error(*field, k, 1.05), 2e-2) << k;
    }
  }
  const VelocityGrid grid(10);
  const auto field = make_flow_score_field(network, parameters, grid, frame.standardisation);
  ASSERT_EQ(field->levels().size(), 19);
  EXPECT_NEAR(field->levels()[9], 0.6, 1e-12);  // u = 1/2
  for (const Index k : {Index{0}, Index{9}, Index{18}}) {
    EXPECT_LT(product_error(*field, k), 5e-3) << k;
    EXPECT_GT(product_error(*field, k, 1.05), 2e-2) << k;
  }
}

TEST(ScoreFields, ProbabilityFlowIsTheTransportOfTheFlow) {
  // x' = x + du v against y' = y - s score ds for y = x/u: one curve in two coordinates, equal to first order.
  const Standardisation units{Vector::Constant(3, 0.3), 2.0};
  const Mlp network({.data = 3, .width = 32, .depth = 2});
  const Eigen::VectorXf parameters = network.initial_parameters(Stream(1, "weights"));
  const VelocityGrid grid(1000);
  const auto field = make_flow_score_field(network, parameters, grid, units);
  Points x(3, 4);
  Stream(3, "x").fill_normal(x);
  const Index k = 999;  // u about 1/2
  const Index i = grid.times() - 1 - k;
  const double u = grid.position(i);
  const double next = grid.position(i - 1);
  Eigen::MatrixXf v(3, 4);
  Mlp::Scratch scratch(network, 4);
  network.evaluate(parameters, x.cast<float>(), 4, time_embedding(grid.times()).col(i), scratch, v);
  const Points moved = x + (next - u) * v.cast<double>();
  const Points y = (units.scale / u * x).colwise() + units.mean;
  const double s = field->levels()[k];
  const Points along = y - s * (field->levels()[k + 1] - s) * field->score(y, k);
  const Points expected = (units.scale / next * moved).colwise() + units.mean;
  const double step = (expected - y).cwiseAbs().maxCoeff();
  EXPECT_LT((along - expected).cwiseAbs().maxCoeff(), 5e-3 * step);  // second order in the step of 1/2000
}

TEST(ScoreFields, ClippingPutsEstimatesIntoTheBox) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const DiffusionFrame frame{
      NoiseSchedule::cosine(20, 0.9).with_smallest_level(0.02), {Vector::Constant(3, 0.1), 0.6}, sphere.get()};
  const Mlp network({.data = 3, .width = 32, .depth = 2});
  const Eigen::VectorXf parameters = 3 * network.initial_parameters(Stream(1, "weights"));
  const DiffusionObjective plain(frame);
  const auto make_field = [&] { return make_diffusion_score_field(network, parameters, plain, frame); };
  const auto field = make_field();
  const Index k = 10;
  const double square = field->levels()[k] * field->levels()[k];
  constexpr Index n = 200;
  const Points y = Stream(2, "y").normal(3, n);
  const Points vectors = Stream(3, "v").normal(3, 2 * n);
  Points score;
  Points products;
  field->products(y, k, vectors, 2, score, products);
  const Points estimates = y + square * score;
  const Vector least = Vector::Constant(3, -0.3);
  const Vector largest = Vector::Constant(3, 0.4);
  const auto clipped = make_clipped_score_field(make_field(), least, largest);
  Points clipped_score;
  Points clipped_products;
  clipped->products(y, k, vectors, 2, clipped_score, clipped_products);
  int inside = 0;
  int outside = 0;
  for (Index c = 0; c < n; ++c) {
    for (Index i = 0; i < 3; ++i) {
      const bool cut = estimates(i, c) < least[i] || estimates(i, c) > largest[i];
      ++(cut ? outside : inside);
      const double wanted = std::clamp(estimates(i, c), least[i], largest[i]);
      if (cut) {
        EXPECT_NEAR(y(i, c) + square * clipped_score(i, c), wanted, 1e-13);
      } else {
        EXPECT_EQ(clipped_score(i, c), score(i, c));
      }
      for (Index v = 2 * c; v < 2 * c + 2; ++v) {
        EXPECT_EQ(clipped_products(i, v), cut ? -vectors(i, v) / square : products(i, v));
      }
    }
  }
  EXPECT_GT(inside, 50);
  EXPECT_GT(outside, 50);
  // Value and derivative go through networks of one arithmetic in another order.
  EXPECT_LT((clipped->score(y, k) - clipped_score).cwiseAbs().maxCoeff(), 1e-4 * clipped_score.cwiseAbs().maxCoeff());
  EXPECT_THROW((void)make_clipped_score_field(make_field(), largest, least), InvalidInput);
  EXPECT_THROW((void)make_clipped_score_field(make_field(), Vector::Zero(2), Vector::Ones(2)), InvalidInput);
}

TEST(ScoreFields, ProductsOfAnImageNetworkAgreeWithDifferences) {
  ImageLayout image;
  image.height = 8;
  image.width = 8;
  for (int i = 0; i < 64; ++i) image.pixels.push_back(i);
  const Unet network(image, {16, 16});
  const Eigen::VectorXf parameters = network.initial_parameters(Stream(1, "weights"));
  const auto sphere = make_manifold("sphere:dim=63,radius=1");
  const DiffusionFrame frame{NoiseSchedule::cosine(5, 0.9), {Vector::Zero(64), 1}, sphere.get()};
  const DiffusionObjective plain(frame);
  const auto field = make_diffusion_score_field(network, parameters, plain, frame);
  EXPECT_LT(product_error(*field, 1), 5e-3);
  EXPECT_GT(product_error(*field, 1, 1.05), 2e-2);
}

}  // namespace
}  // namespace onmanifold
