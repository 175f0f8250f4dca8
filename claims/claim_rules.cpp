// SPDX-License-Identifier: Apache-2.0
#include "claims/claim_rules.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <boost/math/distributions/binomial.hpp>
#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

using Binomial = boost::math::binomial_distribution<double>;

void check(const Vector& values, const char* what) {
  if (values.size() == 0 || !values.allFinite()) {
    throw InvalidInput(fmt::format("{}: needs values, all of them finite", what));
  }
}

Interval interval_of(const Vector& values) {
  return values.size() >= 2 ? t_interval(values) : Interval{};
}

double flip_p(const Vector& values, Alternative alternative) {
  return sign_flip_test(values, alternative).p;
}

ClaimTest of_values(const Vector& values) {
  ClaimTest test;
  test.n = static_cast<int>(values.size());
  test.statistic = mean(values);
  test.interval = interval_of(values);
  return test;
}

/// P(mean of the population <= bound) by t; without spread, 0 or 1.
double t_p(const Vector& values, double bound, Alternative alternative) {
  const Vector shifted = values.array() - bound;
  const bool greater = alternative == Alternative::greater;
  if (values.size() < 2 || shifted.maxCoeff() == shifted.minCoeff()) {
    return (greater ? shifted[0] > 0 : shifted[0] < 0) ? 0 : 1;
  }
  return paired_t_test(shifted, alternative).p;
}

double smallest(const Vector& p_values) {
  return holm_adjusted(p_values).minCoeff();
}

double correlation(const Vector& a, const Vector& b) {
  const Vector x = a.array() - mean(a);
  const Vector y = b.array() - mean(b);
  const double scale = x.norm() * y.norm();
  return scale > 0 ? x.dot(y) / scale : 0;
}

}  // namespace

std::string to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::reproduced:
      return "reproduced";
    case Verdict::not_reproduced:
      return "not reproduced";
    case Verdict::inconclusive:
      return "inconclusive";
    case Verdict::theorem:
      return "a theorem";
    case Verdict::not_tested:
      return "not tested";
  }
  throw InvalidInput("not a verdict");
}

ClaimTest superiority(const Vector& differences) {
  check(differences, "superiority");
  ClaimTest test = of_values(differences);
  test.p = flip_p(differences, Alternative::greater);
  test.p_against = flip_p(differences.array() - 1, Alternative::less);
  test.relevant = test.statistic >= 1;
  test.distances = {{differences, 1}};
  test.reason = fmt::format("mean difference {:.3g} of the smallest relevant one", test.statistic);
  return test;
}

ClaimTest non_inferiority(const std::vector<Vector>& competitors) {
  if (competitors.empty()) throw InvalidInput("non_inferiority: needs a competitor");
  ClaimTest worst;
  std::vector<Distances> distances;
  worst.p = -1;
  Vector against(static_cast<Index>(competitors.size()));
  int n = std::numeric_limits<int>::max();
  for (std::size_t c = 0; c < competitors.size(); ++c) {
    check(competitors[c], "non_inferiority");
    ClaimTest test = of_values(competitors[c]);
    const Vector beyond = competitors[c].array() - 1;
    test.p = flip_p(beyond, Alternative::less);
    against[static_cast<Index>(c)] = flip_p(beyond, Alternative::greater);
    n = std::min(n, test.n);
    distances.push_back({-beyond, 0});
    if (test.p > worst.p || (test.p == worst.p && test.statistic > worst.statistic)) worst = test;
  }
  worst.n = n;
  worst.distances = distances;
  worst.p_against = smallest(against);
  worst.reason = fmt::format("worst competitor: {:.3g} of the margin behind", worst.statistic);
  return worst;
}

ClaimTest equivalence(const Vector& differences) {
  check(differences, "equivalence");
  ClaimTest test = of_values(differences);
  const Vector above = differences.array() - 1;
  const Vector below = differences.array() + 1;
  test.p = std::max(flip_p(above, Alternative::less), flip_p(below, Alternative::greater));
  test.p_against = std::min(1.0, 2 * std::min(flip_p(above, Alternative::greater), flip_p(below, Alternative::less)));
  test.distances = {{test.statistic > 0 ? Vector(-above) : below, 0}};
  test.reason = fmt::format("mean difference {:.3g} of the margin", test.statistic);
  return test;
}

