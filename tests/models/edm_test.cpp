// SPDX-License-Identifier: Apache-2.0
// The preconditioned denoiser and its sampler where the exact answer is known.
#include "models/diffusion/edm.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "models/networks/mlp.hpp"
#include "models/registry.hpp"
#include "tests/models/make_method.hpp"
#include "tests/models/model_fixtures.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold {
namespace {

DiffusionFrame frame_with(const NoiseSchedule& schedule) {
  return {schedule, {Vector::Zero(3), 1}, nullptr};
}

/// Levels of the defaults for a task whose smallest is .01.
NoiseSchedule usual_levels() {
  return NoiseSchedule::geometric(400, 0.01, 80);
}

TEST(Edm, AnswersAreThePublishedDenoiser) {
  const DiffusionFrame frame = frame_with(usual_levels());
  const auto objective = make_edm_objective(frame, {});
  const Points x = Stream(1, "x").normal(3, 6);
  const Points f = Stream(2, "f").normal(3, 6);
  for (const Index t : {1, 150, 400}) {
    const double s = frame.schedule.level(t);
    const double a = frame.schedule.signal(t);
    Points epsilon = f;
    objective->to_epsilon(x, t, epsilon);
    const Points y = x / a;
    const Points denoised = y / (1 + s * s) + s / std::sqrt(1 + s * s) * f;  // c_skip y + c_out F
    // D = y - s epsilon; y is up to 80 times larger than D.
    EXPECT_LT((y - s * epsilon - denoised).cwiseAbs().maxCoeff(), 1e-12 * y.cwiseAbs().maxCoeff()) << t;
    EXPECT_GT((y - s * epsilon - 1.001 * denoised).cwiseAbs().maxCoeff(), 1e-12 * y.cwiseAbs().maxCoeff()) << t;
  }
}

TEST(Edm, LossIsTheWeightedOneOfTheDenoiserAndItsGradientThatOfDifferences) {
  const DiffusionFrame frame = frame_with(usual_levels());
  const auto objective = make_edm_objective(frame, {});
  constexpr Index n = 7;
  DiffusionBatch batch(3, n);
  batch.clean = Stream(1, "clean").normal(3, n).cast<float>();
  batch.noise = Stream(2, "noise").normal(3, n).cast<float>();
  for (Index i = 0; i < n; ++i) batch.times[static_cast<std::size_t>(i)] = 1 + 66 * i;
  objective->corrupt(batch, Stream(3, "draws"));
  Eigen::MatrixXf f = Stream(4, "f").normal(3, n).cast<float>();
  Eigen::MatrixXf gradient(3, n);
  const double loss = objective->loss(batch, f, gradient);

  double expected = 0;  // lambda (D - x_0)^2, lambda = 1/c_out^2
  for (Index i = 0; i < n; ++i) {
    const double s = frame.schedule.level(batch.times[static_cast<std::size_t>(i)]);
    const Vector y = batch.clean.col(i).cast<double>() + s * batch.noise.col(i).cast<double>();
    const Vector denoised = y / (1 + s * s) + s / std::sqrt(1 + s * s) * f.col(i).cast<double>();
    expected += (denoised - batch.clean.col(i).cast<double>()).squaredNorm() * (1 + s * s) / (s * s);
  }
  expected /= 3 * n;
  EXPECT_NEAR(loss, expected, 1e-5 * expected);  // sums of floats

  Eigen::MatrixXf unused(3, n);
  for (Index k = 0; k < f.size(); ++k) {
    const float keep = f(k);
    constexpr float h = 1.0F / 64;  // exact for a square but for rounding: 1e-7/h
    f(k) = keep + h;
    const double up = objective->loss(batch, f, unused);
    f(k) = keep - h;
    const double down = objective->loss(batch, f, unused);
    f(k) = keep;
    EXPECT_NEAR((up - down) / (2 * h), gradient(k), 5e-5);
  }
  EXPECT_GT(gradient.cwiseAbs().maxCoeff(), 0.05F);
}

TEST(Edm, TrainingLevelsAreLogNormal) {
  const NoiseSchedule schedule = usual_levels();
  const EdmLevels levels{.mean = -0.5, .deviation = 1.2};
  const std::vector<double> chances = level_chances(schedule, levels);
  EXPECT_NEAR(std::accumulate(chances.begin(), chances.end(), 0.0), 1, 1e-12);
  double mean = 0;
  double square = 0;
  for (Index t = 1; t <= 400; ++t) {
    const double log_level = std::log(schedule.level(t));
    mean += chances[static_cast<std::size_t>(t) - 1] * log_level;
    square += chances[static_cast<std::size_t>(t) - 1] * log_level * log_level;
  }
  // Cut at 3.4 and 4.1 deviations: 3e-4 of the mass, and cells of .022.
  EXPECT_NEAR(mean, -0.5, 5e-3);
  EXPECT_NEAR(std::sqrt(square - mean * mean), 1.2, 1e-2);

  // time_of is the inverse of the sums.
  const DiffusionFrame frame = frame_with(schedule);
  const auto objective = make_edm_objective(frame, levels);
  double below = 0;
  for (Index t = 1; t <= 400; ++t) {
    const double chance = chances[static_cast<std::size_t>(t) - 1];
    EXPECT_EQ(objective->time_of(below + 0.5 * chance), t);
    below += chance;
  }
  EXPECT_EQ(objective->time_of(0), 1);
  EXPECT_EQ(objective->time_of(std::nextafter(1.0, 0.0)), 400);
  EXPECT_THROW((void)level_chances(schedule, {.mean = 20, .deviation = 0.1}), InvalidInput);
}

TEST(KarrasTimes, AreNearestToEvenSeventhRoots) {
  const NoiseSchedule schedule = usual_levels();
  const std::vector<Index> times = karras_times(schedule, 18);
  ASSERT_EQ(times.size(), 19U);
  EXPECT_EQ(times.front(), 400);
  EXPECT_EQ(times[17], 1);
  EXPECT_EQ(times.back(), 0);
  for (int i = 0; i < 18; ++i) {
    const double wanted =
        std::pow(std::pow(80, 1 / 7.0) + i / 17.0 * (std::pow(0.01, 1 / 7.0) - std::pow(80, 1 / 7.0)), 7);
    // Half a cell of log 8000/399.
    EXPECT_LT(std::abs(std::log(schedule.level(times[static_cast<std::size_t>(i)]) / wanted)), 0.0113) << i;
  }
  // As many as there are, at most.
  EXPECT_THAT(karras_times(NoiseSchedule::geometric(4, 0.01, 80), 30), testing::ElementsAre(4, 3, 2, 1, 0));
  EXPECT_THAT(karras_times(NoiseSchedule::geometric(4, 0.01, 80), 0), testing::ElementsAre(4, 3, 2, 1, 0));
  EXPECT_THAT(karras_times(schedule, 1), testing::ElementsAre(400, 0));
  const std::vector<Index> crowded = karras_times(NoiseSchedule::geometric(40, 0.01, 80), 39);
  EXPECT_TRUE(std::is_sorted(crowded.rbegin(), crowded.rend()));
  EXPECT_EQ(std::adjacent_find(crowded.begin(), crowded.end()), crowded.end());
  EXPECT_LE(crowded.size(), 40U);
}

/// Notes the times of a batch.
class TimesOf final : public NoisePrediction {
 public:
  TimesOf(const NoiseSchedule& schedule, bool stratified) : NoisePrediction(schedule), stratified_(stratified) {}
  [[nodiscard]] bool stratified_times() const override { return stratified_; }
  void corrupt(DiffusionBatch& batch, const Stream& draws) const override {
    times = batch.times;
    NoisePrediction::corrupt(batch, draws);
  }
  mutable std::vector<Index> times;

