// SPDX-License-Identifier: Apache-2.0
// The classifier of images against a plain one in double, its gradients against finite differences of the
// plain one, and what training makes of images that can and cannot be told apart.
#include "models/networks/lenet.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

constexpr Index side = 8;

/// The network as its header describes it, one image at a time, in double.
struct PlainLenet {
  explicit PlainLenet(const ModelState& state) {
    for (const auto& [name, value] : state) weights[name] = value.cast<double>();
  }
  /// [channel](row, column) of the next layer: padded 5×5 convolution, ReLU, mean of 2×2.
  [[nodiscard]] std::vector<Eigen::MatrixXd> stage(const std::vector<Eigen::MatrixXd>& x,
                                                   const std::string& name) const {
    const Eigen::MatrixXd& w = weights.at(name + "_weight");
    const Eigen::MatrixXd& b = weights.at(name + "_bias");
    const Index n = x[0].rows();
    std::vector<Eigen::MatrixXd> result;
    for (Index out = 0; out < w.rows(); ++out) {
      Eigen::MatrixXd pooled = Eigen::MatrixXd::Zero(n / 2, n / 2);
      for (Index r = 0; r < n; ++r) {
        for (Index c = 0; c < n; ++c) {
          double sum = b(out, 0);
          for (std::size_t in = 0; in < x.size(); ++in) {
            for (Index i = 0; i < 5; ++i) {
              for (Index j = 0; j < 5; ++j) {
                const Index row = r + i - 2;
                const Index column = c + j - 2;
                if (row < 0 || row >= n || column < 0 || column >= n) continue;
                sum += w(out, static_cast<Index>(in) * 25 + 5 * i + j) * x[in](row, column);
              }
            }
          }
          pooled(r / 2, c / 2) += 0.25 * std::max(sum, 0.0);
        }
      }
      result.push_back(pooled);
    }
    return result;
  }
  [[nodiscard]] Vector dense(const Vector& x, const std::string& name) const {
    return weights.at(name + "_weight") * x + weights.at(name + "_bias").col(0);
  }
  [[nodiscard]] Vector features(const Vector& image) const {
    Eigen::MatrixXd x(side, side);
    for (Index i = 0; i < image.size(); ++i) x(i / side, i % side) = image[i];
    const std::vector<Eigen::MatrixXd> last = stage(stage({x}, "conv1"), "conv2");
    Vector flat(static_cast<Index>(last.size()) * last[0].size());
    Index at = 0;
    for (Index r = 0; r < last[0].rows(); ++r) {
      for (Index c = 0; c < last[0].cols(); ++c) {
        for (const Eigen::MatrixXd& channel : last) flat[at++] = channel(r, c);
      }
    }
    return dense(dense(flat, "dense1").cwiseMax(0.0), "dense2").cwiseMax(0.0);
  }
  [[nodiscard]] double loss(const Eigen::MatrixXf& x, const std::vector<std::uint8_t>& labels) const {
    double sum = 0;
    for (Index j = 0; j < x.cols(); ++j) {
      const Vector z = dense(features(x.col(j).cast<double>()), "dense3");
      const double top = z.maxCoeff();
      double total = 0;
      for (Index k = 0; k < z.size(); ++k) total += std::exp(z[k] - top);
      sum += top + std::log(total) - z[labels[static_cast<std::size_t>(j)]];
    }
    return sum / static_cast<double>(x.cols());
  }
  std::map<std::string, Eigen::MatrixXd> weights;
};

struct LenetCase {
  explicit LenetCase(Index n) : x(side * side, n) {
    Stream(3, "images").fill_normal(x);
    for (Index j = 0; j < n; ++j) labels.push_back(static_cast<std::uint8_t>(j % 3));
    // Biases away from 0, which would hide mistakes.
    Eigen::MatrixXf noise(net.buffer_size(), 1);
    Stream(3, "noise").fill_normal(noise);
    parameters = net.from_state(net.to_state(net.initial_parameters(Stream(3, "weights")) + 0.05F * noise.col(0)));
  }
  Lenet net{side, 3};
  Eigen::MatrixXf x;
  std::vector<std::uint8_t> labels;
  Eigen::VectorXf parameters;
};

TEST(Lenet, ForwardAgreesWithThePlainNetwork) {
  const LenetCase example(4);
  Lenet::Workspace workspace = example.net.make_workspace(4, false);
  example.net.load(example.parameters, workspace);
  example.net.forward(example.x, workspace);
  PlainLenet plain(example.net.to_state(example.parameters));
  const auto error = [&] {
    double worst = 0;
    for (Index j = 0; j < 4; ++j) {
      const Vector expected = plain.features(example.x.col(j).cast<double>());
      worst = std::max(worst, (expected - Lenet::features_of(workspace).col(j).cast<double>()).cwiseAbs().maxCoeff());
    }
    return worst;
  };
  // Outputs of order 1 through 4 layers of float sums of at most 200 terms.
  EXPECT_LT(error(), 1e-5);
  // Negative control: one weight of the first layer off by a tenth.
  plain.weights.at("conv1_weight")(2, 7) += 0.1;
  EXPECT_GT(error(), 1e-4);
}