ClaimTest within_margin(const Vector& values, double center, double margin) {
  check(values, "within_margin");
  if (!(margin > 0)) throw InvalidInput("within_margin: the margin must be positive");
  ClaimTest test = of_values(values);
  const double low = center - margin;
  const double high = center + margin;
  test.p = std::max(t_p(values, low, Alternative::greater), t_p(values, high, Alternative::less));
  test.p_against =
      std::min(1.0, 2 * std::min(t_p(values, low, Alternative::less), t_p(values, high, Alternative::greater)));
  test.relevant = values.size() < 2 ? test.statistic > low && test.statistic < high
                                    : test.interval.low > low && test.interval.high < high;
  const Vector offsets = values.array() - center;
  test.distances = {{margin - (test.statistic > center ? offsets : -offsets).array(), 0}};
  test.reason = fmt::format("{:.3g} where {:.3g} ± {:.3g} is asked for", test.statistic, center, margin);
  return test;
}

ClaimTest beyond_bound(const Vector& values, double bound, bool above) {
  check(values, "beyond_bound");
  ClaimTest test = of_values(values);
  const Vector signed_values = above ? Vector(values.array() - bound) : Vector(bound - values.array());
  test.p = flip_p(signed_values, Alternative::greater);
  test.p_against = flip_p(signed_values, Alternative::less);
  test.distances = {{signed_values, 0}};
  test.reason =
      fmt::format("{:.3g} where {} {:.3g} is asked for", test.statistic, above ? "more than" : "less than", bound);
  return test;
}

ClaimTest rank_correlation(const Vector& x, const Vector& y, bool positive) {
  check(x, "rank_correlation");
  check(y, "rank_correlation");
  const Index n = x.size();
  if (y.size() != n || n < 3) throw InvalidInput("rank_correlation: needs at least 3 pairs");
  const Vector a = mid_ranks(x);
  const Vector b = mid_ranks(y);
  ClaimTest test;
  test.n = static_cast<int>(n);
  test.statistic = correlation(a, b);
  const double rho = positive ? test.statistic : -test.statistic;
  if (n <= 8) {
    std::vector<Index> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), Index{0});
    double total = 0;
    double as_large = 0;
    double as_small = 0;
    Vector moved(n);
    do {
      for (Index i = 0; i < n; ++i) moved[i] = b[order[static_cast<std::size_t>(i)]];
      const double value = positive ? correlation(a, moved) : -correlation(a, moved);
      total += 1;
      // Equal correlations differ in their last digits.
      if (value >= rho - 1e-12) as_large += 1;
      if (value <= rho + 1e-12) as_small += 1;
    } while (std::next_permutation(order.begin(), order.end()));
    test.p = as_large / total;
    test.p_against = as_small / total;
  } else if (std::abs(rho) >= 1) {
    test.p = rho > 0 ? 0 : 1;
    test.p_against = 1 - test.p;
  } else {
    const auto degrees = static_cast<double>(n - 2);
    const double t = rho * std::sqrt(degrees / (1 - rho * rho));
    test.p_against = t_cdf(t, degrees);
    test.p = 1 - test.p_against;
  }
  test.reason = fmt::format("rank correlation {:.3g}, claimed {}", test.statistic, positive ? "positive" : "negative");
  return test;
}

Interval exact_binomial_interval(double successes, double trials, double level) {
  if (!(trials > 0) || !(successes >= 0) || !(successes <= trials) || !(level > 0) || !(level < 1)) {
    throw InvalidInput("exact_binomial_interval: needs 0 <= successes <= trials, trials > 0, 0 < level < 1");
  }
  const double tail = (1 - level) / 2;
  return {successes > 0 ? Binomial::find_lower_bound_on_p(trials, successes, tail) : 0,
          successes < trials ? Binomial::find_upper_bound_on_p(trials, successes, tail) : 1};
}

CaseDecision proportions_below(const std::vector<ProportionCase>& cases, double level) {
  CaseDecision result;
  if (cases.empty()) throw InvalidInput("proportions_below: needs a case");
  result.verdict = Verdict::reproduced;
  result.test.n = static_cast<int>(cases.size());
  result.test.statistic = 0;
  std::vector<std::string> broken;
  for (const ProportionCase& one : cases) {
    const Interval interval = exact_binomial_interval(one.successes, one.trials, level);
    const double ratio = interval.low <= 0 ? 0 : interval.low / one.bound;
    if (!(ratio <= result.test.statistic)) {
      result.test.statistic = ratio;
    }
    const bool covered = std::isnan(one.exact) || (interval.low <= one.exact && one.exact <= interval.high);
    if (!(interval.low <= one.bound) || !covered) {
      broken.push_back(fmt::format("{}: [{:.3g}, {:.3g}] against {:.3g}", one.name, interval.low, interval.high,
                                   covered ? one.bound : one.exact));
    }
  }
  if (!broken.empty()) result.verdict = Verdict::not_reproduced;
  result.test.reason = broken.empty()
                           ? fmt::format("no interval of {} lies above its bound", cases.size())
                           : fmt::format("{} of {} cases fail, first {}", broken.size(), cases.size(), broken.front());
  return result;
}

