// SPDX-License-Identifier: Apache-2.0
// Sampler and training where the exact answer is known: normal data, plain and lifted.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/diffusion/diffusion_sampler.hpp"
#include "models/registry.hpp"
#include "tests/models/make_method.hpp"
#include "tests/models/model_fixtures.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold {
namespace {

const SamplerOptions posterior_variance{.variance = StepVariance::posterior};

TEST(SampledDeviation, IsExactWhereTheVarianceChoicesAreExact) {
  const NoiseSchedule schedule = NoiseSchedule::cosine(100);
  EXPECT_NEAR(sampled_deviation(schedule, {}, 1), 1, 1e-3);  // the last step adds no noise: -s_1^2/2
  EXPECT_NEAR(sampled_deviation(schedule, posterior_variance, 0), 0, 1e-6);
}

TEST(SampledDeviation, FavoursBetaAtTheStatedErrors) {
  const NoiseSchedule schedule = DiffusionSettings().make_schedule(0.01);
  for (const auto& [v, beta, posterior] : {std::tuple{0.034, 0.056, -0.161}, std::tuple{0.15, 0.023, -0.054},
                                           std::tuple{0.3, 0.014, -0.033}, std::tuple{1.0, 0.0, -0.021}}) {
    EXPECT_NEAR(sampled_deviation(schedule, {}, v) / v - 1, beta, 6e-4) << v;
    EXPECT_NEAR(sampled_deviation(schedule, posterior_variance, v) / v - 1, posterior, 6e-4) << v;
  }
}

/// Mean and covariance of \p samples against N(mean, covariance): largest deviation in standard errors.
double moment_deviation(const Points& samples, const Vector& mean, const Eigen::MatrixXd& covariance) {
  const auto n = static_cast<double>(samples.cols());
  const Vector m = samples.rowwise().mean();
  const Points centred = samples.colwise() - m;
  const Eigen::MatrixXd c = centred * centred.transpose() / (n - 1);
  double worst = 0;
  for (Index i = 0; i < m.size(); ++i) {
    worst = std::max(worst, std::abs(m[i] - mean[i]) / std::sqrt(covariance(i, i) / n));
    for (Index j = 0; j < m.size(); ++j) {
      const double variance = covariance(i, i) * covariance(j, j) + covariance(i, j) * covariance(i, j);
      worst = std::max(worst, std::abs(c(i, j) - covariance(i, j)) / std::sqrt(variance / n));
    }
  }
  return worst;
}

TEST(ExactScore, GivesTheNormalLawThatItsStepsImply) {
  for (const StepVariance variance : {StepVariance::beta, StepVariance::posterior}) {
    FitFixture fixture(NormalLaw::in_a_plane(), 2000, 0.2);
    auto model = make("exact_score", {{"variance", std::string(name_of(variance))}});
    model->fit(fixture.context());
    const Points samples = model->sample(20000, Stream(3, "exact"));

    // The law of the samples is normal with the axes of the data; each deviation is known in closed form.
    const double scale = standardisation(fixture.source()).scale;
    const NoiseSchedule schedule = DiffusionSettings().make_schedule(fixture.context().smallest_noise);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> axes(fixture.law().covariance());
    const Vector deviation = axes.eigenvalues().unaryExpr([&](double value) {
      return scale * sampled_deviation(schedule, {.variance = variance}, std::sqrt(value) / scale);
    });
    const Eigen::MatrixXd covariance =
        axes.eigenvectors() * deviation.cwiseAbs2().asDiagonal() * axes.eigenvectors().transpose();
    // 12 statistics at 4.5 standard errors: false alarm below 1e-4, and the streams are fixed. The pull to
    // the mean of the law instead of that of the training points is exact; x_T starts at the mean of 2000
    // points: no effect.
    EXPECT_LT(moment_deviation(samples, fixture.law().mean(), covariance), 4.5) << name_of(variance);
    // Negative control: a sampler with 5 % too much spread is seen.
    EXPECT_GT(moment_deviation(samples, fixture.law().mean(), 1.1 * covariance), 4.5) << name_of(variance);
  }
}

TEST(ExactScore, IsUnsupportedWithoutAScore) {
  FitFixture fixture(NormalLaw::in_a_plane(), 10);
  FitContext context = fixture.context();
  context.diffused_score = nullptr;
  EXPECT_THROW(make("exact_score", {})->fit(context), Unsupported);
}

TEST(Sampler, DrawsItsNoiseByBlockAndStep) {
  // A block gives the same samples whatever follows it.
  const NoiseSchedule schedule = NoiseSchedule::cosine(5);
  const BlockDenoiser unit = [&](const Points& x, Index t, Points& epsilon) { epsilon = schedule.noise(t) * x; };
  const Stream stream(4, "blocks");
  const Points one = sample_diffusion(schedule, {}, unit, 2, sampling_block, stream);
  const Points two = sample_diffusion(schedule, {}, unit, 2, sampling_block + 3, stream);
  EXPECT_EQ(two.leftCols(sampling_block), one);
}

/// Least mean squared error of predicting z from x_t, over times and coordinates, for the law of the fixture.
double bayes_loss(const NoiseSchedule& schedule, const Eigen::MatrixXd& covariance) {
  const Vector variances = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(covariance).eigenvalues();
  double total = 0;
  for (Index t = 1; t <= schedule.steps(); ++t) {
    const double a2 = std::pow(schedule.signal(t), 2);
    const double s2 = std::pow(schedule.noise(t), 2);
    for (const double v : variances) total += a2 * v / (a2 * v + s2);
  }
  return total / static_cast<double>(schedule.steps() * variances.size());
}

TEST(Ddpm, ApproachesTheBayesLossAndTheLawOfNormalData) {
  ONMANIFOLD_SKIP_LONG_TRAINING_IF_SANITIZED();
  FitFixture fixture(NormalLaw::in_a_plane(), 20000, 0.2);
  auto model = make("ddpm", {{"steps", 1200}, {"width", 64}, {"depth", 2}, {"learning_rate", 3e-3}});
  model->fit(fixture.context());
  const double scale = standardisation(fixture.source()).scale;
  const NoiseSchedule schedule = DiffusionSettings().make_schedule(fixture.context().smallest_noise);
  const double floor = bayes_loss(schedule, fixture.law().covariance() / (scale * scale));
  const Vector loss = model->curves().at("loss");
  const double last = loss.tail(loss.size() / 4).mean();
  // 300 steps of 768 squared errors of variance about 1: standard error .003. Above the floor by what 1200
  // steps leave.
  EXPECT_GT(last, floor - 0.01);
  EXPECT_LT(last, floor + 0.03);
  EXPECT_GT(loss[0], floor + 0.2);

  const Points samples = model->sample(4000, Stream(5, "ddpm"));
  const Vector mean = samples.rowwise().mean();
  const Points centred = samples.colwise() - mean;
  const Eigen::MatrixXd covariance = centred * centred.transpose() / 4000.0;
  // Learning error of a short training: a tenth of the largest variance (1).
  EXPECT_LT((mean - fixture.law().mean()).norm(), 0.1);
  EXPECT_LT((covariance - fixture.law().covariance()).norm(), 0.12);
}

TEST(ClipDenoised, CutsEstimatesToTheBoxAndLeavesTheRestAlone) {
  const NoiseSchedule schedule = NoiseSchedule::cosine(30, 0.9);
  const SignalRange range{Vector{{-1.0, 0.0, -0.5}}, Vector{{1.0, 2.0, 0.5}}};
  for (const Index t : {1, 7, 30}) {
    const double a = schedule.signal(t);
    const double sigma = schedule.noise(t);
    const Points x = Stream(5, "clip/x").normal(3, 200);
    const Points wanted = 1.5 * Stream(5, "clip/signal").normal(3, 200);
    Points epsilon = (x - a * wanted) / sigma;
    const Points before = epsilon;
    clip_denoised(schedule, range, x, t, epsilon);
    Index cut = 0;
    for (Index j = 0; j < x.cols(); ++j) {
      for (Index i = 0; i < 3; ++i) {
        const double expected = std::clamp(wanted(i, j), range.least[i], range.largest[i]);
        // x_0 is read off x with errors of |x|/a of the last digit.
        EXPECT_NEAR((x(i, j) - sigma * epsilon(i, j)) / a, expected, 1e-14 * (1 + std::abs(x(i, j)) / a));
        const double margin = 1e-13 / a;
        const bool inside = wanted(i, j) > range.least[i] + margin && wanted(i, j) < range.largest[i] - margin;
        if (inside) {
          EXPECT_EQ(epsilon(i, j), before(i, j));
        }
        cut += inside ? 0 : 1;
      }
    }
    EXPECT_GT(cut, 100);
    EXPECT_LT(cut, 500);
  }
}

TEST(ClipDenoised, KeepsAnUntrainedModelInTheRangeOfItsData) {
  FitFixture fixture(NormalLaw::in_a_plane(), 500, 0.2);
  const Points data = fixture.source().epoch(0);
  const ImageLayout image{.height = 1, .width = 3, .pixels = {0, 1, 2}};
  const auto spread = [&](const std::string& clip, bool as_image, const char* sampler) {
    auto model = make(
        "ddpm",
        {{"steps", 1}, {"width", 32}, {"depth", 1}, {"network", "mlp"}, {"sampler", sampler}, {"clip_denoised", clip}});
    FitContext context = fixture.context();
    if (as_image) context.image = &image;
    model->fit(context);
    const Points samples = model->sample(300, Stream(5, "clip"));
    auto loaded =
        make("ddpm", {{"width", 32}, {"depth", 1}, {"network", "mlp"}, {"sampler", sampler}, {"clip_denoised", clip}});
    loaded->load(model->state(), context);
    EXPECT_EQ(loaded->sample(300, Stream(5, "clip")), samples);
    // How far outside the box of the training points, in parts of its sides.
    const Vector side = data.rowwise().maxCoeff() - data.rowwise().minCoeff();
    const Points over =
        (samples.colwise() - data.rowwise().maxCoeff()).cwiseMax((-samples).colwise() + data.rowwise().minCoeff());
    return (over.array().colwise() / side.array()).maxCoeff();
  };
  for (const char* sampler : {"ancestral", "ddim", "heun"}) {
    EXPECT_LT(spread("always", false, sampler), 1e-12) << sampler;
    EXPECT_LT(spread("auto", true, sampler), 1e-12) << sampler;
    EXPECT_GT(spread("auto", false, sampler), 10) << sampler;
    EXPECT_GT(spread("never", true, sampler), 10) << sampler;
  }
}

TEST(Ddpm, RecordsItsTraining) {
  FitFixture fixture(NormalLaw::in_a_plane(), 100);
  auto model = make("ddpm", {{"steps", 1001}, {"width", 32}, {"depth", 1}, {"batch", 8}});
  double told = 0;
  FitContext context = fixture.context();
  context.progress = [&](double fraction) {
    EXPECT_GT(fraction, told);
    told = fraction;
  };
  model->fit(context);
  EXPECT_EQ(told, 1);
  const Curves curves = model->curves();
  for (const char* name : {"step", "loss", "gradient_norm", "learning_rate"}) {
    ASSERT_TRUE(curves.contains(name)) << name;
    EXPECT_EQ(curves.at(name).size(), 334) << name;  // stretches of 3 steps
    EXPECT_TRUE(curves.at(name).allFinite()) << name;
  }
  EXPECT_EQ(curves.at("step")[333], 1001);
}

TEST(Ddpm, SaysThatItDiverged) {
  FitFixture fixture(NormalLaw::in_a_plane(), 100);
  auto model =
      make("ddpm", {{"steps", 200}, {"width", 32}, {"depth", 2}, {"batch", 8}, {"learning_rate", 1e6}, {"warmup", 0}});
  try {
    for (int repeat = 0; repeat < 3; ++repeat) model->fit(fixture.context());
    FAIL() << "expected NumericalFailure";
  } catch (const NumericalFailure& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("diverged"));
  }
}

TEST(BatchReader, GoesThroughEveryPassOnce) {
  FitFixture fixture(NormalLaw::in_a_plane(), 10);
  const Standardisation unit = {.mean = Vector::Zero(3), .scale = 1};
  BatchReader reader(fixture.source(), unit);
  Eigen::MatrixXf all(3, 20);
  Eigen::MatrixXf batch(3, 4);
  for (Index b = 0; b < 5; ++b) {
    reader.read(batch);
    all.middleCols(4 * b, 4) = batch;
  }
  EXPECT_EQ(all.leftCols(10), fixture.source().epoch(0).cast<float>());
  EXPECT_EQ(all.rightCols(10), fixture.source().epoch(1).cast<float>());
}

}  // namespace
}  // namespace onmanifold