 private:
  bool stratified_;
};

TEST(StratifiedTimes, AreOneOfEachInterval) {
  const NoiseSchedule schedule = NoiseSchedule::cosine(64);
  FitFixture fixture(NormalLaw::in_a_plane(), 100);
  const Mlp network({.width = 32, .depth = 1});
  for (const bool stratified : {true, false}) {
    const TimesOf objective(schedule, stratified);
    const FitContext context = fixture.context();
    BatchReader reader(*context.training, standardisation(*context.training));
    DenoiserTrainer trainer(network, objective, {}, 32, context.initialisation, context.training_noise);
    std::vector<Index> first;
    for (int step = 0; step < 3; ++step) {
      trainer.step(reader);
      Index kept = 0;  // times that lie in their column's interval, of two times each
      for (Index i = 0; i < 32; ++i) kept += (objective.times[static_cast<std::size_t>(i)] - 1) / 2 == i ? 1 : 0;
      if (stratified) {
        EXPECT_EQ(kept, 32);
      } else {
        EXPECT_LT(kept, 8);  // one is expected
      }
      EXPECT_NE(objective.times, first);
      first = objective.times;
    }
  }
  EXPECT_TRUE(make_edm_objective(frame_with(schedule), {})->stratified_times());
  EXPECT_FALSE(DiffusionObjective(frame_with(schedule)).stratified_times());
}

TEST(Sde, IsExactForOnePointAtEveryLevel) {
  const NoiseSchedule schedule = usual_levels();
  const Vector point{{0.3, -0.2, 1.5}};
  const BlockDenoiser exact = [&](const Points& x, Index t, Points& epsilon) {
    epsilon = (x.colwise() - schedule.signal(t) * point) / schedule.noise(t);
  };
  constexpr Index n = 20000;
  for (const Index steps : {4, 20}) {
    const SamplerOptions options{.rule = SamplerRule::sde, .steps = steps, .grid = LevelGrid::karras};
    const Index last = karras_times(schedule, steps)[static_cast<std::size_t>(steps) - 2];
    const Points x = sample_diffusion(schedule, options, exact, 3, n, Stream(4, "sde"), last);
    const Points z = (x.colwise() - schedule.signal(last) * point) / schedule.noise(last);
    // 4.5 standard errors, six comparisons of each: alpha = 8e-5.
    for (Index i = 0; i < 3; ++i) {
      EXPECT_NEAR(z.row(i).mean(), 0, 4.5 / std::sqrt(static_cast<double>(n))) << steps;
      EXPECT_NEAR(std::sqrt(z.row(i).squaredNorm() / n), 1, 4.5 / std::sqrt(2.0 * n)) << steps;
    }
    // Ancestral steps with the noise beta_t are too wide where levels are few (negative control).
    const SamplerOptions wide{
        .rule = SamplerRule::ancestral, .variance = StepVariance::beta, .steps = steps, .grid = LevelGrid::karras};
    const Points y = sample_diffusion(schedule, wide, exact, 3, n, Stream(4, "sde"), last);
    EXPECT_GT((y.row(0).array() - schedule.signal(last) * point[0]).matrix().squaredNorm(),
              1.1 * n * std::pow(schedule.noise(last), 2));
  }
}

TEST(Dpm, IsOfSecondOrderAndGivesTheNormalLaw) {
  const auto error = [](SamplerRule rule, Index steps) {
    // As in SamplerRules.HeunIsOfSecondOrder. The first step is of first order, but one of many.
    const NoiseSchedule schedule = NoiseSchedule::geometric(steps, 1e-4, 1e4);
    return std::abs(sampled_deviation(schedule, {.rule = rule}, 0.5) / 0.5 - 1);
  };
  EXPECT_NEAR(std::log2(error(SamplerRule::dpm, 200) / error(SamplerRule::dpm, 400)), 2, 0.25);
  EXPECT_NEAR(std::log2(error(SamplerRule::sde, 200) / error(SamplerRule::sde, 400)), 2, 0.25);

  // The usual sampler with the exact denoiser of normal data: variances 1, .09 and a direction of deviation .01.
  const NoiseSchedule schedule = usual_levels();
  const SamplerOptions ode{.rule = SamplerRule::dpm, .steps = 40, .grid = LevelGrid::karras};
  const SamplerOptions usual{.rule = SamplerRule::sde, .steps = 64, .grid = LevelGrid::karras};
  const SamplerOptions heun{.rule = SamplerRule::heun, .steps = 18, .grid = LevelGrid::karras};
  const Vector deviation{{1.0, 0.3, 0.01}};
  Index calls = 0;
  const BlockDenoiser exact = [&](const Points& x, Index t, Points& epsilon) {
    const double a = schedule.signal(t);
    const double s = schedule.noise(t);
    epsilon = (s / ((a * deviation).array().square() + s * s)).matrix().asDiagonal() * x;
    ++calls;
  };
  constexpr Index n = 60000;
  constexpr Index blocks = (n + sampling_block - 1) / sampling_block;
  for (const SamplerOptions& options : {usual, ode, heun}) {
    calls = 0;
    const Points samples = sample_diffusion(schedule, options, exact, 3, n, Stream(3, "dpm"));
    EXPECT_LE(calls / blocks, 64);
    for (Index i = 0; i < 3; ++i) {
      // 4.5 relative standard errors, nine comparisons: alpha = 6e-5.
      const double expected = sampled_deviation(schedule, options, deviation[i]);
      EXPECT_NEAR(std::sqrt(samples.row(i).squaredNorm() / n) / expected, 1, 4.5 / std::sqrt(2.0 * n))
          << name_of(options.rule);
    }
  }
  // What 40 evaluations leave of the deviations, where the data are wider than the noise: a percent. Heun has half the
  // levels for as many evaluations, and the first-order rule is off by more (negative control).
  const SamplerOptions euler{.rule = SamplerRule::ddim, .steps = 40, .grid = LevelGrid::karras};
  for (const double v : {1.0, 0.3, 0.1}) {
    EXPECT_LT(std::abs(sampled_deviation(schedule, usual, v) / v - 1), 0.01) << v;
    EXPECT_LT(std::abs(sampled_deviation(schedule, ode, v) / v - 1), 0.01) << v;
    EXPECT_LT(std::abs(sampled_deviation(schedule, heun, v) / v - 1), 0.08) << v;
    EXPECT_GT(std::abs(sampled_deviation(schedule, euler, v) / v - 1), 0.05) << v;
  }
}

TEST(Edm, LearnsNormalDataWithAndWithoutALift) {
  ONMANIFOLD_SKIP_LONG_TRAINING_IF_SANITIZED();
  for (const double lift : {0.0, 0.2}) {
    FitFixture fixture(NormalLaw::in_a_plane(), 20000, lift);
    auto model = make("edm", {{"steps", 1200}, {"width", 64}, {"depth", 2}});
    model->fit(fixture.context());
    const Points samples = model->sample(4000, Stream(5, "edm"));
    const Vector mean = samples.rowwise().mean();
    const Points centred = samples.colwise() - mean;
    const Eigen::MatrixXd covariance = centred * centred.transpose() / 4000.0;
    // Learning error of a short training: a tenth of the largest variance (1).
    EXPECT_LT((mean - fixture.law().mean()).norm(), 0.1) << lift;
    EXPECT_LT((covariance - fixture.law().covariance()).norm(), 0.12) << lift;
    // Without a lift samples lie on the plane but for the errors of the network.
    const double thickness = std::sqrt(fixture.law().normal().dot(covariance * fixture.law().normal()));
    EXPECT_NEAR(thickness, lift, 0.04) << lift;

    // The score of the noised law, at the level next to .5 of the data's unit.
    const auto field = model->score_field();
    Index k = 0;
    (field->levels().array() - 0.5).abs().minCoeff(&k);
    const double s = field->levels()[k];
    Points y = fixture.law().sample(1000, Stream(6, "y"));
    y += lift * fixture.law().normal() * Stream(6, "lift").normal(1, 1000) + s * Stream(6, "noise").normal(3, 1000);
    const Points exact = fixture.law().score(y, 1, s);
    EXPECT_LT((field->score(y, k) - exact).norm(), 0.12 * exact.norm()) << lift;
    EXPECT_GT((field->score(y, k) - 1.2 * exact).norm(), 0.12 * exact.norm()) << lift;
  }
}

TEST(Edm, SamplerTakesNoMoreLevelsThanThereAre) {
  FitFixture fixture(NormalLaw::in_a_plane(), 100);
  auto model = make("edm", {{"steps", 3}, {"width", 32}, {"depth", 1}, {"timesteps", 10}});
  model->fit(fixture.context());
  EXPECT_EQ(model->sample(5, Stream(1, "s")).cols(), 5);
  EXPECT_THROW(make("ddpm", {{"timesteps", 10}, {"sampler_steps", 11}}),
               InvalidInput);                                     // the even grid has its own rule
  EXPECT_THROW(make("edm", {{"preset", "2025"}}), InvalidInput);  // there was none
}

}  // namespace
}  // namespace onmanifold
