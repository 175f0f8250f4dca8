// SPDX-License-Identifier: Apache-2.0
#include "core/math/statistics.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

using ::testing::HasSubstr;

// Values that are given with 15 digits are compared to 1e-12 relative: the last digit and a few roundings.
constexpr double relative = 1e-12;
#define EXPECT_CLOSE(actual, expected) EXPECT_NEAR(actual, expected, relative* std::abs(expected))

Vector list(std::initializer_list<double> values) {
  Vector result(static_cast<Index>(values.size()));
  std::copy(values.begin(), values.end(), result.begin());
  return result;
}

// Two methods on five seeds.
const Vector& first_method() {
  static const Vector values = list({.31, .29, .35, .33, .30});
  return values;
}
const Vector& second_method() {
  static const Vector values = list({.27, .28, .30, .31, .26});
  return values;
}

TEST(Statistics, MeanSpreadAndInterval) {
  const Vector& x = first_method();
  EXPECT_CLOSE(mean(x), .316);
  EXPECT_CLOSE(standard_deviation(x), .0240831891575846);
  EXPECT_GT(std::abs(standard_deviation(x) - .021540659228538), 1e-3);  // ddof 0: the trap
  EXPECT_CLOSE(standard_error(x), .0240831891575846 / std::sqrt(5.0));
  EXPECT_CLOSE(t_half_width(x), .0299032289389041);
  EXPECT_CLOSE(t_interval(x).low, .316 - .0299032289389041);
  EXPECT_CLOSE(t_interval(x).high, .316 + .0299032289389041);
  EXPECT_LT(t_half_width(x, .5), t_half_width(x, .9));
}

TEST(Statistics, SpreadSurvivesALargeMean) {
  // A one-pass formula (mean of squares minus square of the mean) gives 0 or garbage here: the broken twin.
  const Vector x = list({1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16});
  EXPECT_CLOSE(standard_deviation(x), std::sqrt(30.0));
  const double one_pass = std::sqrt((x.squaredNorm() / 4 - std::pow(x.mean(), 2)) * 4 / 3);
  EXPECT_FALSE(std::abs(one_pass - std::sqrt(30.0)) < 1e-3);
}

TEST(Statistics, TooFewValuesAreRefused) {
  EXPECT_THROW((void)mean(Vector()), InvalidInput);
  EXPECT_THROW((void)standard_deviation(list({1})), InvalidInput);
  EXPECT_THROW((void)t_interval(list({1})), InvalidInput);
  EXPECT_THROW((void)t_half_width(list({1, 2}), 1.0), InvalidInput);
  EXPECT_THROW((void)quantile(Vector(), .5), InvalidInput);
}

TEST(Statistics, Quantiles) {
  const Vector x = list({3, 1, 4, 2});
  EXPECT_EQ(quantile(x, 0), 1);
  EXPECT_EQ(quantile(x, .25), 1.75);
  EXPECT_EQ(median(x), 2.5);
  EXPECT_CLOSE(quantile(x, .9), 3.7);
  EXPECT_EQ(quantile(x, 1), 4);
  EXPECT_EQ(quantile(list({5}), .3), 5);
  EXPECT_EQ(median(list({2, 2, 2, 9, 1})), 2);
  EXPECT_EQ(order_statistic(x, 1), 1);
  EXPECT_EQ(order_statistic(x, 3), 3);
  EXPECT_THROW((void)order_statistic(x, 0), InvalidInput);
  EXPECT_THROW((void)order_statistic(x, 5), InvalidInput);
  EXPECT_THROW((void)quantile(x, 1.5), InvalidInput);
  EXPECT_THROW((void)quantile(list({1, std::nan("")}), .5), InvalidInput);
}

TEST(Statistics, MidRanks) {
  EXPECT_EQ(mid_ranks(list({10, 30, 20, 20})), list({1, 4, 2.5, 2.5}));
  EXPECT_EQ(mid_ranks(list({7, 7, 7})), list({2, 2, 2}));
  EXPECT_EQ(mid_ranks(list({1, 1 + 1e-13, 2})), list({1, 2, 3}));
  EXPECT_EQ(mid_ranks(list({1, 1 + 1e-13, 2}), 1e-12), list({1.5, 1.5, 3}));
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_EQ(mid_ranks(list({infinite, 0, infinite})), list({2.5, 1, 2.5}));
}

