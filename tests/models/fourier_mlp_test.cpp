// SPDX-License-Identifier: Apache-2.0
// The network with Fourier features against its definition and against differences.
#include "models/networks/fourier_mlp.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "models/networks/input_tangents.hpp"

namespace onmanifold {
namespace {

struct Case {
  explicit Case(Index dimension, Index columns, double scale = 2)
      : network({.data = dimension, .width = 32, .depth = 2}, 64, scale),
        parameters(network.initial_parameters(Stream(1, "weights"))),
        x(Stream(2, "x").normal(dimension, columns).cast<float>()),
        embeddings(Stream(3, "embeddings").normal(Network::embedding_size, columns).cast<float>()),
        dy(Stream(4, "dy").normal(dimension, columns).cast<float>()) {}

  [[nodiscard]] Eigen::MatrixXf forward(const Eigen::VectorXf& weights, const Eigen::MatrixXf& at) const {
    const auto tape = network.make_tape(at.cols());
    Eigen::MatrixXf y(at.rows(), at.cols());
    network.forward(weights, at, embeddings.leftCols(at.cols()), *tape, y);
    return y;
  }
  /// <dy, y>, whose gradients backward() gives.
  [[nodiscard]] double value(const Eigen::VectorXf& weights, const Eigen::MatrixXf& at) const {
    return forward(weights, at).cast<double>().cwiseProduct(dy.cast<double>()).sum();
  }

