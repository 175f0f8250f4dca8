// SPDX-License-Identifier: Apache-2.0
#include "claims/claim_rules.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// \p n values about \p center, \p spread apart at most.
Vector about(double center, double spread, Index n) {
  return Vector::LinSpaced(n, center - spread, center + spread);
}

TEST(Superiority, NeedsTenReplicatesForTwentySevenClaims) {
  // All signs agree: p is 2^-n exactly, and Holm's first step over 27 multiplies by 27.
  const ClaimTest ten = superiority(about(2, 0.5, 10));
  EXPECT_DOUBLE_EQ(ten.p, std::ldexp(1, -10));
  EXPECT_EQ(decide(ten, 27 * ten.p), Verdict::reproduced);
  const ClaimTest nine = superiority(about(2, 0.5, 9));
  EXPECT_DOUBLE_EQ(nine.p, std::ldexp(1, -9));
  EXPECT_EQ(decide(nine, 27 * nine.p), Verdict::inconclusive);
  EXPECT_EQ(decide(nine, nine.p), Verdict::reproduced);
}

TEST(Superiority, NeedsARelevantEffect) {
  const ClaimTest border = superiority(Vector::Constant(10, 1));
  EXPECT_TRUE(border.relevant);
  EXPECT_EQ(decide(border, border.p), Verdict::reproduced);
  // Certain but small: refuted, for the upper bound is below the smallest relevant effect.
  const ClaimTest small = superiority(about(0.5, 0.1, 10));
  EXPECT_FALSE(small.relevant);
  EXPECT_EQ(decide(small, small.p), Verdict::not_reproduced);
  // The opposite effect.
  const ClaimTest opposite = superiority(about(-2, 0.5, 10));
  EXPECT_EQ(decide(opposite, opposite.p), Verdict::not_reproduced);
  // Between the two: wide.
  const ClaimTest wide = superiority(about(0.8, 4, 10));
  EXPECT_EQ(decide(wide, wide.p), Verdict::inconclusive);
}

TEST(Superiority, ConcludesNothingBelowFiveReplicates) {
  EXPECT_EQ(decide(superiority(about(5, 0.1, 4)), 0), Verdict::inconclusive);
  EXPECT_EQ(decide(superiority(about(-5, 0.1, 4)), 1), Verdict::inconclusive);
  EXPECT_EQ(decide(superiority(about(5, 0.1, 5)), 0.04), Verdict::reproduced);
  EXPECT_THROW((void)superiority(Vector()), InvalidInput);
  EXPECT_THROW((void)superiority(Vector::Constant(3, nan)), InvalidInput);
}

TEST(Superiority, ErrsAtTheStatedRate) {
  // No effect, 10 replicates, no correction: "reproduced" needs the test at .05 and a mean of 1 beside it.
  // The test alone has size 51/1024 = .0498 for a continuous symmetric law; 4000 reports, two-sided binomial
  // band at 1e-6: ± 4.9 standard errors. Spread 3: mean >= 1 is then rarely what decides.
  Stream stream(11, "claims");
  constexpr int reports = 4000;
  int rejected = 0;
  int reproduced = 0;
  int refuted_truth = 0;
  for (int r = 0; r < reports; ++r) {
    const Points z = stream.normal(10, 1);
    const Vector zero = 3 * z.col(0);
    const ClaimTest test = superiority(zero);
    rejected += test.p <= 0.05 ? 1 : 0;
    reproduced += decide(test, test.p) == Verdict::reproduced ? 1 : 0;
    // An effect of just the relevant size must not be refuted more often than that either.
    refuted_truth += superiority(zero.array() + 1).p_against <= 0.05 ? 1 : 0;
  }
  const double size = 51.0 / 1024;
  const double band = 4.9 * std::sqrt(size * (1 - size) / reports);
  EXPECT_NEAR(static_cast<double>(rejected) / reports, size, band);
  EXPECT_NEAR(static_cast<double>(refuted_truth) / reports, size, band);
  EXPECT_LE(reproduced, rejected);
  EXPECT_GT(reproduced, 0);
}

TEST(Superiority, HoldsTheFamilyRateOverManyClaims) {
  // 27 claims without any effect: Holm lets a report err with probability at most .05 (band as above).
  Stream stream(12, "family");
  constexpr int reports = 150;
  int erring = 0;
  for (int r = 0; r < reports; ++r) {
    const Points z = stream.normal(10, 27);
    Vector p(27);
    for (Index c = 0; c < 27; ++c) p[c] = superiority(5 * z.col(c)).p;
    erring += holm_adjusted(p).minCoeff() <= 0.05 ? 1 : 0;
  }
  EXPECT_LE(static_cast<double>(erring) / reports, 0.05 + 4.9 * std::sqrt(0.05 * 0.95 / reports));
}

