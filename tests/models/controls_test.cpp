// SPDX-License-Identifier: Apache-2.0
// The three controls against what can be said of them by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "models/registry.hpp"
#include "tests/models/model_fixtures.hpp"

namespace onmanifold {
namespace {

std::unique_ptr<GenerativeModel> make(const std::string& name) {
  Settings settings(Value(Value::Table{}), "test");
  auto model = method_registry().get(name).factory(settings);
  settings.finish();
  return model;
}

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