  FourierMlp network;
  Eigen::VectorXf parameters;
  Eigen::MatrixXf x, embeddings, dy;
};

TEST(FourierMlp, IsTheMlpOfItsFeatures) {
  const Case c(3, 9);
  const ModelState state = c.network.to_state(c.parameters);
  const Eigen::MatrixXd b = state.at("frequencies").cast<double>();
  ASSERT_EQ(b.rows(), 32);
  ASSERT_EQ(b.cols(), 3);
  const Eigen::MatrixXd phase = b * c.x.cast<double>();
  Eigen::MatrixXf input(67, 9);
  input << c.x, phase.array().sin().matrix().cast<float>(), phase.array().cos().matrix().cast<float>();
  const Mlp& inner = c.network.inner();
  Mlp::Tape tape(inner, 9);
  Eigen::MatrixXf expected(3, 9);
  inner.forward(c.network.inner_parameters(c.parameters), input, c.embeddings, tape, expected);
  const Eigen::MatrixXf y = c.forward(c.parameters, c.x);
  // Phases of a few radians in float: 1e-6, seen through weights below 1.
  EXPECT_LT((y - expected).cwiseAbs().maxCoeff(), 1e-5F);
  input.bottomRows(32).setZero();  // negative control: cosines matter
  inner.forward(c.network.inner_parameters(c.parameters), input, c.embeddings, tape, expected);
  EXPECT_GT((y - expected).cwiseAbs().maxCoeff(), 1e-2F);
  EXPECT_EQ(c.network.name(), "fourier64:99-32-32-3");
  EXPECT_EQ(c.network.parameter_count(), inner.parameter_count());
}

TEST(FourierMlp, PhasesHaveTheStatedDeviationInAnyDimension) {
  for (const Index dimension : {2, 40}) {
    const FourierMlp network({.data = dimension, .width = 32, .depth = 1}, 4096, 3);
    const Eigen::MatrixXd b =
        network.to_state(network.initial_parameters(Stream(1, "b"))).at("frequencies").cast<double>();
    const Eigen::MatrixXd phase = b * Stream(2, "x").normal(dimension, 500);
    // |x|^2/D has a relative deviation of sqrt(2/(500 D)) = .045 at most; three of them.
    EXPECT_NEAR(std::sqrt(phase.squaredNorm() / static_cast<double>(phase.size())), 3, 0.2);
  }
}

TEST(FourierMlp, GradientsAgreeWithDifferences) {
  Case c(3, 11);
  const auto tape = c.network.make_tape(11);
  tape->keep_input_gradient = true;
  Eigen::MatrixXf y(3, 11);
  c.network.forward(c.parameters, c.x, c.embeddings, *tape, y);
  Eigen::VectorXf gradient(c.network.buffer_size());
  c.network.backward(c.parameters, c.dy, *tape, gradient);
  Eigen::MatrixXf dx(3, 11);
  c.network.input_gradient(c.parameters, *tape, dx);

  // Along random directions, where single precision leaves 1e-6/h of the value and curvature h^2.
  const auto error = [](double slope, double expected) { return std::abs(slope / expected - 1); };
  const Eigen::VectorXf along = Stream(5, "along").normal(c.parameters.size(), 1).cast<float>();
  // Frequencies are no weights: the gradient along them is 0 by definition.
  Eigen::VectorXf weights = along;
  weights.tail(32 * 3).setZero();
  EXPECT_EQ(gradient.tail(32 * 3).cwiseAbs().maxCoeff(), 0);
  // Only real weights are moved: padding would not stay 0.
  weights = c.network.from_state(c.network.to_state(weights));
  weights.tail(32 * 3).setZero();
  const float h = 1e-3F;
  const double slope = (c.value(c.parameters + h * weights, c.x) - c.value(c.parameters - h * weights, c.x)) / (2e-3);
  const double expected = gradient.cast<double>().dot(weights.cast<double>());
  EXPECT_LT(error(slope, expected), 5e-3);
  EXPECT_GT(error(slope, 1.05 * expected), 2e-2);

  const Eigen::MatrixXf v = Stream(6, "v").normal(3, 11).cast<float>();
  const double input_slope = (c.value(c.parameters, c.x + h * v) - c.value(c.parameters, c.x - h * v)) / (2e-3);
  const double input_expected = dx.cast<double>().cwiseProduct(v.cast<double>()).sum();
  EXPECT_GT(std::min(std::abs(expected), std::abs(input_expected)), 0.1);  // relative to something
  EXPECT_LT(error(input_slope, input_expected), 5e-3);
  EXPECT_GT(error(input_slope, 1.05 * input_expected), 2e-2);
}

TEST(FourierMlp, EvaluatesColumnsOnTheirOwnAndHasTangents) {
  const Case c(3, 40);
  const Eigen::VectorXf embedding = c.embeddings.col(0);
  const auto evaluate = [&](const Eigen::MatrixXf& x) {
    const auto scratch = c.network.make_scratch(x.cols());
    Eigen::MatrixXf y(3, x.cols());
    c.network.evaluate(c.parameters, x, x.cols(), embedding, *scratch, y);
    return y;
  };
  const Eigen::MatrixXf y = evaluate(c.x);
  EXPECT_EQ(evaluate(c.x.middleCols(13, 7)), y.middleCols(13, 7));

  const InputTangents tangents(c.network, c.parameters);
  EXPECT_TRUE(InputTangents::has(c.network));
  const Eigen::MatrixXf vectors = Stream(7, "vectors").normal(3, 80).cast<float>();
  Eigen::MatrixXf value;
  Eigen::MatrixXf products;
  tangents.evaluate(c.x, embedding, vectors, 2, value, products);
  EXPECT_LT((value - y).cwiseAbs().maxCoeff(), 1e-5F);
  double worst = 0;
  double wrong = 0;
  for (Index k = 0; k < 2; ++k) {
    Eigen::MatrixXf v(3, 40);
    Eigen::MatrixXf expected(3, 40);
    for (Index j = 0; j < 40; ++j) {
      v.col(j) = vectors.col(2 * j + k);
      expected.col(j) = products.col(2 * j + k);
    }
    const Eigen::MatrixXf slope = (evaluate(c.x + 1e-2F * v) - evaluate(c.x - 1e-2F * v)) / 2e-2F;
    worst = std::max(worst, static_cast<double>((slope - expected).norm() / expected.norm()));
    wrong = std::max(wrong, static_cast<double>((slope - 1.05F * expected).norm() / expected.norm()));
  }
  EXPECT_LT(worst, 5e-3);  // curvature: (.01 · phases' slope)^2
  EXPECT_GT(wrong, 2e-2);
}

TEST(FourierMlp, StateRoundTripsAndImpossibleSizesAreRefused) {
  const Case c(3, 4);
  EXPECT_EQ(c.network.from_state(c.network.to_state(c.parameters)), c.parameters);
  ModelState other = c.network.to_state(c.parameters);
  other.erase("frequencies");
  EXPECT_THROW((void)c.network.from_state(other), InvalidInput);
  EXPECT_THROW((void)FourierMlp({.data = 3}, 16, 1), InvalidInput);
  EXPECT_THROW((void)FourierMlp({.data = 3}, 0, 1), InvalidInput);
  EXPECT_THROW((void)FourierMlp({.data = 3}, 32, 0), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