TEST(NonInferiority, HoldsAgainstEachOrNotAtAll) {
  const ClaimTest both = non_inferiority({about(-0.5, 0.2, 10), about(0.2, 0.2, 10)});
  EXPECT_EQ(decide(both, both.p), Verdict::reproduced);
  EXPECT_NEAR(both.statistic, 0.2, 1e-12);  // the worse of the two
  const ClaimTest one = non_inferiority({about(-0.5, 0.2, 10), about(3, 0.2, 10)});
  EXPECT_EQ(decide(one, one.p), Verdict::not_reproduced);
  const ClaimTest wide = non_inferiority({about(-0.5, 0.2, 10), about(0.5, 5, 10)});
  EXPECT_EQ(decide(wide, wide.p), Verdict::inconclusive);
  EXPECT_EQ(non_inferiority({about(0, 1, 10), about(0, 1, 6)}).n, 6);
  EXPECT_THROW((void)non_inferiority({}), InvalidInput);
}

TEST(Equivalence, NeedsBothSides) {
  const ClaimTest equal = equivalence(about(0, 0.5, 10));
  EXPECT_EQ(decide(equal, equal.p), Verdict::reproduced);
  for (const double side : {-1.0, 1.0}) {
    const ClaimTest apart = equivalence(about(side * 2, 0.5, 10));
    EXPECT_EQ(decide(apart, apart.p), Verdict::not_reproduced);
    const ClaimTest border = equivalence(about(side, 0.5, 10));
    EXPECT_EQ(decide(border, border.p), Verdict::inconclusive);
  }
  EXPECT_EQ(decide(equivalence(about(0, 9, 10)), equivalence(about(0, 9, 10)).p), Verdict::inconclusive);
}

TEST(WithinMargin, JudgesByTheInterval) {
  const ClaimTest in = within_margin(about(-2.02, 0.05, 10), -2, 0.2);
  EXPECT_EQ(decide(in, in.p), Verdict::reproduced);
  const ClaimTest out = within_margin(about(-1.5, 0.05, 10), -2, 0.2);
  EXPECT_EQ(decide(out, out.p), Verdict::not_reproduced);
  const ClaimTest border = within_margin(about(-1.8, 0.05, 10), -2, 0.2);
  EXPECT_EQ(decide(border, border.p), Verdict::inconclusive);
  const ClaimTest exact = within_margin(Vector::Constant(10, -2), -2, 0.2);  // no spread
  EXPECT_EQ(exact.p, 0);
  EXPECT_EQ(decide(exact, exact.p), Verdict::reproduced);
  EXPECT_EQ(decide(within_margin(Vector::Constant(10, 0), -2, 0.2), 1), Verdict::not_reproduced);
  EXPECT_THROW((void)within_margin(about(0, 1, 5), 0, 0), InvalidInput);
}

TEST(BeyondBound, HasBothDirections) {
  const Vector high = about(0.95, 0.02, 10);
  EXPECT_EQ(decide(beyond_bound(high, 0.9), beyond_bound(high, 0.9).p), Verdict::reproduced);
  EXPECT_EQ(decide(beyond_bound(high, 0.9, false), 1), Verdict::not_reproduced);
  EXPECT_EQ(decide(beyond_bound(high, 0.95), beyond_bound(high, 0.95).p), Verdict::inconclusive);
}

TEST(RankCorrelation, IsExactForFewPairs) {
  const Vector x = Vector::LinSpaced(5, 1, 5);
  const ClaimTest rising = rank_correlation(x, x.array().square());
  EXPECT_NEAR(rising.statistic, 1, 1e-12);
  EXPECT_NEAR(rising.p, 1.0 / 120, 1e-12);
  EXPECT_EQ(decide(rising, rising.p), Verdict::reproduced);
  const ClaimTest falling = rank_correlation(x, -x);
  EXPECT_EQ(decide(falling, falling.p), Verdict::not_reproduced);
  EXPECT_EQ(decide(rank_correlation(x, -x, false), 1.0 / 120), Verdict::reproduced);
  // Without relation: 1 2 3 4 5 against 3 1 5 2 4, rho .3.
  Vector y(5);
  y << 3, 1, 5, 2, 4;
  EXPECT_NEAR(rank_correlation(x, y).statistic, 0.3, 1e-12);
  EXPECT_EQ(decide(rank_correlation(x, y), rank_correlation(x, y).p), Verdict::inconclusive);
  const Vector many = Vector::LinSpaced(20, 0, 1);
  EXPECT_LT(rank_correlation(many, many).p, 1e-12);
  EXPECT_THROW((void)rank_correlation(x.head(2), x.head(2)), InvalidInput);
}

