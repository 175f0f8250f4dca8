// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/noise_schedule.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

TEST(NoiseSchedule, HasThePublishedEnds) {
  const NoiseSchedule long_linear = NoiseSchedule::linear(1000);
  EXPECT_NEAR(std::pow(long_linear.signal(1000), 2), 4.0e-5, 0.05e-5);
  EXPECT_NEAR(long_linear.noise(1), 0.01, 1e-9);  // sqrt(beta_1)
  EXPECT_NEAR(std::pow(NoiseSchedule::linear(100).signal(100), 2), 0.364, 0.0005);
  const NoiseSchedule cosine = NoiseSchedule::cosine(100);
  EXPECT_NEAR(cosine.noise(1), 0.025, 0.0005);
  EXPECT_NEAR(cosine.beta(100), 0.999, 1e-9);
  EXPECT_NEAR(NoiseSchedule::cosine(100, 0.9).beta(100), 0.9, 1e-12);
}

TEST(NoiseSchedule, BetasGiveTheLevelsBack) {
  for (const NoiseSchedule& schedule :
       {NoiseSchedule::linear(50), NoiseSchedule::cosine(50), NoiseSchedule::cosine(50).with_smallest_level(0.004)}) {
    double alpha_bar = 1;
    for (Index t = 1; t <= schedule.steps(); ++t) {
      EXPECT_GT(schedule.level(t), schedule.level(t - 1));
      alpha_bar *= 1 - schedule.beta(t);
      EXPECT_NEAR(alpha_bar / std::pow(schedule.signal(t), 2), 1, 1e-9) << t;  // products of 50 numbers near 1
      EXPECT_NEAR(std::pow(schedule.signal(t), 2) + std::pow(schedule.noise(t), 2), 1, 1e-15);
      EXPECT_LE(schedule.posterior_variance(t), schedule.beta(t));
    }
    EXPECT_EQ(schedule.posterior_variance(1), 0);
  }
}

TEST(NoiseSchedule, SmallestLevelMovesTheBottomOnly) {
  const NoiseSchedule published = NoiseSchedule::cosine(100);
  const NoiseSchedule cut = published.with_smallest_level(0.01);
  EXPECT_DOUBLE_EQ(cut.level(1), 0.01);
  EXPECT_NEAR(cut.level(100) / published.level(100), 1, 1e-12);
  EXPECT_EQ(cut.steps(), 100);
  // Log levels are an affine image: ratios of their differences stay.
  const auto gap = [](const NoiseSchedule& s, Index t) { return std::log(s.level(t + 1) / s.level(t)); };
  EXPECT_NEAR(gap(cut, 3) / gap(cut, 40), gap(published, 3) / gap(published, 40), 1e-10);
  EXPECT_THROW((void)published.with_smallest_level(0), InvalidInput);
  EXPECT_THROW((void)published.with_smallest_level(1e9), InvalidInput);
}

TEST(DiffusionSettings, HonourTheTask) {
  const DiffusionSettings settings;
  EXPECT_DOUBLE_EQ(settings.make_schedule(0.01).level(1), 0.01);
  EXPECT_EQ(settings.make_schedule(0).level(1), NoiseSchedule::cosine(100, 0.9).level(1));
  Settings table(Value(Value::Table{{"schedule", "linear"}, {"smallest_noise", "schedule"}}), "test");
  const DiffusionSettings linear = DiffusionSettings::read(table);
  table.finish();
  EXPECT_EQ(linear.timesteps, 1000);
  EXPECT_EQ(linear.make_schedule(0.5).level(1), NoiseSchedule::linear(1000).level(1));
  for (const char* schedule : {"cosine", "linear", "geometric"}) {
    Settings own(Value(Value::Table{{"schedule", schedule}, {"smallest_noise", "0.001"}}), "test");
    EXPECT_DOUBLE_EQ(DiffusionSettings::read(own).make_schedule(0.5).level(1), 0.001) << schedule;
  }
  for (const char* wrong : {"tasks", "0", "-1", "2", "0.01x", ""}) {
    Settings bad(Value(Value::Table{{"smallest_noise", wrong}}), "test");
    EXPECT_THROW((void)DiffusionSettings::read(bad), InvalidInput) << wrong;
  }
}

}  // namespace
}  // namespace onmanifold