TEST(Lenet, GradientAgreesWithFiniteDifferencesInEveryLayer) {
  const LenetCase example(3);
  Lenet::Workspace workspace = example.net.make_workspace(3, true);
  example.net.load(example.parameters, workspace);
  example.net.forward(example.x, workspace);
  Eigen::VectorXf buffer;
  const double loss = example.net.backward(example.x, example.labels, workspace, buffer);
  PlainLenet plain(example.net.to_state(example.parameters));
  EXPECT_NEAR(loss, plain.loss(example.x, example.labels), 1e-5);
  // Padding has no gradient, or the optimiser would move it.
  EXPECT_EQ(example.net.from_state(example.net.to_state(buffer)), buffer);
  Index checked = 0;
  for (const auto& [name, analytic] : example.net.to_state(buffer)) {
    Eigen::MatrixXd& weight = plain.weights.at(name);
    const double scale = analytic.cwiseAbs().maxCoeff();
    ASSERT_GT(scale, 0) << name;
    Index row = 0;
    Index column = 0;
    analytic.cwiseAbs().maxCoeff(&row, &column);
    for (const auto& [r, c] : {std::pair{row, column}, std::pair{analytic.rows() / 2, analytic.cols() / 2}}) {
      // Central differences in double: a kink of a ReLU within 1e-6 of a pre-activation is unlikely, and the
      // inputs are fixed.
      constexpr double h = 1e-6;
      const double keep = weight(r, c);
      weight(r, c) = keep + h;
      const double up = plain.loss(example.x, example.labels);
      weight(r, c) = keep - h;
      const double down = plain.loss(example.x, example.labels);
      weight(r, c) = keep;
      const double expected = (up - down) / (2 * h);
      EXPECT_NEAR(expected, static_cast<double>(analytic(r, c)), 5e-5 * scale + 1e-7) << name;
      // Negative control: a gradient that is off by one percent is seen.
      if (r == row && c == column) {
        EXPECT_GT(std::abs(expected - 1.01 * static_cast<double>(analytic(r, c))), 5e-3 * scale) << name;
      }
      ++checked;
    }
  }
  EXPECT_EQ(checked, 20);
}

TEST(Lenet, AColumnHasTheSameBitsInEveryCompany) {
  const LenetCase example(150);
  const ModelState state = example.net.to_state(example.parameters);
  const Eigen::MatrixXf all = lenet_features(state, example.x);
  for (const Index j : {Index{0}, Index{63}, Index{64}, Index{101}, Index{149}}) {
    EXPECT_EQ(lenet_features(state, example.x.col(j)), all.col(j)) << j;
  }
  EXPECT_EQ(lenet_features(state, example.x.middleCols(37, 90)), all.middleCols(37, 90));
  // Negative control: not because every column is the same.
  EXPECT_NE(all.col(0), all.col(1));
}

/// Noise with a bright bar whose place is the label.
Eigen::MatrixXf bars(Index n, std::vector<std::uint8_t>& labels, const char* name) {
  Eigen::MatrixXf x(side * side, n);
  Stream(5, name).fill_normal(x);
  labels.clear();
  for (Index j = 0; j < n; ++j) {
    labels.push_back(static_cast<std::uint8_t>(j % 3));
    x.col(j).segment((1 + 2 * (j % 3)) * side, side).array() += 2;
  }
  return x;
}

TEST(LenetTrainingOfBars, LearnsWhatCanBeLearntOnly) {
  std::vector<std::uint8_t> labels;
  const Eigen::MatrixXf images = bars(480, labels, "training");
  std::vector<std::uint8_t> test_labels;
  const Eigen::MatrixXf test = bars(300, test_labels, "test");
  LenetTraining options;
  options.batch = 32;
  const ModelState state = train_lenet(images, labels, 3, options, Stream(1, "lenet"));
  EXPECT_GT(lenet_accuracy(state, test, test_labels), 0.98);
  // The same bits again, others from another stream.
  EXPECT_EQ(state_hash(train_lenet(images, labels, 3, options, Stream(1, "lenet"))), state_hash(state));
  EXPECT_NE(state_hash(train_lenet(images, labels, 3, options, Stream(2, "lenet"))), state_hash(state));
  // Negative control: labels that say nothing about the images give chance, 1/3 ± .027 (one sd).
  std::vector<std::uint8_t> random;
  Stream stream(9, "labels");
  for (std::size_t j = 0; j < labels.size(); ++j) random.push_back(static_cast<std::uint8_t>(stream.integer(3)));
  const ModelState confused = train_lenet(images, random, 3, options, Stream(1, "lenet"));
  EXPECT_LT(lenet_accuracy(confused, test, test_labels), 0.75);
}