TEST(Statistics, Distributions) {
  // t(.975) for n = 3, 4, 5, 10; four digits are printed in every table.
  EXPECT_NEAR(t_quantile(.975, 2), 4.3027, 5e-5);
  EXPECT_NEAR(t_quantile(.975, 3), 3.1824, 5e-5);
  EXPECT_NEAR(t_quantile(.975, 4), 2.7764, 5e-5);
  EXPECT_NEAR(t_quantile(.975, 9), 2.2622, 5e-5);
  EXPECT_CLOSE(t_cdf(1, 1), .75);  // Cauchy
  EXPECT_CLOSE(t_quantile(.75, 1), 1);
  EXPECT_CLOSE(normal_quantile(.975), 1.959963984540054);
  EXPECT_CLOSE(normal_cdf(0), .5);
  EXPECT_CLOSE(normal_p_two_sided(1.959963984540054), .05);
  EXPECT_CLOSE(normal_p_two_sided(-1.959963984540054), .05);
  EXPECT_CLOSE(t_p_two_sided(-3, 2), 1 - 3 / std::sqrt(11.0));
  EXPECT_CLOSE(chi_squared_survival(3, 2), std::exp(-1.5));
  EXPECT_CLOSE(chi_squared_cdf(3, 2), 1 - std::exp(-1.5));
  EXPECT_CLOSE(chi_squared_quantile(1 - std::exp(-1.5), 2), 3);
  EXPECT_CLOSE(chi_squared_survival(1400, 2), std::exp(-700));  // the tail, not 1 - 1
  EXPECT_THROW((void)t_quantile(0, 3), InvalidInput);
  EXPECT_THROW((void)t_cdf(0, 0), InvalidInput);
  EXPECT_THROW((void)chi_squared_quantile(.5, -1), InvalidInput);
}

TEST(Statistics, BootstrapInterval) {
  const Vector x = Stream(4, "bootstrap").normal(200, 1);
  const auto mean_of = [](const VectorRef& values) { return mean(values); };
  const Interval interval = bootstrap_interval(x, mean_of, Stream(1, "draws"));
  // For the mean it is the normal interval up to the noise of 2000 replicates (2.5 % of the half width, 4 of
  // them).
  const double half = 1.96 * standard_error(x);
  EXPECT_NEAR(interval.low, mean(x) - half, .1 * half);
  EXPECT_NEAR(interval.high, mean(x) + half, .1 * half);
  const Interval again = bootstrap_interval(x, mean_of, Stream(1, "draws"));
  EXPECT_EQ(interval.low, again.low);
  EXPECT_EQ(interval.high, again.high);
  EXPECT_NE(bootstrap_interval(x, mean_of, Stream(2, "draws")).low, interval.low);
  EXPECT_THROW((void)bootstrap_interval(x, mean_of, Stream(1, "draws"), .95, 1999), InvalidInput);
}

TEST(Statistics, KolmogorovSmirnovClosedForms) {
  for (const double d : {.55, .7, .95}) EXPECT_CLOSE(kolmogorov_smirnov_p(1, d), 2 * (1 - d));
  for (const double d : {.3, .4, .49}) EXPECT_CLOSE(kolmogorov_smirnov_p(2, d), 1 - std::pow(4 * d - 1, 2) / 2);
  for (const double d : {.55, .7, .95}) EXPECT_CLOSE(kolmogorov_smirnov_p(2, d), 2 * std::pow(1 - d, 2));
  // d >= 1 - 1/n: 2 (1 - d)^n; absolute, for the matrix power gives 1 - p.
  EXPECT_NEAR(kolmogorov_smirnov_p(5, .82), 2 * std::pow(.18, 5), 1e-14);
  // d in (1/(2n), 1/n]: 1 - n! (2d - 1/n)^n.
  EXPECT_CLOSE(kolmogorov_smirnov_p(5, .18), 1 - 120 * std::pow(.16, 5));
  EXPECT_EQ(kolmogorov_smirnov_p(10, .05), 1);
  EXPECT_EQ(kolmogorov_smirnov_p(10, 1), 0);
  EXPECT_CLOSE(1 - kolmogorov_smirnov_p(10, .274),
               .628479615456504);                            // the example of Marsaglia, Tsang and Wang
  EXPECT_NEAR(kolmogorov_smirnov_p(10, .40925), .05, 5e-6);  // printed critical value
}

