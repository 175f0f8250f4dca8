// SPDX-License-Identifier: Apache-2.0
// The controls against what can be said of them by hand.
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "models/controls/kde.hpp"
#include "models/registry.hpp"
#include "tests/models/make_method.hpp"
#include "tests/models/model_fixtures.hpp"

namespace onmanifold {
namespace {

TEST(Oracle, GivesTheDrawsOfTheSampler) {
  FitFixture fixture(NormalLaw::in_a_plane(), 100);
  auto model = make("oracle");
  model->fit(fixture.context());
  const Stream stream(1, "sampling");
  EXPECT_EQ(model->sample(50, stream), fixture.law().sample(50, stream));
}

TEST(Oracle, SaysUnsupportedWithoutASampler) {
  FitFixture fixture(NormalLaw::in_a_plane(), 100);
  FitContext context = fixture.context();
  context.sampler = nullptr;
  auto model = make("oracle");
  EXPECT_THROW(model->fit(context), Unsupported);
}

TEST(Memorizer, GivesTrainingPointsAndReachesThemAll) {
  FitFixture fixture(NormalLaw::in_a_plane(), 20);
  auto model = make("memorizer");
  model->fit(fixture.context());
  const Points samples = model->sample(1000, Stream(1, "sampling"));
  const Points& training = fixture.source().clean_points();
  Eigen::VectorXi count = Eigen::VectorXi::Zero(training.cols());
  for (Index i = 0; i < samples.cols(); ++i) {
    Index nearest = 0;
    EXPECT_EQ((training.colwise() - samples.col(i)).colwise().squaredNorm().minCoeff(&nearest), 0);
    ++count[nearest];
  }
  // Binomial(1000, 1/20): 50 ± 6.9; five standard deviations.
  EXPECT_GT(count.minCoeff(), 15);
  EXPECT_LT(count.maxCoeff(), 85);
}

/// A thousandth of everything by hand: two centres in the plane.
TEST(Kde, DensityIsTheMixtureInClosedForm) {
  const Points centres = Eigen::MatrixXd{{0.0, 1.0}, {0.0, 2.0}};
  const Points x = Eigen::MatrixXd{{0.3}, {-0.4}};
  const double w = 0.7;
  // |x - c|^2 = .25 and 6.25.
  const double kernels = 0.5 * (std::exp(-0.25 / (2 * w * w)) + std::exp(-6.25 / (2 * w * w)));
  const double log_norm = std::log(2 * std::numbers::pi * w * w);
  EXPECT_NEAR(kernel_log_density(centres, x, w, 2)[0], std::log(kernels) - log_norm, 1e-14);
  EXPECT_NEAR(kernel_log_density(centres, x, w, 1)[0], std::log(kernels) - 0.5 * log_norm, 1e-14);
  // Without itself: the other centre alone, |c_0 - c_1|^2 = 5.
  EXPECT_NEAR(kernel_log_density(centres, centres, w, 2, 0, 1)[0], -5 / (2 * w * w) - log_norm, 1e-14);
  EXPECT_NEAR(kernel_log_density(centres, centres.rightCols(1), w, 2, 1, 1)[0], -5 / (2 * w * w) - log_norm, 1e-14);
  // Far away nothing underflows.
  EXPECT_NEAR(kernel_log_density(centres, Eigen::MatrixXd{{1e3}, {0.0}}, w, 2)[0],
              std::log(0.5) - (999.0 * 999 + 4) / (2 * w * w) - log_norm, 1e-6);
  EXPECT_THROW((void)kernel_log_density(centres, x, 0, 2), InvalidInput);
}

TEST(Kde, WidthHasTheLargestLeaveOneOutLikelihood) {
  // Two points at distance r on a line: the likelihood of each is N(r; 0, w^2), largest at w = r.
  EXPECT_NEAR(likelihood_width(Eigen::MatrixXd{{0.0, 0.2}}, 1, 1, 500) / 0.2, 1, 0.01);
  // The same seen in two dimensions: w^2 = r^2/2.
  EXPECT_NEAR(likelihood_width(Eigen::MatrixXd{{0.0, 0.2}, {0.0, 0.0}}, 2, 1, 500) / (0.2 / std::sqrt(2.0)), 1, 0.01);
  // N(0, I) in one dimension: no width of a fine scan is likelier.
  const Points normal = Stream(4, "normal").normal(1, 400);
  const double width = likelihood_width(normal, 1, 1, 400);
  const double best = kernel_log_density(normal, normal, width, 1, 0, 1).mean();
  for (double log_width = -4; log_width < 0; log_width += 0.02) {
    EXPECT_LE(kernel_log_density(normal, normal, std::exp(log_width), 1, 0, 1).mean(), best + 1e-4);
  }
  // As n^(-1/5) = .30 says, up to a factor of two.
  EXPECT_GT(width, 0.15);
  EXPECT_LT(width, 0.6);
  EXPECT_EQ(likelihood_width(normal, 0, 1, 400), 0);
}

TEST(Kde, SamplesHaveTheMomentsOfTheMixtureAndItsDensity) {
  FitFixture fixture(NormalLaw::in_a_plane(), 300);
  Settings settings{Value(Value::Table{{"width", 0.25}, {"likelihood", true}}), "test"};
  const auto model = method_registry().get("kde").factory(settings);
  settings.finish();
  model->fit(fixture.context());
  const Points& training = fixture.source().clean_points();
  const Vector mean = training.rowwise().mean();
  const Points centred = training.colwise() - mean;
  const Eigen::MatrixXd covariance =
      centred * centred.transpose() / 300.0 + 0.25 * 0.25 * Eigen::MatrixXd::Identity(3, 3);
  const Index n = 40000;
  const Points samples = model->sample(n, Stream(1, "sampling"));
  const Points deviation = samples.colwise() - mean;
  const Eigen::MatrixXd found = deviation * deviation.transpose() / static_cast<double>(n);
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) {
      // Kurtosis below that of a normal law twice as wide; 5 standard errors.
      const double variance = covariance(i, i) * covariance(j, j) + covariance(i, j) * covariance(i, j);
      EXPECT_NEAR(found(i, j), covariance(i, j), 5 * std::sqrt(variance / static_cast<double>(n)));
    }
  }
  EXPECT_EQ(*model->log_density(samples.leftCols(4)), kernel_log_density(training, samples.leftCols(4), 0.25, 3));
  EXPECT_EQ(model->curves().at("width")[0], 0.25);
}

