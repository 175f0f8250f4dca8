// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "datasets/laws/finite_law.hpp"
#include "score_checks.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

TEST(TwoPoints, ScoreIsTheClosedForm) {
  // E[x0 | x]_1 = tanh(x_1/s² + log(9)/2) for p = (.1, .9).
  const auto law = default_task("two-points").diffused_score({});
  for (const double s : {0.3, 0.8, 2.0}) {
    const Points x = Stream(1, "two points").normal(2, 50);
    const Points score = law->score(x, 1, s);
    for (Index j = 0; j < x.cols(); ++j) {
      const double mean = std::tanh(x(0, j) / (s * s) + 0.5 * std::log(9.0));
      EXPECT_NEAR(score(0, j), (mean - x(0, j)) / (s * s), 1e-13 / (s * s));
      EXPECT_NEAR(score(1, j), -x(1, j) / (s * s), 1e-13 / (s * s));
    }
  }
  // Remainder beyond the uniform base law at (1, 0).
  const Eigen::Vector2d at(1, 0);
  for (const auto& [s, expected, digits] :
       {std::tuple{2.0, 0.157, 5e-4}, std::tuple{0.8, 0.116, 5e-4}, std::tuple{0.4, 4.1e-5, 5e-7}}) {
    const double base = (std::tanh(1 / (s * s)) - 1) / (s * s);
    EXPECT_NEAR(law->score(at, 1, s)(0, 0) - base, expected, digits) << s;
  }
}

TEST(FiniteTasks, ScoresAreGradientsAndEveryLiftIsIsotropic) {
  for (const char* name : {"finite16", "two-points", "discrete-cube", "discrete-tokens"}) {
    const Task task = default_task(name);
    const Index dimension = task.manifold->ambient_dimension();
    for (const double sigma : {0.05, 0.3, 2.0}) {
      const Points x = 0.9 * task.sampler->sample(20, Stream(2, name)) + sigma * Stream(3, name).normal(dimension, 20);
      EXPECT_LT(testing::gradient_error(*task.diffused_score({}), x, 0.9, sigma), 1e-7) << name << sigma;
      EXPECT_EQ(task.diffused_score({LiftType::normal, 0.2})->score(x, 0.9, sigma),
                task.diffused_score({LiftType::isotropic, 0.2})->score(x, 0.9, sigma));
    }
    EXPECT_TRUE(task.diffused_score({})->score(Points::Zero(dimension, 1), 1, 1e-3).allFinite()) << name;
  }
}

TEST(FiniteTasks, LawsAreFixedAndComplete) {
  const Task sixteen = default_task("finite16");
  EXPECT_EQ(sixteen.masses.size(), 16);
  EXPECT_EQ(sixteen.manifold->spec(), "one_hot:classes=16");
  double entropy = 0;
  for (const double p : sixteen.masses) entropy -= p * std::log(p);
  EXPECT_NEAR(sixteen.entropy, entropy, 1e-14);
  EXPECT_GT(sixteen.masses.maxCoeff() / sixteen.masses.minCoeff(), 3) << "uniform probabilities would show nothing";
  EXPECT_EQ(default_task("discrete-cube").masses.size(), 64);
  const Task tokens = default_task("discrete-tokens");
  EXPECT_EQ(tokens.masses.size(), 256);
  EXPECT_EQ(tokens.manifold->spec(), "product:factors=one_hot:classes=4^4");
  // A Markov chain: the third token given the second does not depend on the first.
  const auto at = [&](Index a, Index b, Index c) {
    double sum = 0;
    for (Index d = 0; d < 4; ++d) sum += tokens.masses[a + 4 * b + 16 * c + 64 * d];
    return sum;
  };
  for (Index b = 0; b < 4; ++b) {
    for (Index c = 1; c < 4; ++c) EXPECT_NEAR(at(0, b, c) / at(0, b, 0), at(3, b, c) / at(3, b, 0), 1e-12);
  }
  const Vector p = draw_probabilities(50, Stream(4, "p"));
  EXPECT_NEAR(p.sum(), 1, 1e-12);
  EXPECT_GE(p.minCoeff(), 1e-6 - 1e-15);
  EXPECT_THROW(FiniteLaw(Points::Identity(2, 2), Vector::Constant(2, 0.4)), InvalidInput);
}

TEST(FiniteTasks, TotalVariationOverAtomsSeesTheLiftErrorOfProjection) {
  // Pi after a normal lift of sigma = .5: the share of wrong signs per coordinate is Phi(-2); over six
  // coordinates 1 - (1 - Phi(-2))^6 of the points move to another corner.
  const Task task = default_task("discrete-cube");
  const Index n = 20000;
  const Points clean = task.sampler->sample(n, Stream(5, "cube"));
  const Points back =
      task.manifold->project(Lift{LiftType::normal, 0.5}.apply(clean, *task.manifold, Stream(6, "cube"))).points;
  const double moved = static_cast<double>(((back - clean).colwise().squaredNorm().array() > 0).count());
  const double rate = 1 - std::pow(1 - normal_cdf(-2), 6);
  EXPECT_NEAR(moved / static_cast<double>(n), rate, 3.3 * std::sqrt(rate * (1 - rate) / static_cast<double>(n)));
}

}  // namespace
}  // namespace onmanifold
