// SPDX-License-Identifier: Apache-2.0
#include "models/networks/adam.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

TEST(Adam, AgreesWithTheRecursionOnPaper) {
  const AdamOptions options = {.learning_rate = 0.1, .warmup = 2, .steps = 20, .ema = 0.5, .clip = 0};
  Eigen::VectorXf parameters{{1.0F, -2.0F, 0.0F}};
  Adam adam(options, parameters);
  Eigen::VectorXd w = parameters.cast<double>();
  Eigen::VectorXd average = w;
  Eigen::VectorXd m = Eigen::VectorXd::Zero(3);
  Eigen::VectorXd v = m;
  for (int t = 1; t <= 20; ++t) {
    const Eigen::VectorXf gradient = parameters.cwiseProduct(Eigen::VectorXf{{1.0F, 3.0F, 0.0F}});
    EXPECT_NEAR(adam.step(gradient, parameters), gradient.norm(), 1e-6);
    const Eigen::VectorXd g = gradient.cast<double>();
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g.cwiseAbs2();
    const double rate = learning_rate(options, t - 1);
    for (Index i = 0; i < 3; ++i) {
      w[i] -= rate * (m[i] / (1 - std::pow(0.9, t))) / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
    }
    const double decay = std::min(0.5, t / (t + 9.0));
    average = decay * average + (1 - decay) * w;
    // 20 float steps of size 0.1.
    EXPECT_LT((parameters.cast<double>() - w).cwiseAbs().maxCoeff(), 2e-6) << "step " << t;
    EXPECT_LT((adam.average().cast<double>() - average).cwiseAbs().maxCoeff(), 2e-6) << "step " << t;
  }
  EXPECT_EQ(parameters[2], 0.0F) << "a zero gradient must not move a weight";
}

TEST(Adam, ClipsTheGlobalNorm) {
  // Adam is blind to a constant factor; a clipped first step and an unclipped small second one are not
  // proportional.
  const AdamOptions loose = {.learning_rate = 0.1, .warmup = 0, .steps = 10, .clip = 0};
  AdamOptions tight = loose;
  tight.clip = 1;
  Eigen::VectorXf a{{0.0F}};
  Eigen::VectorXf b{{0.0F}};
  Adam first(loose, a);
  Adam second(tight, b);
  EXPECT_EQ(first.step(Eigen::VectorXf{{100.0F}}, a), 100);
  EXPECT_EQ(second.step(Eigen::VectorXf{{100.0F}}, b), 100) << "the norm is that before clipping";
  first.step(Eigen::VectorXf{{-1.0F}}, a);
  second.step(Eigen::VectorXf{{-1.0F}}, b);
  EXPECT_LT(a[0], -0.15F);  // still carried by the 100
  EXPECT_GT(b[0], -0.15F);  // +1 and -1 nearly cancel
}

TEST(LearningRate, WarmsUpAndFallsAsACosine) {
  const AdamOptions options = {.learning_rate = 2, .warmup = 10, .steps = 110};
  EXPECT_DOUBLE_EQ(learning_rate(options, 0), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(options, 9), 2);
  EXPECT_DOUBLE_EQ(learning_rate(options, 10), 2);
  EXPECT_NEAR(learning_rate(options, 60), 1, 1e-12);
  EXPECT_NEAR(learning_rate(options, 110), 0, 1e-12);
}

}  // namespace
}  // namespace onmanifold