CaseDecision residuals_within(const std::vector<ResidualCase>& cases) {
  if (cases.empty()) throw InvalidInput("residuals_within: needs a case");
  CaseDecision result;
  result.verdict = Verdict::reproduced;
  result.test.n = static_cast<int>(cases.size());
  result.test.statistic = 0;
  std::size_t failing = 0;
  std::string first;
  for (const ResidualCase& one : cases) {
    const double ratio = one.value / one.tolerance;
    if (!(ratio <= result.test.statistic)) {
      result.test.statistic = std::isnan(ratio) ? std::numeric_limits<double>::infinity() : ratio;
    }
    if (one.value <= one.tolerance) continue;
    if (failing++ == 0) first = fmt::format("{}: {:.3g}, tolerance {:.3g}", one.name, one.value, one.tolerance);
  }
  if (failing > 0) result.verdict = Verdict::not_reproduced;
  result.test.reason = failing == 0 ? fmt::format("all {} cases within their tolerance", cases.size())
                                    : fmt::format("{} of {} cases fail, first {}", failing, cases.size(), first);
  return result;
}

ClaimTest all_of(const std::vector<ClaimTest>& parts) {
  if (parts.empty()) throw InvalidInput("all_of: needs a test");
  ClaimTest result = parts.front();
  Vector against(static_cast<Index>(parts.size()));
  std::vector<Distances> distances;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const ClaimTest& part = parts[i];
    distances.insert(distances.end(), part.distances.begin(), part.distances.end());
    against[static_cast<Index>(i)] = part.p_against;
    const int n = std::min(result.n, part.n);
    const bool relevant = result.relevant && part.relevant;
    // The part that fails is the one to show.
    if (part.p > result.p || (result.relevant && !part.relevant && part.p >= result.p)) {
      result = part;
    }
    result.n = n;
    result.relevant = relevant;
  }
  result.p_against = smallest(against);
  result.distances = std::move(distances);
  return result;
}

Verdict decide(const ClaimTest& test, double adjusted_p, double alpha) {
  if (test.n < claim_smallest_n) return Verdict::inconclusive;
  if (adjusted_p <= alpha && test.relevant) return Verdict::reproduced;
  if (test.p_against <= alpha) return Verdict::not_reproduced;
  return Verdict::inconclusive;
}

int replicates_needed(const ClaimTest& test, int family, double alpha, double power) {
  if (family < 1 || !(alpha > 0) || !(alpha < 1) || !(power > 0) || !(power < 1)) {
    throw InvalidInput("replicates_needed: needs a family and rates in (0, 1)");
  }
  constexpr double most = 10000;
  double supporting = 0;                                      // the most that a part needs that supports the claim
  double refuting = std::numeric_limits<double>::infinity();  // the least of one that does not
  for (const Distances& part : test.distances) {
    if (part.values.size() < 2) return 0;
    const double m = mean(part.values);
    const bool supports = m >= part.relevant;
    const double rate = supports ? alpha / family : alpha;
    const double distance = supports ? m : part.relevant - m;
    const double floor = std::max<double>(claim_smallest_n, std::ceil(-std::log2(rate) - 1e-9));
    const double ratio =
        (normal_quantile(1 - rate) + normal_quantile(power)) * standard_deviation(part.values) / distance;
    const double n = distance > 0 ? std::max(floor, std::ceil(ratio * ratio)) : std::numeric_limits<double>::infinity();
    if (supports) {
      supporting = std::max(supporting, n);
    } else {
      refuting = std::min(refuting, n);
    }
  }
  if (test.distances.empty()) return 0;
  // What there is was not enough.
  const double n = std::max<double>(std::isfinite(refuting) ? refuting : supporting, test.n + 1);
  return n <= most ? static_cast<int>(n) : 0;
}

}  // namespace onmanifold
