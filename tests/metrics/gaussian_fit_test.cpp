// SPDX-License-Identifier: Apache-2.0
// The covariance route of the Frechet distance against triangular factors, on both sides of its criterion;
// named features; scores.
#include "metrics/gaussian_fit.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/frechet.hpp"
#include "metrics/score_mse.hpp"
#include "metrics/support.hpp"
#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

constexpr Index dimension = covariance_dimension;

// Gaussian points whose standard deviations fall from 1 to \p least.
Points spread_points(double least, Index n, const char* name) {
  Points points = Stream(21, name).normal(dimension, n);
  for (Index i = 0; i < dimension; ++i)
    points.row(i) *= std::pow(least, static_cast<double>(i) / static_cast<double>(dimension - 1));
  return points;
}

struct Route {
  bool taken = false;
  double difference = 0;  // to the factor form, over tr S1 + tr S2
  double bound = 0;       // of twice the root trace, in the same unit
};

Route route(const Points& x, const Points& y) {
  const CovarianceFit a = fit_covariance(x, tree_mean(x));
  const CovarianceFit b = fit_covariance(y, tree_mean(y));
  const double traces = a.trace + b.trace;
  Route result;
  const auto factor = cholesky(a);
  if (factor) {
    const RootTrace root = root_trace(a, *factor, b);
    result.bound = root.error / traces;
    result.taken = result.bound <= root_trace_tolerance;
  }
  result.difference = std::abs(frechet_distance(x, y) - frechet_distance_by_factors(x, y)) / traces;
  return result;
}

TEST(CovarianceRoute, AgreesWithFactorsWhereItIsTaken) {
  // Twice the bound, and 1e-14 for the rounding of the factor form itself.
  for (const double least : {1.0, 0.3}) {
    const Route found = route(spread_points(least, 600, "x"), spread_points(least, 500, "y"));
    EXPECT_TRUE(found.taken) << least << " bound " << found.bound;
    EXPECT_LE(found.difference, 2 * found.bound + 1e-14) << least;
  }
}

TEST(CovarianceRoute, IsNotTakenBeyondItsCriterionAndNothingJumps) {
  // Bad conditions; on this side both are the same code.
  for (const double least : {1e-3, 1e-6}) {
    const Route found = route(spread_points(least, 600, "x"), spread_points(least, 500, "y"));
    EXPECT_FALSE(found.taken) << least << " bound " << found.bound;
    EXPECT_EQ(found.difference, 0) << least;
  }
  // As many points as dimensions, and points in a plane: rank-deficient on either side.
  const Points full = spread_points(1, 500, "x");
  EXPECT_EQ(route(full, spread_points(1, dimension, "y")).difference, 0);
  Points flat = spread_points(1, 500, "y");
  flat.row(3) = flat.row(5);
  EXPECT_FALSE(route(full, flat).taken);
  EXPECT_EQ(route(full, flat).difference, 0);
  EXPECT_EQ(route(flat, full).difference, 0);
  flat.row(3).setConstant(0.7);
  EXPECT_FALSE(route(flat, full).taken);
  EXPECT_EQ(route(flat, full).difference, 0);
}

TEST(CovarianceRoute, WithoutItsCriterionWouldBeWrong) {
  // The broken twin: one direction of the second set is nearly lost; its root is noise of the size of
  // sqrt(u), far above the tolerance, and the bound says so.
  const Points x = spread_points(1, 500, "x");
  Points y = spread_points(1, 500, "y");
  y.row(0) *= 1e-9;
  const CovarianceFit a = fit_covariance(x, tree_mean(x));
  const CovarianceFit b = fit_covariance(y, tree_mean(y));
  const RootTrace root = root_trace(a, *cholesky(a), b);
  EXPECT_FALSE(root.error <= root_trace_tolerance * (a.trace + b.trace));
}