TEST(Lenet, BadInputIsRefused) {
  EXPECT_THROW(Lenet(10, 3), InvalidInput);
  EXPECT_THROW(Lenet(8, 1), InvalidInput);
  const LenetCase example(2);
  ModelState state = example.net.to_state(example.parameters);
  EXPECT_EQ(Lenet(state).side(), side);
  EXPECT_EQ(Lenet(state).classes(), 3);
  EXPECT_THROW((void)lenet_features(state, Eigen::MatrixXf::Zero(49, 1)), InvalidInput);
  state["dense2_weight"].resize(84, 119);
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)example.net.from_state(state); }, {"dense2_weight"}));
  state.erase("conv1_bias");
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)example.net.from_state(state); }, {"conv1_bias"}));
  EXPECT_TRUE(throws_message<InvalidInput>(
      [&] {
        (void)train_lenet(example.x, {0, 3}, 3, {}, Stream(1, "x"));
      },
      {"label 3 of 3 classes"}));
  EXPECT_THROW((void)train_lenet(example.x, {0}, 3, {}, Stream(1, "x")), InvalidInput);
}

ImageLayout square(Index width) {
  ImageLayout image{.height = width, .width = width, .pixels = {}};
  image.pixels.resize(static_cast<std::size_t>(width * width));
  std::iota(image.pixels.begin(), image.pixels.end(), Index{0});
  return image;
}

TEST(LenetInput, HasMeanZeroAndPutsDroppedPixelsBack) {
  EXPECT_EQ(lenet_side(square(28)), 28);
  EXPECT_EQ(lenet_side(square(14)), 28);
  EXPECT_EQ(lenet_side(square(7)), 0);
  EXPECT_EQ(lenet_side(square(68)), 0);
  ImageLayout image = square(6);
  Points points = Stream(2, "points").uniform(36, 2);
  for (Index j = 0; j < 2; ++j) points.col(j) *= 50 / points.col(j).sum();
  const Eigen::MatrixXf seen = lenet_input(image, 50, points);
  ASSERT_EQ(seen.rows(), 144);
  // Images of the total they should have have mean 0, whatever the total is.
  EXPECT_NEAR(seen.mean(), 0, 1e-6);
  EXPECT_LT((lenet_input(image, 100, 2 * points) - seen).cwiseAbs().maxCoeff(), 1e-6);
  EXPECT_GT(std::abs(lenet_input(image, 50, 2 * points).mean()), 0.1F);
  // Pixel (4, 2) of the second image four times.
  const float expected = static_cast<float>((points(26, 1) * 36 / 50 - 1) / 2.4);
  for (const Index place : {Index{8 * 12 + 4}, Index{8 * 12 + 5}, Index{9 * 12 + 4}, Index{9 * 12 + 5}}) {
    EXPECT_EQ(seen(place, 1), expected);
  }
  // Without the first row, which is black.
  Points black = points;
  black.topRows(6).setZero();
  ImageLayout dropped = image;
  dropped.pixels.erase(dropped.pixels.begin(), dropped.pixels.begin() + 6);
  const Points kept = black.bottomRows(30);
  EXPECT_EQ(lenet_input(dropped, 50, kept), lenet_input(image, 50, black));
  EXPECT_EQ(full_images(dropped, kept), black);
  EXPECT_NE(lenet_input(dropped, 50, points.bottomRows(30)), seen);
}

TEST(LenetFeatures, AreNamedByTheirWeights) {
  const LenetCase example(1);
  const ModelState state = example.net.to_state(example.parameters);
  const FeatureMap map = make_lenet_features(state, square(8), 50, 0.9);
  EXPECT_EQ(map.name, "lenet5-fc84@sha256:" + state_hash(state));
  EXPECT_EQ(*map.parameters.at("accuracy").get_if<double>(), 0.9);
  EXPECT_EQ(*map.parameters.at("weights_sha256").get_if<std::string>(), state_hash(state));
  const Points points = 50.0 / 64.0 * Stream(2, "points").uniform(64, 3);
  EXPECT_EQ(map.map(points), lenet_features(state, lenet_input(square(8), 50, points)).cast<double>());
  ModelState other = state;
  other["dense1_bias"](5, 0) += 1e-3F;
  EXPECT_NE(make_lenet_features(other, square(8), 50, 0.9).name, map.name);
  EXPECT_THROW((void)make_lenet_features(state, square(12), 50, 0.9), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
