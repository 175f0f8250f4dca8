// SPDX-License-Identifier: Apache-2.0
// Reference network against finite differences; fast network against the reference network.
#include "models/networks/mlp.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "models/networks/panels.hpp"
#include "models/networks/time_embedding.hpp"
#include "tests/models/reference_mlp.hpp"

namespace onmanifold {
namespace {

struct MlpCase {
  MlpCase(MlpShape shape, Index n)
      : network(shape),
        parameters(network.initial_parameters(Stream(1, "mlp"))),
        x(shape.data, n),
        embeddings(shape.timed ? Mlp::embedding_size : 0, n),
        dy(network.output_size(), n) {
    Stream(1, "x").fill_normal(x);
    Stream(1, "e").fill_normal(embeddings);
    Stream(1, "dy").fill_normal(dy);
  }
  [[nodiscard]] Eigen::MatrixXd input() const {
    Eigen::MatrixXd both(embeddings.rows() + x.rows(), x.cols());
    both << embeddings.cast<double>(), x.cast<double>();
    return both;
  }
  [[nodiscard]] ReferenceMlp reference() const {
    return ReferenceMlp::from(network.to_state(parameters), network.shape().residual);
  }

  Mlp network;
  Eigen::VectorXf parameters;
  Eigen::MatrixXf x;
  Eigen::MatrixXf embeddings;
  Eigen::MatrixXf dy;
};

/// Largest error over layers, relative to the largest entry of that layer's gradient.
double gradient_error(const ReferenceMlp& a, const ReferenceMlp& b) {
  double worst = 0;
  for (std::size_t l = 0; l < a.weight.size(); ++l) {
    worst = std::max(worst, (a.weight[l] - b.weight[l]).cwiseAbs().maxCoeff() / b.weight[l].cwiseAbs().maxCoeff());
    worst = std::max(worst, (a.bias[l] - b.bias[l]).cwiseAbs().maxCoeff() / b.bias[l].cwiseAbs().maxCoeff());
  }
  return worst;
}

class ReferenceMlps : public testing::TestWithParam<MlpShape> {};

TEST_P(ReferenceMlps, GradientAgreesWithFiniteDifferencesInEveryLayer) {
  const MlpCase example(GetParam(), 4);
  ReferenceMlp net = example.reference();
  Eigen::MatrixXd input = example.input();
  const Eigen::MatrixXd dy = example.dy.cast<double>();
  net.forward(input);
  const ReferenceMlp gradient = net.backward(dy);
  const auto loss = [&] { return (net.forward(input).array() * dy.array()).sum(); };
  // Central differences in double: truncation h^2 and round-off 1e-16 / h balance at h = 1e-5, both about
  // 1e-10.
  const double h = 1e-5;
  const auto check = [&](double& value, double expected, std::size_t layer) {
    const double keep = value;
    value = keep + h;
    const double up = loss();
    value = keep - h;
    const double down = loss();
    value = keep;
    EXPECT_NEAR((up - down) / (2 * h), expected, 1e-8) << "layer " << layer;
  };
  for (std::size_t l = 0; l < net.weight.size(); ++l) {
    for (Index i = 0; i < net.weight[l].size(); i += 13) {
      check(net.weight[l].data()[i], gradient.weight[l].data()[i], l);
    }
    for (Index i = 0; i < net.bias[l].size(); i += 3) check(net.bias[l][i], gradient.bias[l][i], l);
  }
  for (Index i = 0; i < input.size(); i += 5) check(input.data()[i], gradient.h.front().data()[i], 99);
}

INSTANTIATE_TEST_SUITE_P(PlainAndResidual, ReferenceMlps,
                         testing::Values(MlpShape{.data = 3, .width = 32, .depth = 2},
                                         MlpShape{.data = 2, .width = 32, .depth = 3, .residual = true}));

class MlpShapes : public testing::TestWithParam<std::pair<MlpShape, Index>> {};

TEST_P(MlpShapes, ForwardAndGradientAgreeWithTheReference) {
  MlpCase example(GetParam().first, GetParam().second);
  ReferenceMlp reference = example.reference();
  Mlp::Tape tape(example.network, example.x.cols() + 5);
  Eigen::MatrixXf y(example.dy.rows(), example.x.cols());
  Eigen::VectorXf gradient = Eigen::VectorXf::Zero(example.network.buffer_size());
  example.network.forward(example.parameters, example.x, example.embeddings, tape, y);
  example.network.backward(example.parameters, example.dy, tape, gradient);
  const Eigen::MatrixXd expected = reference.forward(example.input());
  const ReferenceMlp expected_gradient = reference.backward(example.dy.cast<double>());
  // Float sums of up to 300 terms: 300^(1/2) · 6e-8, times a few layers.
  EXPECT_LT((y.cast<double>() - expected).cwiseAbs().maxCoeff(), 5e-6);
  const auto fast = ReferenceMlp::from(example.network.to_state(gradient));
  EXPECT_LT(gradient_error(fast, expected_gradient), 5e-6);

  // Negative control: a slope that is off by one percent is seen.
  ReferenceMlp broken = fast;
  broken.weight[0] *= 1.01;
  EXPECT_GT(gradient_error(broken, expected_gradient), 5e-3);

  // Negative control: so is a skip connection too many or too few.
  if (GetParam().first.depth > 1) {
    reference.residual = !reference.residual;
    EXPECT_GT((y.cast<double>() - reference.forward(example.input())).cwiseAbs().maxCoeff(), 1e-3);
  }

  // The gradient in x, of which the reference has all rows of the input.
  Eigen::MatrixXf dx(example.x.rows(), example.x.cols());
  example.network.input_gradient(example.parameters, tape, dx);
  const Eigen::MatrixXd expected_dx = expected_gradient.h.front().bottomRows(dx.rows());
  const double size = expected_dx.cwiseAbs().maxCoeff();
  EXPECT_LT((dx.cast<double>() - expected_dx).cwiseAbs().maxCoeff(), 5e-6 * size);
  EXPECT_GT((1.01 * dx.cast<double>() - expected_dx).cwiseAbs().maxCoeff(), 5e-3 * size);

  // The same bits without a tape, where all columns have one embedding.
  const Eigen::MatrixXf same = example.embeddings.leftCols(1).replicate(1, example.x.cols());
  example.network.forward(example.parameters, example.x, same, tape, y);
  Mlp::Scratch scratch(example.network, example.x.cols());
  Eigen::MatrixXf evaluated(example.dy.rows(), example.x.cols());
  example.network.evaluate(example.parameters, example.x, example.x.cols(), example.embeddings.col(0), scratch,
                           evaluated);
  EXPECT_LT((evaluated - y).cwiseAbs().maxCoeff(), 5e-6F);

  // Padding has no gradient, or the optimiser would move it.
  EXPECT_EQ(example.network.from_state(example.network.to_state(gradient)), gradient);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, MlpShapes,
    testing::Values(std::pair<MlpShape, Index>{{3, 128, 3}, 256}, std::pair<MlpShape, Index>{{1, 32, 1}, 1},
                    std::pair<MlpShape, Index>{{37, 64, 2}, 19}, std::pair<MlpShape, Index>{{5, 96, 2}, 33},
                    std::pair<MlpShape, Index>{{2, 64, 2, 7}, 40}, std::pair<MlpShape, Index>{{3, 32, 1, 5, false}, 9},
                    std::pair<MlpShape, Index>{{40, 64, 2, 101, false}, 21},
                    std::pair<MlpShape, Index>{{70, 32, 3}, 13},
                    std::pair<MlpShape, Index>{{3, 64, 4, 0, true, true}, 50},
                    std::pair<MlpShape, Index>{{70, 96, 3, 0, true, true}, 13},
                    std::pair<MlpShape, Index>{{5, 32, 1, 0, true, true}, 8}));

TEST(Mlp, EvaluateAgreesWithTheReferenceAndDependsOnTheColumnOnly) {
  const MlpCase example({.data = 3, .width = 128, .depth = 3}, 300);
  ReferenceMlp reference = example.reference();
  Eigen::MatrixXd input = example.input();
  input.topRows(32) = example.embeddings.col(0).cast<double>().replicate(1, 300);
  const Eigen::MatrixXd expected = reference.forward(input);
  Mlp::Scratch scratch(example.network, 300);
  Eigen::MatrixXf y(3, 300);
  example.network.evaluate(example.parameters, example.x, 300, example.embeddings.col(0), scratch, y);
  EXPECT_LT((y.cast<double>() - expected).cwiseAbs().maxCoeff(), 5e-6);

  Mlp::Scratch small(example.network, 7);
  Eigen::MatrixXf few(3, 7);
  example.network.evaluate(example.parameters, example.x.middleCols(101, 7), 7, example.embeddings.col(0), small, few);
  EXPECT_EQ(few, y.middleCols(101, 7));
}

TEST(Mlp, CountsTheWeightsOfTheDenoiser) {
  const Mlp network({.data = 3, .width = 128, .depth = 3});
  EXPECT_EQ(network.name(), "35-128-128-128-3");
  EXPECT_EQ(network.parameter_count(), 36 * 128 + 2 * 129 * 128 + 129 * 3);
  const Mlp coupling({.data = 2, .width = 64, .depth = 2, .outputs = 23, .timed = false});
  EXPECT_EQ(coupling.name(), "2-64-64-23");
  EXPECT_EQ(coupling.parameter_count(), 3 * 64 + 65 * 64 + 65 * 23);
  EXPECT_EQ(Mlp({.data = 3, .width = 64, .depth = 3, .residual = true}).name(), "35-64+64+64-3");
}

TEST(Mlp, StateRoundTripsAndOtherShapesAreRefused) {
  const Mlp network({.data = 3, .width = 64, .depth = 2});
  const Eigen::VectorXf parameters = network.initial_parameters(Stream(1, "mlp"));
  EXPECT_EQ(network.from_state(network.to_state(parameters)), parameters);
  EXPECT_THROW((void)Mlp({.data = 2, .width = 64, .depth = 2}).from_state(network.to_state(parameters)), InvalidInput);
  EXPECT_THROW((void)Mlp({.data = 3, .width = 100, .depth = 2}), InvalidInput);
  EXPECT_THROW((void)Mlp({.data = 0, .width = 64, .depth = 2}), InvalidInput);
}

TEST(Sigmoid, HasTheStatedAccuracy) {
  double worst = 0;
  double worst_relative = 0;
  std::array<float, panels::lanes> lane{};
  const auto evaluate = [&](float x) {
    lane.fill(x);
    panels::store(lane.data(), panels::sigmoid(panels::load(lane.data())));
    return lane[0];
  };
  for (float x = -100; x <= 100; x += 0.00371F) {
    const double exact = 1 / (1 + std::exp(-static_cast<double>(x)));
    const double error = std::abs(evaluate(x) - exact);
    worst = std::max(worst, error);
    if (x > -16) worst_relative = std::max(worst_relative, error / exact);
  }
  EXPECT_LT(worst, 2e-7);
  EXPECT_LT(worst_relative, 1.5e-6);
  EXPECT_TRUE(std::isnan(evaluate(std::numeric_limits<float>::quiet_NaN())));
  for (const float x : {1e3F, 1e8F, 1e30F, std::numeric_limits<float>::max()}) {
    EXPECT_EQ(evaluate(x), 1.0F) << x;
    EXPECT_LT(std::abs(evaluate(-x)), 1e-37F) << x;
  }
}

TEST(TimeEmbedding, HasKnownValues) {
  const Eigen::MatrixXf table = time_embedding(100);
  ASSERT_EQ(table.rows(), 32);
  ASSERT_EQ(table.cols(), 101);
  EXPECT_EQ(table(0, 0), 0.0F);
  EXPECT_EQ(table(16, 0), 1.0F);
  EXPECT_FLOAT_EQ(table(0, 50), static_cast<float>(std::sin(0.5)));
  EXPECT_FLOAT_EQ(table(31, 50), static_cast<float>(std::cos(500.0)));
}

}  // namespace
}  // namespace onmanifold