TEST(Statistics, KolmogorovSmirnovBranchesMeet) {
  // Tail formula (seven digits of the distribution function) and matrix power around their border, n d^2
  // = 3.76.
  const double border = std::sqrt(3.76 / 200);
  EXPECT_NEAR(kolmogorov_smirnov_p(200, border * (1 - 1e-9)), kolmogorov_smirnov_p(200, border * (1 + 1e-9)), 1e-6);
  // Stephens's limit against the matrix power: his correction is good to 2 % of p in this range.
  for (const double x : {.8, 1.0, 1.36, 1.63}) {
    const double d = x / std::sqrt(1000.5);
    EXPECT_NEAR(kolmogorov_smirnov_p(1001, d) / kolmogorov_smirnov_p(1000, d), 1, .02) << x;
  }
}

TEST(Statistics, KolmogorovSmirnovTestFindsAShift) {
  const auto cdf_of = [](double x) { return normal_cdf(x); };
  const Vector x = Stream(2, "ks").normal(500, 1);
  EXPECT_GT(kolmogorov_smirnov_test(x, cdf_of).p, 1e-3);
  EXPECT_LT(kolmogorov_smirnov_test(x.array() + .3, cdf_of).p, 1e-6);
  EXPECT_LT(kolmogorov_smirnov_test(x * 1.5, cdf_of).p, 1e-6);
  const TestResult three = kolmogorov_smirnov_test(list({.1, .2, .9}), [](double u) { return u; });
  EXPECT_CLOSE(three.statistic, 2. / 3 - .2);
  EXPECT_THAT(three.method, HasSubstr("exact"));
  EXPECT_THAT(kolmogorov_smirnov_test(Vector::LinSpaced(2000, 0, 1), [](double u) { return u; }).method,
              HasSubstr("Stephens"));
}

TEST(Statistics, ChiSquaredTest) {
  const TestResult result = chi_squared_test(list({16, 18, 16, 14, 12, 12}), Vector::Constant(6, 1. / 6));
  EXPECT_CLOSE(result.statistic, 2.0);  // 88 / 6 expected in each
  EXPECT_EQ(result.degrees, 5);
  EXPECT_NEAR(result.p, .84914503608460956, 1e-12);
  EXPECT_EQ(chi_squared_test(list({5, 0, 5}), list({.5, 0, .5})).degrees, 1);
  EXPECT_THROW((void)chi_squared_test(list({5, 1, 5}), list({.5, 0, .5})), InvalidInput);
  EXPECT_THROW((void)chi_squared_test(list({5, 5}), list({.5, .4})), InvalidInput);
  EXPECT_THROW((void)chi_squared_test(list({5, 5}), list({1})), InvalidInput);
}

TEST(Statistics, PairedAndWelchT) {
  const Vector d = first_method() - second_method();
  const TestResult paired = paired_t_test(d);
  EXPECT_CLOSE(paired.statistic, 4.35464843161454);
  EXPECT_CLOSE(paired.p, .0121128353999441);
  EXPECT_EQ(paired.degrees, 4);
  EXPECT_CLOSE(paired_t_test(d, Alternative::greater).p, .0121128353999441 / 2);
  EXPECT_CLOSE(paired_t_test(d, Alternative::less).p, 1 - .0121128353999441 / 2);
  EXPECT_CLOSE(mean(d), .032);
  EXPECT_CLOSE(t_half_width(d), .0204026214197477);
  const TestResult welch = welch_t_test(first_method(), second_method());
  EXPECT_CLOSE(welch.statistic, 2.25151214313693);
  EXPECT_CLOSE(welch.p, .0551498085288309);
  EXPECT_GT(welch.p, .05);  // without the pairing the difference is lost
  EXPECT_CLOSE(welch_t_test(second_method(), first_method()).statistic, -2.25151214313693);
}

TEST(Statistics, TOfConstantDifferences) {
  EXPECT_EQ(paired_t_test(list({0, 0, 0})).p, 1);
  EXPECT_EQ(paired_t_test(list({1, 1, 1})).p, 0);
  EXPECT_EQ(paired_t_test(list({1, 1, 1}), Alternative::less).p, 1);
  EXPECT_EQ(paired_t_test(list({1, 1, 1})).statistic, std::numeric_limits<double>::infinity());
  EXPECT_EQ(welch_t_test(list({1, 1}), list({1, 1})).p, 1);
  EXPECT_THROW((void)paired_t_test(list({1})), InvalidInput);
  EXPECT_THROW((void)paired_t_test(list({1, std::nan("")})), InvalidInput);
}