TEST(Gaussian, HasTheMomentsOfItsTrainingData) {
  FitFixture fixture(NormalLaw::in_a_plane(), 500);
  auto model = make("gaussian");
  model->fit(fixture.context());
  const Points& training = fixture.source().clean_points();
  const Vector mean = training.rowwise().mean();
  const Points centred = training.colwise() - mean;
  const Eigen::MatrixXd covariance = centred * centred.transpose() / 499.0;

  const Index n = 40000;
  const Points samples = model->sample(n, Stream(1, "sampling"));
  const Vector sample_mean = samples.rowwise().mean();
  const Points deviation = samples.colwise() - sample_mean;
  const Eigen::MatrixXd sample_covariance = deviation * deviation.transpose() / static_cast<double>(n - 1);
  for (Index i = 0; i < 3; ++i) {
    EXPECT_NEAR(sample_mean[i], mean[i], 5 * std::sqrt(covariance(i, i) / static_cast<double>(n)));
    for (Index j = 0; j < 3; ++j) {
      const double variance = covariance(i, i) * covariance(j, j) + covariance(i, j) * covariance(i, j);
      EXPECT_NEAR(sample_covariance(i, j), covariance(i, j), 5 * std::sqrt(variance / static_cast<double>(n)));
    }
  }
}

TEST(Gaussian, StaysInThePlaneOfDegenerateData) {
  const NormalLaw law = NormalLaw::in_a_plane();
  FitFixture fixture(law, 500);
  auto model = make("gaussian");
  model->fit(fixture.context());
  const Points samples = model->sample(2000, Stream(1, "sampling"));
  // The state keeps 48 bits: 3.6e-15 of values up to about 5.
  EXPECT_LT((law.normal().transpose() * (samples.colwise() - law.mean())).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Gaussian, OnePointGivesThatPoint) {
  FitFixture fixture(NormalLaw::in_a_plane(), 1);
  auto model = make("gaussian");
  model->fit(fixture.context());
  const Points samples = model->sample(5, Stream(1, "sampling"));
  // 48 bits of a number below 4.
  EXPECT_LT((samples.colwise() - fixture.source().clean_points().col(0)).cwiseAbs().maxCoeff(), 1e-13);
}

TEST(Gaussian, SeesTheLift) {
  FitFixture fixture(NormalLaw::in_a_plane(), 4000, 0.5);
  auto model = make("gaussian");
  model->fit(fixture.context());
  const Points samples = model->sample(4000, Stream(1, "sampling"));
  const Vector normal = fixture.law().normal();
  const double spread =
      std::sqrt((normal.transpose() * (samples.colwise() - fixture.law().mean())).squaredNorm() / 4000);
  EXPECT_NEAR(spread, 0.5, 5 * 0.5 / std::sqrt(2 * 2000.0));  // both fit and samples fluctuate
}

}  // namespace
}  // namespace onmanifold
