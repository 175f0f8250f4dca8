// SPDX-License-Identifier: Apache-2.0
// The posterior mean of uniform laws under noise, against numerical integration, importance-weighted draws of the
// manifold, and the gradient of a log-density.

#include "manifolds/uniform_posterior.hpp"

#include <cmath>

#include <boost/math/special_functions/bessel.hpp>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/registry.hpp"

namespace onmanifold {
namespace {

/// E[x0 | x] and its standard error per coordinate by self-normalised weights over uniform draws.
struct Estimate {
  Vector mean;
  Vector error;
};

Estimate by_weighted_draws(const Manifold& manifold, const Vector& x, double a, double sigma) {
  constexpr Index n = 400'000;
  const Points draws = manifold.random_points(n, Stream(7, "uniform-posterior"));
  Vector weight = -((a * draws).colwise() - x).colwise().squaredNorm().transpose() / (2 * sigma * sigma);
  weight = (weight.array() - weight.maxCoeff()).exp();
  weight /= weight.sum();
  Estimate result;
  result.mean = draws * weight;
  const Points centred = draws.colwise() - result.mean;
  result.error = (centred.array().square().matrix() * weight.array().square().matrix()).cwiseSqrt();
  return result;
}

/// The largest deviation in standard errors over coordinates and levels. 1e-12 stands for exact coordinates.
double worst_deviation(const Manifold& manifold, const UniformPosterior& posterior, double a) {
  double worst = 0;
  Stream stream(3, "points");
  for (const double sigma : {2.0, 0.7, 0.3}) {
    const Points x = a * manifold.random_points(1, stream.at("on")) +
                     sigma * stream.at("off").normal(manifold.ambient_dimension(), 1);
    const Estimate estimate = by_weighted_draws(manifold, x.col(0), a, sigma);
    const Vector difference = posterior.mean(x, a, sigma).col(0) - estimate.mean;
    worst = std::max(worst, (difference.array().abs() / (estimate.error.array() + 1e-12)).maxCoeff());
  }
  return worst;
}

// 3 levels x at most 16 coordinates x 9 manifolds: 5 standard errors are alpha = 2.5e-4 over all.
constexpr double bound = 5;

class Posterior : public testing::TestWithParam<const char*> {};

TEST_P(Posterior, AgreesWithWeightedDraws) {
  const auto manifold = make_manifold(GetParam());
  const auto posterior = manifold->uniform_posterior();
  ASSERT_NE(posterior, nullptr);
  EXPECT_EQ(posterior->dimension(), manifold->ambient_dimension());
  EXPECT_LT(worst_deviation(*manifold, *posterior, 1), bound);
  EXPECT_LT(worst_deviation(*manifold, *posterior, 0.6), bound);
}

TEST_P(Posterior, PullsToTheNearestPointAsTheNoiseVanishes) {
  const auto manifold = make_manifold(GetParam());
  const auto posterior = manifold->uniform_posterior();
  Stream stream(5, "vanishing");
  const Points y = manifold->random_points(20, stream.at("on"));
  const Points x = y + 1e-3 * stream.at("off").normal(y.rows(), y.cols());
  // The bias is curvature times the noise variance: below 16 · 1e-8 at sigma = 1e-4.
  EXPECT_LT((posterior->mean(x, 1, 1e-4) - manifold->project(x).points).cwiseAbs().maxCoeff(), 2e-7);
}

INSTANTIATE_TEST_SUITE_P(ClosedForms, Posterior,
                         testing::Values("sphere:dim=1,radius=1", "sphere:dim=2,radius=1.5", "sphere:dim=5,radius=1",
                                         "so3", "torus:dim=2", "cube:dim=3", "one_hot:classes=4",
                                         "product:factors=sphere:dim=2,radius=1*one_hot:classes=3"),
                         [](const auto& entry) {
                           std::string name = entry.param;
                           for (char& c : name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           }
                           return name;
                         });

TEST(UniformPosterior, ABrokenScaleIsCaughtByTheDraws) {
  class Shrunk final : public UniformPosterior {
   public:
    explicit Shrunk(const Manifold& manifold) : right_(manifold.uniform_posterior()) {}
    [[nodiscard]] Index dimension() const override { return right_->dimension(); }

   private:
    [[nodiscard]] Points do_mean(const PointsRef& x, double a, double sigma) const override {
      return right_->mean(x, a, 1.03 * sigma);
    }
    std::unique_ptr<UniformPosterior> right_;
  };
  const auto sphere = make_manifold("sphere:dim=2,radius=1.5");
  EXPECT_GT(worst_deviation(*sphere, Shrunk(*sphere), 1), bound);
}

TEST(UniformPosterior, OfAPlaneIsTheProjection) {
  const auto plane = make_manifold("plane:normal=1:2:3,offset=1");
  const auto posterior = plane->uniform_posterior();
  const Points x = Stream(1, "x").normal(3, 50);
  EXPECT_LT((posterior->mean(x, 0.5, 0.3) - plane->project(2 * x).points).cwiseAbs().maxCoeff(), 1e-14);
}

TEST(UniformPosterior, NoClosedFormNoAnswer) {
  EXPECT_EQ(make_manifold("donut:major=2,minor=0.6")->uniform_posterior(), nullptr);
}

TEST(UniformPosterior, RefusesWrongInput) {
  const auto sphere = make_manifold("sphere:dim=2,radius=1");
  const auto posterior = sphere->uniform_posterior();
  EXPECT_THROW((void)posterior->mean(Points::Zero(2, 1), 1, 1), InvalidInput);
  EXPECT_THROW((void)posterior->mean(Points::Zero(3, 1), 1, 0), InvalidInput);
  EXPECT_THROW((void)posterior->mean(Points::Zero(3, 1), -1, 1), InvalidInput);
  EXPECT_EQ(posterior->mean(Points::Zero(3, 1), 1, 1), Points::Zero(3, 1));  // every direction is as likely
}

TEST(UniformPosterior, MeanResultantLengthIsTheQuotientOfBesselFunctions) {
  for (const Index d : {2, 3, 4, 7, 16, 40}) {
    for (const double kappa : {1e-8, 1e-3, 0.05, 0.19, 0.21, 1.0, 7.0, 30.0, 60.0, 300.0, 690.0}) {
      const double order = 0.5 * static_cast<double>(d);
      const long double exact =
          boost::math::cyl_bessel_i(static_cast<long double>(order), static_cast<long double>(kappa)) /
          boost::math::cyl_bessel_i(static_cast<long double>(order - 1), static_cast<long double>(kappa));
      EXPECT_NEAR(mean_resultant_length(d, kappa) / static_cast<double>(exact), 1, 1e-13) << d << " " << kappa;
    }
    // 1 - (D-1)/(2 kappa) + O(kappa^-2) far out, where the Bessel functions overflow.
    EXPECT_NEAR(mean_resultant_length(d, 1e7), 1 - static_cast<double>(d - 1) / 2e7, 1e-10) << d;
  }
}

}  // namespace
}  // namespace onmanifold