TEST(CovarianceRoute, BitsDoNotDependOnChunks) {
  const Points reference = spread_points(0.5, 500, "reference");
  for (const bool plane : {false, true}) {
    Points samples = spread_points(0.5, 1500, "samples");
    if (plane) samples.row(4) = samples.row(9);  // needs the third pass
    const Given input{.samples = &samples, .reference = &reference, .evaluation = Stream(1, "e")};
    const auto metric = metric_of("fd");
    const MetricRecord whole = evaluate(*metric, input).at(0);
    for (const Index width : {Index{1}, Index{333}, Index{1024}}) {
      const Comparison comparison(input);
      const auto stream = metric->prepare(comparison.target).stream(*comparison.input);
      for (int pass = 0; pass < stream->passes(); ++pass) {
        for (Index first = 0; first < samples.cols(); first += width)
          stream->add(pass, samples.middleCols(first, std::min(width, samples.cols() - first)), nullptr);
      }
      EXPECT_EQ(stream->finish().at(0).value, whole.value) << width << " " << plane;
    }
    const double traces = 2.0 * dimension;
    EXPECT_NEAR(whole.value, frechet_distance_by_factors(reference, samples), 1e-11 * traces);
    if (plane) {
      EXPECT_EQ(whole.value, frechet_distance_by_factors(reference, samples));
    }
  }
}

TEST(CovarianceRoute, EigenvaluesAreThoseOfTheFactor) {
  const Points x = spread_points(0.5, 400, "x");
  const CovarianceFit fit = fit_covariance(x, tree_mean(x));
  EXPECT_NEAR(eigenvalues(fit).sum() / fit.trace, 1, 1e-13);
  CovarianceSum none(Vector::Zero(3));
  EXPECT_THROW(static_cast<void>(none.covariance()), InvalidInput);
}

TEST(Features, AreNamedInTheRecord) {
  const Points a = fixture_a();
  const Points b = fixture_b();
  const FeatureMap squares{"squares@1", [](const Points& x) { return Points(x.array().square()); }};
  Given input{.samples = &b, .reference = &a, .evaluation = Stream(1, "e"), .features = &squares};
  const MetricRecord record = evaluate("fd(features=given)", input);
  EXPECT_EQ(record.value, frechet_distance(a.array().square().matrix(), b.array().square().matrix()));
  EXPECT_NE(record.parameters.find("squares@1"), std::string::npos) << record.parameters;
  EXPECT_EQ(evaluate("fd", input).value, frechet_distance(a, b));
  input.features = nullptr;
  EXPECT_EQ(evaluate("fd(features=given)", input).status.state, RecordState::not_applicable);
}

TEST(ScoreMse, ExactAndPerturbedScores) {
  const Points exact = Stream(22, "exact").normal(5, 300);
  const Points shifted = exact.array() + 0.2;
  const Points samples = Points::Zero(5, 2);
  std::vector<ScoreLevel> levels{{2.0, &exact, &exact}, {0.5, &exact, &exact}};
  Given input{.samples = &samples, .evaluation = Stream(1, "e"), .scores = &levels};
  EXPECT_EQ(evaluate("score_mse", input).value, 0);
  levels[1].model = &shifted;
  // (4 · 0 + 0.25 · 0.04) / 2.
  EXPECT_NEAR(evaluate("score_mse", input).value, 0.005, 1e-15);
  EXPECT_NEAR(score_error(levels[1]), 0.01, 1e-15);
  EXPECT_EQ(evaluate("score_mse", input).null, 0);
  // The error falls like one over the root of the number of points.
  const Points noisy = exact + 0.1 * Stream(22, "noise").normal(5, 300);
  levels = {{1.0, &noisy, &exact}};
  const MetricRecord record = evaluate("score_mse", input);
  EXPECT_NEAR(record.value, 0.01, 4 * record.se);
  // Chi-square of 5: variance 2/5 of the squared mean. The spread of 300 points is known to 8 % or so.
  EXPECT_NEAR(record.se / (0.01 * std::sqrt(0.4 / 300)), 1, 0.35);
  const Points few = exact.leftCols(10);
  levels[0].model = &few;
  EXPECT_THROW(static_cast<void>(evaluate("score_mse", input)), InvalidInput);
  input.scores = nullptr;
  EXPECT_EQ(evaluate("score_mse", input).status.state, RecordState::not_applicable);
}

TEST(Rmsd, TooManyConformationsNameTheSizeThatFits) {
  const Points many = Points::Zero(3, 10'001);
  const Given input{.samples = &many, .reference = &many, .evaluation = Stream(1, "e")};
  try {
    static_cast<void>(evaluate("rmsd_cross", input));
    ADD_FAILURE() << "no error";
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("size=10000 fits"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace onmanifold::test
