// SPDX-License-Identifier: Apache-2.0
#include "metrics/pairwise.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

TEST(ExpMinus, StaysWithinItsErrorBound) {
  std::vector<double> x;
  for (int i = 0; i <= 200000; ++i) x.push_back(690.0 * std::pow(static_cast<double>(i) / 200000, 3));
  for (double tiny = 1e-300; tiny < 1; tiny *= 10) x.push_back(tiny);
  std::vector<double> values = x;
  exp_minus(values.data(), static_cast<Index>(values.size()));
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double exact = std::exp(-static_cast<long double>(x[i]));
    worst = std::max(worst, static_cast<double>(std::abs(values[i] / exact - 1)));
  }
  EXPECT_LT(worst, 2.5e-16);
  double zero = 0;
  exp_minus(&zero, 1);
  EXPECT_EQ(zero, 1);
  double huge = 1e300;
  exp_minus(&huge, 1);
  EXPECT_LT(huge, 1e-299);
}

TEST(RadialKernel, PowersStayWithinTheirErrorBound) {
  const RadialKernel bank({.01, .1, 1, 10, 100});
  for (double d2 = 0; d2 < 60; d2 = d2 * 1.7 + 1e-6) {
    double value = d2;
    bank.apply(&value, 1);
    long double exact = 0;
    for (const double gamma : bank.gammas()) exact += std::exp(-static_cast<long double>(gamma) * d2) / 5;
    EXPECT_NEAR(value / static_cast<double>(exact), 1, 4e-13) << d2;
  }
}

TEST(RadialKernel, RejectsBadGammas) {
  EXPECT_THROW(RadialKernel({}), InvalidInput);
  EXPECT_THROW(RadialKernel({1, 0}), InvalidInput);
  EXPECT_THROW(RadialKernel({-1}), InvalidInput);
}

TEST(Pairs, SumsAreThoseOfPlainLoops) {
  for (const Index dimension : {Index{1}, Index{2}, Index{3}, Index{7}, Index{30}}) {
    Stream stream(4, "pairs");
    const Points x = (stream.normal(dimension, 700).array() + 3).matrix();
    const Points y = stream.normal(dimension, 530);
    const RadialKernel kernel({0.3 / static_cast<double>(dimension)});
    for (const auto kind : {PairFunction::Kind::radial, PairFunction::Kind::distance}) {
      const PairFunction f{kind, &kernel};
      const auto term = [&](double d2) {
        return kind == PairFunction::Kind::radial ? std::exp(-kernel.gammas()[0] * d2) : std::sqrt(d2);
      };
      long double within = 0;
      long double across = 0;
      for (Index i = 0; i < x.cols(); ++i) {
        for (Index j = 0; j < i; ++j) within += term((x.col(i) - x.col(j)).squaredNorm());
        for (Index j = 0; j < y.cols(); ++j) across += term((x.col(i) - y.col(j)).squaredNorm());
      }
      EXPECT_NEAR(sum_over_pairs(x, f) / static_cast<double>(within), 1, 1e-13);
      EXPECT_NEAR(sum_over_pairs(x, y, f) / static_cast<double>(across), 1, 1e-13);
    }
  }
}

TEST(MedianDistance, SelectsExactlyAboveTheMemoryLimitOfItsPasses) {
  // 2,000 points have 2·10^6 pairs: one counting pass narrows them before the selection.
  const Points x = Stream(4, "median").normal(2, 2000);
  std::vector<double> distances;
  for (Index i = 0; i < x.cols(); ++i) {
    for (Index j = 0; j < i; ++j) {
      const double a = x(0, i) - x(0, j);
      const double b = x(1, i) - x(1, j);
      distances.push_back(std::sqrt(a * a + b * b));
    }
  }
  std::sort(distances.begin(), distances.end());
  const std::size_t half = distances.size() / 2;
  EXPECT_NEAR(median_distance(x), 0.5 * (distances[half - 1] + distances[half]), 1e-15);
  EXPECT_NEAR(median_distance(x, true), distances[half - 1], 1e-15);
}

TEST(MedianDistance, EndsOnTies) {
  EXPECT_EQ(median_distance(Points::Constant(2, 2000, 1.5)), 0);
  EXPECT_THROW(static_cast<void>(median_distance(Points::Zero(2, 1))), InvalidInput);
}

}  // namespace
}  // namespace onmanifold::test