TEST(Proportions, FailWhereTheLowerEndPassesTheBound) {
  // Clopper–Pearson at 95 % of 0 and 10 in 100: [0, .0362], [.0490, .1762] (closed form, and tables).
  EXPECT_NEAR(exact_binomial_interval(0, 100, 0.95).high, 1 - std::pow(0.025, 0.01), 1e-12);
  EXPECT_NEAR(exact_binomial_interval(10, 100, 0.95).low, 0.0490, 5e-5);
  EXPECT_NEAR(exact_binomial_interval(10, 100, 0.95).high, 0.1762, 5e-5);
  EXPECT_EQ(proportions_below({{"a", 0, 1e6, 0}, {"b", 1, 1e6, 1e-5}}).verdict, Verdict::reproduced);
  EXPECT_EQ(proportions_below({{"a", 0, 1e6, 0}, {"b", 100, 1e6, 1e-5}}).verdict, Verdict::not_reproduced);
  // Below the bound, but not where the closed form says.
  EXPECT_EQ(proportions_below({{"a", 22750, 1e6, 0.1, 0.02275}}).verdict, Verdict::reproduced);
  EXPECT_EQ(proportions_below({{"a", 2000, 1e6, 0.1, 0.02275}}).verdict, Verdict::not_reproduced);
  EXPECT_THROW((void)proportions_below({}), InvalidInput);
}

TEST(Residuals, MustAllBeWithinTheirTolerance) {
  EXPECT_EQ(residuals_within({{"a", 1e-13, 1e-12}, {"b", 1e-12, 1e-12}}).verdict, Verdict::reproduced);
  EXPECT_EQ(residuals_within({{"a", 1e-13, 1e-12}, {"b", 1.1e-12, 1e-12}}).verdict, Verdict::not_reproduced);
  EXPECT_EQ(residuals_within({{"a", nan, 1e-12}}).verdict, Verdict::not_reproduced);
  EXPECT_NE(residuals_within({{"a", 1, 1e-12}}).test.reason.find("a: 1,"), std::string::npos);
}

TEST(AllOf, IsAsWeakAsItsWeakestPart) {
  const ClaimTest good = superiority(about(3, 0.1, 10));
  const ClaimTest wide = superiority(about(0.8, 4, 8));
  const ClaimTest bad = superiority(about(-3, 0.1, 10));
  EXPECT_EQ(decide(all_of({good, good}), good.p), Verdict::reproduced);
  const ClaimTest open = all_of({good, wide});
  EXPECT_EQ(open.n, 8);
  EXPECT_EQ(open.p, wide.p);
  EXPECT_EQ(decide(open, open.p), Verdict::inconclusive);
  EXPECT_EQ(decide(all_of({bad, good}), 1), Verdict::not_reproduced);
  EXPECT_FALSE(all_of({superiority(about(0.5, 0.1, 10)), good}).relevant);
}

TEST(ReplicatesNeeded, GrowsWithTheSpread) {
  const auto needed = [](const ClaimTest& test, int family) { return replicates_needed(test, family); };
  EXPECT_EQ(needed(superiority(about(3, 0.1, 5)), 27), 10);  // 2^-10 is the first below .05/27
  EXPECT_EQ(needed(superiority(about(3, 0.1, 4)), 1), 5);
  const int some = needed(superiority(about(2, 3, 10)), 27);
  EXPECT_GT(some, 10);
  EXPECT_GT(needed(superiority(about(2, 6, 10)), 27), 2 * some);
  EXPECT_GT(needed(superiority(about(0.5, 2, 10)), 27), 10);  // towards "not reproduced"
  EXPECT_EQ(needed(superiority(about(0.999999, 5, 10)), 27), 0);
  EXPECT_EQ(needed(superiority(about(3, 0.1, 10)), 27), 11);  // more than were not enough
  EXPECT_EQ(replicates_needed(ClaimTest{}, 27), 0);           // nothing is decided over replicates
}

TEST(ReplicatesNeeded, OfEveryRule) {
  // By hand: ((z(1 - .05/27) + z(.8)) s/m)^2 with m the mean distance from the bound, s the spread.
  const double z = normal_quantile(1 - 0.05 / 27) + normal_quantile(0.8);
  const Vector values = about(0.15, 0.1, 10);
  const auto expected = [&](double distance) {
    return static_cast<int>(std::max(11.0, std::ceil(std::pow(z * standard_deviation(values) / distance, 2))));
  };
  EXPECT_EQ(replicates_needed(within_margin(values, 0, 0.2), 27), expected(0.05));
  EXPECT_EQ(replicates_needed(within_margin(-values, 0, 0.2), 27), expected(0.05));
  EXPECT_EQ(replicates_needed(beyond_bound(values, 0.1), 27), expected(0.05));
  EXPECT_EQ(replicates_needed(beyond_bound(values, 0.2, false), 27), expected(0.05));
  EXPECT_EQ(replicates_needed(equivalence(values.array() + 0.8), 27), expected(0.05));
  EXPECT_EQ(replicates_needed(non_inferiority({values.array() + 0.8}), 27), expected(0.05));
  // Of parts that support a claim the hardest counts; one that does not decides at alpha.
  EXPECT_EQ(replicates_needed(all_of({beyond_bound(values, 0.1), beyond_bound(values, 0.12)}), 27), expected(0.03));
  const double against = normal_quantile(0.95) + normal_quantile(0.8);
  EXPECT_EQ(replicates_needed(all_of({beyond_bound(values, 0.1), beyond_bound(values, 0.18)}), 27),
            static_cast<int>(std::max(11.0, std::ceil(std::pow(against * standard_deviation(values) / 0.03, 2)))));
}

}  // namespace
}  // namespace onmanifold