TEST(Statistics, SignFlip) {
  const Vector d = first_method() - second_method();
  const TestResult result = sign_flip_test(d);
  EXPECT_CLOSE(result.statistic, .032);
  EXPECT_EQ(result.p, .0625);  // all five positive: the floor 2^(1-n)
  EXPECT_EQ(sign_flip_test(d, Alternative::greater).p, .03125);
  EXPECT_EQ(sign_flip_test(-d, Alternative::less).p, .03125);
  EXPECT_EQ(sign_flip_test(d, Alternative::less).p, 1);
  // {1, 2, 3, -1}: sums >= 5 of the 16: 7 (once), 5 (twice: either 1 flipped). Two-sided twice as many.
  EXPECT_EQ(sign_flip_test(list({1, 2, 3, -1}), Alternative::greater).p, 3. / 16);
  EXPECT_EQ(sign_flip_test(list({1, 2, 3, -1})).p, 6. / 16);
  EXPECT_EQ(sign_flip_test(list({0, 0})).p, 1);
  EXPECT_EQ(sign_flip_test(Vector::Ones(10), Alternative::greater).p, 0x1p-10);
}

TEST(Statistics, SignFlipManyDifferences) {
  // Beyond the exact range: close to the t test for normal differences (200,000 flips: 2 % of p at p = .01).
  const Vector d = Stream(1, "flip").normal(30, 1).array() + .45;
  const TestResult flips = sign_flip_test(d);
  EXPECT_THAT(flips.method, HasSubstr("200000"));
  EXPECT_NEAR(flips.p / paired_t_test(d).p, 1, .2);
  EXPECT_EQ(sign_flip_test(d).p, flips.p);
  EXPECT_THAT(sign_flip_test(d.head(24)).method, HasSubstr("exact"));
}

TEST(Statistics, Wilcoxon) {
  const TestResult result = wilcoxon_signed_rank_test(first_method() - second_method());
  EXPECT_EQ(result.statistic, 0);
  EXPECT_EQ(result.p, .0625);
  // Ranks of |d| 1 2 3 4 5, negative: 1 and 3: W = 4; 7 of the 32 subsets sum to 4 or less.
  const Vector d = list({-1, 2, -3, 4, 5});
  EXPECT_EQ(wilcoxon_signed_rank_test(d).statistic, 4);
  EXPECT_EQ(wilcoxon_signed_rank_test(d).p, 2 * 7. / 32);
  EXPECT_EQ(wilcoxon_signed_rank_test(d, Alternative::greater).p, 7. / 32);
  EXPECT_EQ(wilcoxon_signed_rank_test(list({0, 0, 1, 2, 3})).p, .25);  // zeros are left out
  EXPECT_EQ(wilcoxon_signed_rank_test(list({0, 0})).p, 1);
  const Vector many = Stream(1, "wilcoxon").normal(60, 1).array() + .3;
  EXPECT_THAT(wilcoxon_signed_rank_test(many).method, HasSubstr("normal"));
  EXPECT_NEAR(wilcoxon_signed_rank_test(many).p / wilcoxon_signed_rank_test(many.head(50)).p, 1, 1);
}

TEST(Statistics, MannWhitney) {
  const Vector a = list({1.1, 2.2, 3.3, 4.4, 5.5});
  const Vector b = list({2.5, 3.6, 4.7, 5.8, 6.9, 8});
  const TestResult result = mann_whitney_test(a, b);
  EXPECT_EQ(result.statistic, 6);
  EXPECT_CLOSE(result.p, .125541125541126);
  EXPECT_EQ(result.method, "Mann–Whitney U, exact");
  EXPECT_EQ(mann_whitney_test(b, a).statistic, 24);
  EXPECT_CLOSE(mann_whitney_test(b, a).p, .125541125541126);
  EXPECT_CLOSE(mann_whitney_test(a, b, Alternative::less).p, .125541125541126 / 2);
  EXPECT_CLOSE(mann_whitney_test(b, a, Alternative::greater).p, .125541125541126 / 2);
  // {1, 2} against {2, 3}: ranks 1, 2.5, 2.5, 4; of the 6 pairs of ranks two sum to 3.5, one of them
  // observed.
  const TestResult tied = mann_whitney_test(list({1, 2}), list({2, 3}), Alternative::less);
  EXPECT_EQ(tied.statistic, .5);
  EXPECT_CLOSE(tied.p, 2. / 6);
  EXPECT_THAT(tied.method, HasSubstr("mid-ranks"));
  EXPECT_EQ(mann_whitney_test(Vector::Ones(3), Vector::Ones(4)).p, 1);
  EXPECT_EQ(mann_whitney_test(Vector::Ones(30), Vector::Ones(40)).p, 1);
}

