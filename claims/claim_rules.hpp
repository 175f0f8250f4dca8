// SPDX-License-Identifier: Apache-2.0
#pragma once
// The decision rules of claims, on plain numbers. A rule turns the numbers of a claim into one test of the
// claim and one against it; Holm's correction over all claims of a report comes between the test and the
// verdict. Nothing here knows of files.

#include <limits>
#include <string>
#include <vector>

#include "core/math/statistics.hpp"

namespace onmanifold {

enum class Verdict {
  reproduced,
  not_reproduced,
  inconclusive,
  theorem,    ///< true by proof: the numbers say where it is vacuous
  not_tested  ///< the results hold nothing of it
};
/// "reproduced", "not reproduced", "inconclusive", "a theorem", "not tested".
[[nodiscard]] std::string to_string(Verdict verdict);

/// With fewer finished replicates nothing is concluded.
inline constexpr int claim_smallest_n = 5;

/// How far each replicate lies on the claim's side of where it would be refuted.
struct Distances {
  Vector values;
  double relevant = 0;  ///< what their mean must be at least; below, the claim is tested against
};

/// What a rule found, before the correction for the number of claims.
struct ClaimTest {
  int n = 0;  ///< replicates, or cases
  double statistic = std::numeric_limits<double>::quiet_NaN();
  Interval interval;                 ///< 95 %, t over replicates, where there is one
  double p = 1;                      ///< of "the claim is false"
  double p_against = 1;              ///< of "the claim is true": small refutes it
  bool relevant = true;              ///< beside the test: the effect is large enough, the interval inside the margin
  std::string reason;                ///< one clause
  std::vector<Distances> distances;  ///< of every part that is decided over replicates
};

/// \p differences: one number a replicate, in units of the smallest relevant effect, positive where it
/// supports the claim. p: exact one-sided sign flips of mean <= 0; relevant: mean >= 1; p_against: the same
/// test of mean >= 1. \throw InvalidInput for no values or values that are not finite, as all rules here.
[[nodiscard]] ClaimTest superiority(const Vector& differences);

/// Each of \p competitors: differences of the claimed method against it in units of the margin, positive
/// where the claimed method is WORSE. Intersection–union test \cite berger1982: each must be non-inferior,
/// mean < 1; p is the largest. p_against: Holm over the competitors of mean <= 1.
[[nodiscard]] ClaimTest non_inferiority(const std::vector<Vector>& competitors);

/// Two one-sided tests \cite schuirmann1987 of |mean| >= 1, each by sign flips, \p differences in units of
/// the margin.
[[nodiscard]] ClaimTest equivalence(const Vector& differences);

/// The mean over replicates lies in \p center ± \p margin: two one-sided t tests, and the 95 % interval
/// inside. One value, or equal values: without spread, in or out. \throw InvalidInput unless margin > 0.
[[nodiscard]] ClaimTest within_margin(const Vector& values, double center, double margin);

/// The mean of \p values lies above \p bound (below: \p above false), by sign flips about the bound.
[[nodiscard]] ClaimTest beyond_bound(const Vector& values, double bound, bool above = true);

/// Spearman's rank correlation of pairs is positive (negative: \p positive false), mid-ranks for ties. p:
/// exact over all orders up to 8 pairs, else t with n - 2 degrees. \pre at least 3 pairs.
[[nodiscard]] ClaimTest rank_correlation(const Vector& x, const Vector& y, bool positive = true);

/// One proportion and what it may be at most.
struct ProportionCase {
  std::string name;
  double successes = 0;  ///< whole numbers
  double trials = 0;
  double bound = 1;
  double exact = std::numeric_limits<double>::quiet_NaN();  ///< the proportion where it is known: must be covered
};
/// Deterministic: every exact interval \cite clopper1934 at \p level has its lower end at or below its bound,
/// and covers the exact value. statistic: the largest lower end over its bound.
struct CaseDecision {
  Verdict verdict = Verdict::inconclusive;
  ClaimTest test;  ///< without p
};
[[nodiscard]] CaseDecision proportions_below(const std::vector<ProportionCase>& cases, double level = 0.99);
/// The exact interval of a proportion \cite clopper1934. \throw InvalidInput unless 0 <= successes <= trials,
/// trials > 0, 0 < level < 1.
[[nodiscard]] Interval exact_binomial_interval(double successes, double trials, double level);

/// A residual that must not exceed its tolerance.
struct ResidualCase {
  std::string name;
  double value = 0;  ///< NaN counts as above every tolerance
  double tolerance = 0;
};
/// Deterministic: reproduced where each case is within its tolerance. statistic: largest value/tolerance.
[[nodiscard]] CaseDecision residuals_within(const std::vector<ResidualCase>& cases);

/// Co-primary tests of one claim: all must hold. p and n of the weakest, p_against by Holm over the parts,
/// statistic and interval of the part with the largest p; relevant if all are. \throw InvalidInput for none.
[[nodiscard]] ClaimTest all_of(const std::vector<ClaimTest>& parts);

/// The verdict: inconclusive below claim_smallest_n; reproduced where \p adjusted_p <= alpha and the effect
/// is relevant; not reproduced where test.p_against <= alpha; else inconclusive.
[[nodiscard]] Verdict decide(const ClaimTest& test, double adjusted_p, double alpha = 0.05);

/// The number of replicates that a claim left inconclusive would need to be decided with probability \p power
/// if means and spreads of \p test stay as they are, normal approximation: for the parts that support it, at
/// alpha/family, all of them; if one does not, at alpha against the claim. At least what sign flips allow
/// (2^-n), and more than there are. 0: no number up to 10,000 will do, or nothing is decided over replicates.
[[nodiscard]] int replicates_needed(const ClaimTest& test, int family, double alpha = 0.05, double power = 0.8);

}  // namespace onmanifold
