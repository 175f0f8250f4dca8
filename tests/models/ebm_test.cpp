// SPDX-License-Identifier: Apache-2.0
// Langevin chains against their stationary law in closed form; the energy-based model on normal laws.
#include "models/energy/ebm.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/registry.hpp"
#include "tests/models/model_fixtures.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold {
namespace {

std::unique_ptr<GenerativeModel> make(const Value::Table& table) {
  Settings settings{Value(table), "test"};
  auto model = method_registry().get("ebm").factory(settings);
  settings.finish();
  return model;
}

TEST(Langevin, HasTheVarianceOfALinearRecursion) {
  // E = |x|^2 / 2: x <- (1 - a) x + s xi, whose variance is s^2 / (1 - (1 - a)^2) exactly.
  const auto gradient = [](const Eigen::MatrixXf& x, Eigen::MatrixXf& result) { result = x; };
  const LangevinOptions options{.steps = 60, .noise = 0.5, .step = 0.125, .box = 100};
  Eigen::MatrixXf x = Eigen::MatrixXf::Zero(2, 20000);
  run_langevin(gradient, options, Stream(1, "langevin"), x);
  const double expected = 0.25 / (1 - 0.875 * 0.875) * (1 - std::pow(0.875, 120));
  const double found = x.cast<double>().squaredNorm() / 40000;
  // The variance of 40000 normals: relative deviation sqrt(2 / 40000); alpha = 1e-5.
  EXPECT_LT(std::abs(found / expected - 1), 4.4 * std::sqrt(2 / 40000.0));
  EXPECT_GT(std::abs(found / 1.0 - 1),
            4.4 * std::sqrt(2 / 40000.0));  // not that of e^-E: the step is not small
}

TEST(Langevin, StaysInItsBox) {
  const auto gradient = [](const Eigen::MatrixXf& x, Eigen::MatrixXf& result) { result = -x; };
  Eigen::MatrixXf x = Eigen::MatrixXf::Ones(2, 50);
  run_langevin(gradient, {.steps = 200, .noise = 0.1, .step = 0.1, .box = 3}, Stream(1, "langevin"), x);
  EXPECT_LE(x.cwiseAbs().maxCoeff(), 3.0F);
  EXPECT_EQ(x.cwiseAbs().maxCoeff(), 3.0F);
}

TEST(Ebm, LearnsALiftedNormalLaw) {
  ONMANIFOLD_SKIP_LONG_TRAINING_IF_SANITIZED();
  FitFixture fixture(NormalLaw::in_a_plane(), 5000, 0.3);
  auto model = make({{"steps", 1000}, {"width", 32}, {"batch", 128}, {"learning_rate", 3e-3}, {"sample_steps", 300}});
  model->fit(fixture.context());
  const Points samples = model->sample(2000, Stream(5, "ebm"));
  const Vector mean = samples.rowwise().mean();
  const Points centred = samples.colwise() - mean;
  // A chain's energy follows the data within noise; the floor of a quarter is that of the conformance suite.
  EXPECT_LT((mean - fixture.law().mean()).norm(), 0.2);
  EXPECT_LT((centred * centred.transpose() / 2000.0 - fixture.law().covariance()).norm(), 0.3);
  // Trained to a balance: data and chains have the same mean energy.
  EXPECT_LT(std::abs(model->curves().at("loss").tail(100).mean()), 0.1);

  // Negative control: an untrained energy does not give the law.
  auto untrained = make({{"steps", 1}, {"width", 32}, {"batch", 128}, {"sample_steps", 300}});
  untrained->fit(fixture.context());
  const Points wrong = untrained->sample(2000, Stream(5, "ebm"));
  const Points off = wrong.colwise() - wrong.rowwise().mean();
  EXPECT_GT((off * off.transpose() / 2000.0 - fixture.law().covariance()).norm(), 0.6);
}

}  // namespace
}  // namespace onmanifold