TEST(Statistics, MannWhitneyFloors) {
  // 2 / C(2n, n): what complete separation gives.
  const std::pair<Index, double> floors[] = {{3, 2. / 20},    {4, 2. / 70},      {5, 2. / 252},           {6, 2. / 924},
                                             {8, 2. / 12870}, {10, 2. / 184756}, {20, 2. / 137846528820.}};
  for (const auto& [n, floor] : floors) {
    const Vector low = Vector::LinSpaced(n, 0, 1);
    EXPECT_CLOSE(mann_whitney_test(low, low.array() + 2).p, floor);
    EXPECT_CLOSE(mann_whitney_test(low.array() + 2, low).p, floor);
  }
}

TEST(Statistics, MannWhitneyNormalMeetsExact) {
  // 20 × 20 is exact, 20 × 21 approximate: the normal with continuity correction errs by a few per cent of p
  // here.
  const Vector a = Stream(1, "mw").normal(20, 1);
  const Vector b = Stream(2, "mw").normal(21, 1).array() + .7;
  const TestResult approximate = mann_whitney_test(a, b);
  EXPECT_THAT(approximate.method, HasSubstr("normal"));
  EXPECT_NEAR(approximate.p / mann_whitney_test(a, b.head(20)).p, 1, .5);
}

/// A test is valid if P(p <= alpha) <= alpha for every alpha when the null hypothesis holds; \p p_values
/// lists the p-values of all equally likely outcomes.
bool is_valid(std::vector<double> p_values) {
  std::sort(p_values.begin(), p_values.end());
  for (std::size_t i = 0; i < p_values.size(); ++i) {
    if (static_cast<double>(i + 1) / static_cast<double>(p_values.size()) > p_values[i] * (1 + 1e-12)) {
      if (i + 1 == p_values.size() || p_values[i + 1] > p_values[i]) return false;
    }
  }
  return true;
}

TEST(Statistics, ExactTestsAreValidOverAllOutcomes) {
  const Vector d = list({.3, 1.1, .7, 2.3, .7, 1.9, .2, 1.3});  // one tie
  for (const Alternative alternative : {Alternative::two_sided, Alternative::less, Alternative::greater}) {
    std::vector<double> flips;
    std::vector<double> ranks;
    for (unsigned signs = 0; signs < 256; ++signs) {
      Vector flipped = d;
      for (Index i = 0; i < 8; ++i) flipped[i] *= ((signs >> i) & 1U) != 0 ? -1 : 1;
      flips.push_back(sign_flip_test(flipped, alternative).p);
      ranks.push_back(wilcoxon_signed_rank_test(flipped, alternative).p);
    }
    EXPECT_TRUE(is_valid(flips));
    EXPECT_TRUE(is_valid(ranks));
    std::vector<double> arrangements;
    for (unsigned chosen = 0; chosen < 256; ++chosen) {
      std::vector<double> a;
      std::vector<double> b;
      for (Index i = 0; i < 8; ++i) (((chosen >> i) & 1U) != 0 ? a : b).push_back(d[i]);
      if (a.size() != 3) continue;
      arrangements.push_back(
          mann_whitney_test(Eigen::Map<Vector>(a.data(), 3), Eigen::Map<Vector>(b.data(), 5), alternative).p);
    }
    EXPECT_EQ(arrangements.size(), 56U);
    EXPECT_TRUE(is_valid(arrangements));
    // The broken twins: a one-sided value for a two-sided question, and open instead of closed tails.
    for (double& p : arrangements) p /= 2;
    EXPECT_FALSE(is_valid(arrangements));
    for (double& p : flips) p -= 1. / 256;
    EXPECT_FALSE(is_valid(flips));
  }
}

TEST(Statistics, Holm) {
  const Vector adjusted = holm_adjusted(list({.01, .04, .03, .005}));
  EXPECT_THAT(std::vector<double>(adjusted.begin(), adjusted.end()),
              ::testing::Pointwise(::testing::DoubleNear(1e-15), std::vector<double>{.03, .06, .06, .02}));
  EXPECT_EQ(holm_adjusted(list({.9, .8})), list({1, 1}));
  EXPECT_EQ(holm_adjusted(Vector()).size(), 0);
  EXPECT_THROW((void)holm_adjusted(list({.5, std::nan("")})), InvalidInput);
  EXPECT_THROW((void)holm_adjusted(list({1.5})), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
