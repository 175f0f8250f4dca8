// SPDX-License-Identifier: Apache-2.0
#include "core/math/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {
namespace {

using boost::math::complement;

double infinity() {
  return std::numeric_limits<double>::infinity();
}

void require(bool condition, const char* message) {
  if (!condition) throw InvalidInput(message);
}

void require_level(double level) {
  if (!(level > 0 && level < 1)) throw InvalidInput(fmt::format("level {} is outside (0, 1)", level));
}

void require_probability(double p) {
  if (!(p > 0 && p < 1)) throw InvalidInput(fmt::format("quantile of {}: outside (0, 1)", p));
}

void require_degrees(double degrees) {
  if (!(degrees > 0)) throw InvalidInput(fmt::format("{} degrees of freedom: not positive", degrees));
}

void require_finite(const VectorRef& values, const char* what) {
  if (!values.allFinite()) throw InvalidInput(fmt::format("{}: a value is not finite", what));
}

std::vector<double> sortable(const VectorRef& values, const char* what) {
  if (values.size() == 0) throw InvalidInput(fmt::format("{} of no values", what));
  if (values.hasNaN()) throw InvalidInput(fmt::format("{}: a value is NaN", what));
  return {values.begin(), values.end()};
}

double squared_deviations(const VectorRef& values, double centre) {
  return tree_sum_over(values.size(), [&](Index i) { return (values[i] - centre) * (values[i] - centre); });
}

// P-value of a statistic whose law under the null hypothesis is symmetric about 0.
template <class UpperTail>
double symmetric_p(double statistic, Alternative alternative, const UpperTail& upper_tail) {
  switch (alternative) {
    case Alternative::less:
      return upper_tail(-statistic);
    case Alternative::greater:
      return upper_tail(statistic);
    default:
      return std::min(1.0, 2 * upper_tail(std::abs(statistic)));
  }
}

// P-value from the two closed tails of a discrete law.
double tail_p(double lower, double upper, Alternative alternative) {
  switch (alternative) {
    case Alternative::less:
      return lower;
    case Alternative::greater:
      return upper;
    default:
      return std::min(1.0, 2 * std::min(lower, upper));
  }
}

double t_upper_tail(double t, double degrees) {
  if (std::isinf(t)) return t > 0 ? 0.0 : 1.0;
  return cdf(complement(boost::math::students_t(degrees), t));
}

double normal_upper_tail(double z) {
  return cdf(complement(boost::math::normal(), z));
}

TestResult t_test(double difference, double error, double degrees, Alternative alternative, std::string method) {
  TestResult result;
  result.method = std::move(method);
  result.degrees = degrees;
  if (error > 0) {
    result.statistic = difference / error;
  } else {
    result.statistic = difference == 0 ? 0.0 : std::copysign(infinity(), difference);
  }
  result.p = symmetric_p(result.statistic, alternative, [&](double t) { return t_upper_tail(t, degrees); });
  return result;
}

// Doubled mid-ranks are whole numbers: what the exact counts below run over.
std::vector<std::size_t> doubled(const Vector& ranks) {
  std::vector<std::size_t> result;
  for (const double rank : ranks) result.push_back(static_cast<std::size_t>(std::llround(2 * rank)));
  return result;
}

// sum over groups of tied ranks of t^3 - t.
double tie_term(const Vector& ranks) {
  std::vector<double> sorted(ranks.begin(), ranks.end());
  std::sort(sorted.begin(), sorted.end());
  double sum = 0;
  for (auto first = sorted.begin(); first != sorted.end();) {
    const auto last = std::upper_bound(first, sorted.end(), *first);
    const auto t = static_cast<double>(last - first);
    sum += t * t * t - t;
    first = last;
  }
  return sum;
}

// The two closed tails of the law "count[s] ways to reach s" at s = observed.
std::pair<double, double> closed_tails(const std::vector<double>& count, std::size_t observed) {
  const double total = std::accumulate(count.begin(), count.end(), 0.0);  // whole numbers below 2^53: exact
  double lower = 0;
  double upper = 0;
  for (std::size_t s = 0; s < count.size(); ++s) {
    if (s <= observed) lower += count[s];
    if (s >= observed) upper += count[s];
  }
  return {lower / total, upper / total};
}

// All signed sums of \p values, 2^n of them.
std::vector<double> signed_sums(const double* values, Index n) {
  std::vector<double> sums = {0.0};
  for (Index i = 0; i < n; ++i) {
    const std::size_t size = sums.size();
    for (std::size_t k = 0; k < size; ++k) sums.push_back(sums[k] - values[i]);
    for (std::size_t k = 0; k < size; ++k) sums[k] += values[i];
  }
  return sums;
}

// P(D_n < d) by the power of a band matrix: \cite marsaglia2003.
double kolmogorov_cdf(Index n, double d) {
  const double nd = static_cast<double>(n) * d;
  const auto k = static_cast<Index>(nd) + 1;
  const Index m = 2 * k - 1;
  const double h = static_cast<double>(k) - nd;
  Eigen::MatrixXd step = Eigen::MatrixXd::Zero(m, m);
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < std::min(m, i + 2); ++j) step(i, j) = 1;
  }
  double power = 1;
  for (Index i = 0; i < m; ++i) {
    power *= h;  // h^(i+1)
    step(i, 0) -= power;
    step(m - 1, m - 1 - i) -= power;
  }
  if (h > 0.5) step(m - 1, 0) += std::pow(2 * h - 1, static_cast<double>(m));
  for (Index i = 0; i < m; ++i) {
    double factorial = 1;
    for (Index j = i; j >= 0; --j) {  // i - j + 1 = 1, 2, …
      factorial *= static_cast<double>(i - j + 1);
      step(i, j) /= factorial;
    }
  }
  // step^n n! / n^n with powers of two taken out: entries grow and shrink beyond the range of double.
  Eigen::MatrixXd result = Eigen::MatrixXd::Identity(m, m);
  double exponent = 0;
  double step_exponent = 0;
  const auto rescale = [&](Eigen::MatrixXd& matrix, double& logarithm) {
    int shift = 0;
    (void)std::frexp(matrix(k - 1, k - 1), &shift);
    matrix *= std::ldexp(1.0, -shift);
    logarithm += shift;
  };
  for (Index bits = n; bits > 0; bits /= 2) {
    if (bits % 2 == 1) {
      result = (result * step).eval();
      exponent += step_exponent;
      rescale(result, exponent);
    }
    step = (step * step).eval();
    step_exponent *= 2;
    rescale(step, step_exponent);
  }
  double value = result(k - 1, k - 1);
  for (Index i = 1; i <= n; ++i) {
    value *= static_cast<double>(i) / static_cast<double>(n);
    if (value < 0x1p-500) {
      value *= 0x1p500;
      exponent -= 500;
    }
  }
  return std::clamp(value * std::exp2(exponent), 0.0, 1.0);
}

// Q(x) = 2 sum (-1)^(j-1) exp(-2 j^2 x^2), the upper tail of the limit law.
double kolmogorov_limit_survival(double x) {
  if (x < 0.2) return 1;  // 1 - Q < 1e-12
  double sum = 0;
  double sign = 1;
  for (int j = 1; j <= 100; ++j, sign = -sign) {
    const double term = std::exp(-2 * j * j * x * x);
    sum += sign * term;
    if (term < 1e-17 * std::abs(sum)) break;
  }
  return std::clamp(2 * sum, 0.0, 1.0);
}

}  // namespace

double mean(const VectorRef& values) {
  return tree_mean_of(values);
}

double standard_deviation(const VectorRef& values) {
  require(values.size() >= 2, "standard deviation of fewer than two values");
  return std::sqrt(squared_deviations(values, mean(values)) / static_cast<double>(values.size() - 1));
}

double standard_error(const VectorRef& values) {
  return standard_deviation(values) / std::sqrt(static_cast<double>(values.size()));
}

double quantile(const VectorRef& values, double p) {
  std::vector<double> work = sortable(values, "quantile");
  if (!(p >= 0 && p <= 1)) throw InvalidInput(fmt::format("quantile at {}: outside [0, 1]", p));
  const double position = static_cast<double>(work.size() - 1) * p;
  const auto low = static_cast<std::size_t>(position);
  const auto middle = work.begin() + static_cast<std::ptrdiff_t>(low);
  std::nth_element(work.begin(), middle, work.end());
  const double fraction = position - static_cast<double>(low);
  if (fraction == 0) return *middle;
  const double next = *std::min_element(middle + 1, work.end());
  return *middle + fraction * (next - *middle);
}

double median(const VectorRef& values) {
  return quantile(values, 0.5);
}

double order_statistic(const VectorRef& values, Index k) {
  std::vector<double> work = sortable(values, "order statistic");
  if (k < 1 || k > values.size()) {
    throw InvalidInput(fmt::format("order statistic {} of {} values", k, values.size()));
  }
  std::nth_element(work.begin(), work.begin() + (k - 1), work.end());
  return work[static_cast<std::size_t>(k - 1)];
}

Vector mid_ranks(const VectorRef& values, double tolerance) {
  const auto n = static_cast<std::size_t>(values.size());
  if (values.hasNaN()) throw InvalidInput("ranks: a value is NaN");
  std::vector<Index> order(n);
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(), [&](Index i, Index j) { return values[i] < values[j]; });
  Vector ranks(values.size());
  for (std::size_t first = 0; first < n;) {
    std::size_t last = first + 1;
    while (last < n && (values[order[last]] == values[order[last - 1]] ||
                        values[order[last]] - values[order[last - 1]] <= tolerance)) {
      ++last;
    }
    for (std::size_t i = first; i < last; ++i) ranks[order[i]] = static_cast<double>(first + 1 + last) / 2;
    first = last;
  }
  return ranks;
}

double t_half_width(const VectorRef& values, double level) {
  require_level(level);
  return t_quantile((1 + level) / 2, static_cast<double>(values.size() - 1)) * standard_error(values);
}

Interval t_interval(const VectorRef& values, double level) {
  require(values.size() >= 2, "t interval of fewer than two values");
  const double centre = mean(values);
  const double half = t_half_width(values, level);
  return {centre - half, centre + half};
}

Interval bootstrap_interval(const VectorRef& values, const std::function<double(const VectorRef&)>& statistic,
                            const Stream& stream, double level, Index replicates) {
  require_level(level);
  require(values.size() > 0, "bootstrap of no values");
  if (replicates < 2000)
    throw InvalidInput(fmt::format("{} bootstrap replicates, at least 2000 are needed", replicates));
  Vector results(replicates);
  Vector resample(values.size());
  for (Index b = 0; b < replicates; ++b) {
    Stream draws = stream.at(static_cast<std::uint64_t>(b));
    for (Index i = 0; i < values.size(); ++i) {
      resample[i] = values[static_cast<Index>(draws.integer(static_cast<std::uint64_t>(values.size())))];
    }
    results[b] = statistic(resample);
  }
  return {quantile(results, (1 - level) / 2), quantile(results, (1 + level) / 2)};
}

double normal_cdf(double x) {
  return cdf(boost::math::normal(), x);
}

double normal_quantile(double p) {
  require_probability(p);
  return quantile(boost::math::normal(), p);
}

double t_cdf(double x, double degrees) {
  require_degrees(degrees);
  return cdf(boost::math::students_t(degrees), x);
}

double t_quantile(double p, double degrees) {
  require_probability(p);
  require_degrees(degrees);
  return quantile(boost::math::students_t(degrees), p);
}

double chi_squared_cdf(double x, double degrees) {
  require_degrees(degrees);
  return x <= 0 ? 0.0 : cdf(boost::math::chi_squared(degrees), x);
}

double chi_squared_survival(double x, double degrees) {
  require_degrees(degrees);
  return x <= 0 ? 1.0 : cdf(complement(boost::math::chi_squared(degrees), x));
}

double chi_squared_quantile(double p, double degrees) {
  require_probability(p);
  require_degrees(degrees);
  return quantile(boost::math::chi_squared(degrees), p);
}

double normal_p_two_sided(double z) {
  return 2 * normal_upper_tail(std::abs(z));
}

double t_p_two_sided(double t, double degrees) {
  require_degrees(degrees);
  return 2 * t_upper_tail(std::abs(t), degrees);
}

double kolmogorov_smirnov_p(Index n, double d) {
  require(n >= 1, "Kolmogorov–Smirnov p-value of no values");
  const auto size = static_cast<double>(n);
  if (!(d > 0.5 / size)) return 1;
  if (d >= 1) return 0;
  const double square = size * d * d;
  if (n <= 1000) {
    if (square > 7.24 || (square > 3.76 && n > 99)) {
      return 2 * std::exp(-(2.000071 + 0.331 / std::sqrt(size) + 1.409 / size) * square);
    }
    return 1 - kolmogorov_cdf(n, d);
  }
  return kolmogorov_limit_survival(d * (std::sqrt(size) + 0.12 + 0.11 / std::sqrt(size)));
}

TestResult kolmogorov_smirnov_test(const VectorRef& values, const std::function<double(double)>& cdf_of) {
  std::vector<double> sorted = sortable(values, "Kolmogorov–Smirnov test");
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  double distance = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double p = cdf_of(sorted[i]);
    distance = std::max({distance, static_cast<double>(i + 1) / n - p, p - static_cast<double>(i) / n});
  }
  TestResult result;
  result.statistic = distance;
  result.p = kolmogorov_smirnov_p(values.size(), distance);
  result.method = values.size() <= 1000 ? "Kolmogorov–Smirnov, exact" : "Kolmogorov–Smirnov, Stephens's limit";
  return result;
}

TestResult chi_squared_test(const VectorRef& counts, const VectorRef& probabilities, Index fitted) {
  if (counts.size() != probabilities.size()) {
    throw InvalidInput(
        fmt::format("chi-squared test: {} counts, {} probabilities", counts.size(), probabilities.size()));
  }
  const double total = tree_sum(counts);
  require(total > 0, "chi-squared test: no counts");
  if (std::abs(tree_sum(probabilities) - 1) > 1e-9) {
    throw InvalidInput(fmt::format("chi-squared test: probabilities sum to {}", tree_sum(probabilities)));
  }
  Index cells = 0;
  TreeSum sum;
  for (Index i = 0; i < counts.size(); ++i) {
    if (!(probabilities[i] >= 0))
      throw InvalidInput(fmt::format("chi-squared test: probability {} of cell {}", probabilities[i], i));
    if (probabilities[i] == 0) {
      if (counts[i] != 0) throw InvalidInput(fmt::format("chi-squared test: counts in cell {} of probability 0", i));
      continue;
    }
    const double expected = total * probabilities[i];
    sum.add((counts[i] - expected) * (counts[i] - expected) / expected);
    ++cells;
  }
  TestResult result;
  result.statistic = sum.sum();
  result.degrees = static_cast<double>(cells - 1 - fitted);
  result.p = chi_squared_survival(result.statistic, result.degrees);
  result.method = "chi-squared, goodness of fit";
  return result;
}

TestResult paired_t_test(const VectorRef& differences, Alternative alternative) {
  require(differences.size() >= 2, "paired t test of fewer than two differences");
  require_finite(differences, "paired t test");
  return t_test(mean(differences), standard_error(differences), static_cast<double>(differences.size() - 1),
                alternative, "paired t");
}

TestResult welch_t_test(const VectorRef& first, const VectorRef& second, Alternative alternative) {
  require(first.size() >= 2 && second.size() >= 2, "Welch t test of fewer than two values");
  require_finite(first, "Welch t test");
  require_finite(second, "Welch t test");
  const double a = std::pow(standard_error(first), 2);
  const double b = std::pow(standard_error(second), 2);
  double degrees = static_cast<double>(first.size() + second.size() - 2);
  if (a + b > 0) {
    degrees = (a + b) * (a + b) /
              (a * a / static_cast<double>(first.size() - 1) + b * b / static_cast<double>(second.size() - 1));
  }
  return t_test(mean(first) - mean(second), std::sqrt(a + b), degrees, alternative, "Welch t");
}

TestResult sign_flip_test(const VectorRef& differences, Alternative alternative) {
  const Index n = differences.size();
  require(n >= 1, "sign-flip test of no differences");
  require_finite(differences, "sign-flip test");
  const double magnitude = tree_sum(differences.cwiseAbs());
  const double observed = tree_sum(differences);
  const double tolerance = 1e-12 * magnitude;
  const auto counts = [&](double sum) {
    switch (alternative) {
      case Alternative::less:
        return sum <= observed + tolerance;
      case Alternative::greater:
        return sum >= observed - tolerance;
      default:
        return std::abs(sum) >= std::abs(observed) - tolerance;
    }
  };
  TestResult result;
  result.statistic = observed / static_cast<double>(n);
  std::int64_t hits = 0;
  constexpr Index exact_limit = 24;
  if (n <= exact_limit) {
    // Two tables of half the signs each: every total then has the rounding errors of n additions only.
    const std::vector<double> left = signed_sums(differences.data(), n / 2);
    const std::vector<double> right = signed_sums(differences.data() + n / 2, n - n / 2);
    for (const double a : left) {
      for (const double b : right) hits += counts(a + b) ? 1 : 0;
    }
    result.p = static_cast<double>(hits) / std::exp2(static_cast<double>(n));
    result.method = "sign flip, exact";
    return result;
  }
  constexpr Index flips = 200000;
  const Stream stream(0, "statistics/sign_flip");
  for (Index flip = 0; flip < flips; ++flip) {
    Stream draws = stream.at(static_cast<std::uint64_t>(flip));
    TreeSum sum;
    std::uint64_t signs = 0;
    for (Index i = 0; i < n; ++i, signs >>= 1U) {
      if (i % 62 == 0) signs = draws.integer(std::uint64_t{1} << 62U);
      sum.add((signs & 1U) != 0 ? -differences[i] : differences[i]);
    }
    hits += counts(sum.sum()) ? 1 : 0;
  }
  result.p = static_cast<double>(hits + 1) / static_cast<double>(flips + 1);
  result.method = fmt::format("sign flip, {} random flips", flips);
  return result;
}

TestResult wilcoxon_signed_rank_test(const VectorRef& differences, Alternative alternative) {
  require_finite(differences, "Wilcoxon test");
  std::vector<double> kept;
  for (const double d : differences) {
    if (d != 0) kept.push_back(d);
  }
  TestResult result;
  result.method = "Wilcoxon signed rank, exact";
  if (kept.empty()) {
    require(differences.size() > 0, "Wilcoxon test of no differences");
    result.statistic = 0;
    result.p = 1;
    return result;
  }
  const Eigen::Map<const Vector> d(kept.data(), static_cast<Index>(kept.size()));
  const Vector sizes = d.cwiseAbs();
  const Vector ranks = mid_ranks(sizes, 1e-12 * sizes.maxCoeff());
  const std::vector<std::size_t> twice = doubled(ranks);
  const std::size_t total = std::accumulate(twice.begin(), twice.end(), std::size_t{0});
  std::size_t positive = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) positive += kept[i] > 0 ? twice[i] : 0;
  result.statistic = static_cast<double>(std::min(positive, total - positive)) / 2;
  constexpr std::size_t exact_limit = 50;  // 2^50 sign patterns are counted exactly in double
  if (kept.size() <= exact_limit) {
    std::vector<double> count(total + 1, 0.0);
    count[0] = 1;
    for (const std::size_t rank : twice) {
      for (std::size_t s = total; s >= rank; --s) count[s] += count[s - rank];
    }
    const auto [lower, upper] = closed_tails(count, positive);
    result.p = tail_p(lower, upper, alternative);
    return result;
  }
  const auto n = static_cast<double>(kept.size());
  const double variance = n * (n + 1) * (2 * n + 1) / 24 - tie_term(ranks) / 48;
  const double shift = static_cast<double>(positive) / 2 - n * (n + 1) / 4;
  result.method = "Wilcoxon signed rank, tie-corrected normal";
  result.p = symmetric_p(shift / std::sqrt(variance), alternative, normal_upper_tail);
  return result;
}

TestResult mann_whitney_test(const VectorRef& first, const VectorRef& second, Alternative alternative) {
  const Index n1 = first.size();
  const Index n2 = second.size();
  require(n1 >= 1 && n2 >= 1, "Mann–Whitney test of an empty sample");
  Vector all(n1 + n2);
  all << first, second;
  const Vector ranks = mid_ranks(all);
  const double ties = tie_term(ranks);
  const double pairs = static_cast<double>(n1) * static_cast<double>(n2);
  TestResult result;
  result.statistic = tree_sum(ranks.head(n1)) - static_cast<double>(n1) * static_cast<double>(n1 + 1) / 2;
  if (pairs <= 400) {
    // Ways to choose the smaller sample among all ranks, by size and doubled rank sum.
    const std::vector<std::size_t> twice = doubled(ranks);
    const bool count_first = n1 <= n2;
    const auto chosen = static_cast<std::size_t>(std::min(n1, n2));
    const std::size_t top = std::accumulate(twice.begin(), twice.end(), std::size_t{0});
    std::vector<std::vector<double>> count(chosen + 1, std::vector<double>(top + 1, 0.0));
    count[0][0] = 1;
    for (const std::size_t rank : twice) {
      for (std::size_t k = chosen; k >= 1; --k) {
        for (std::size_t s = top; s >= rank; --s) count[k][s] += count[k - 1][s - rank];
      }
    }
    const auto begin = twice.begin() + (count_first ? 0 : n1);
    const std::size_t observed = std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(chosen), std::size_t{0});
    auto [lower, upper] = closed_tails(count[chosen], observed);
    if (!count_first) std::swap(lower, upper);
    result.p = tail_p(lower, upper, alternative);
    result.method = ties > 0 ? "Mann–Whitney U, exact with mid-ranks" : "Mann–Whitney U, exact";
    return result;
  }
  const auto n = static_cast<double>(n1 + n2);
  const double variance = pairs / 12 * (n + 1 - ties / (n * (n - 1)));
  result.method = "Mann–Whitney U, tie-corrected normal";
  if (!(variance > 0)) {
    result.p = 1;
    return result;
  }
  const double shift = result.statistic - pairs / 2;
  const auto upper = [&](double x) { return normal_upper_tail((x - 0.5) / std::sqrt(variance)); };
  result.p = std::min(1.0, symmetric_p(shift, alternative, upper));
  return result;
}

Vector holm_adjusted(const VectorRef& p_values) {
  const Index m = p_values.size();
  for (const double p : p_values) {
    if (!(p >= 0 && p <= 1)) throw InvalidInput(fmt::format("Holm adjustment: p-value {} is outside [0, 1]", p));
  }
  std::vector<Index> order(static_cast<std::size_t>(m));
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(), [&](Index i, Index j) { return p_values[i] < p_values[j]; });
  Vector adjusted(m);
  double running = 0;
  for (Index i = 0; i < m; ++i) {
    const Index at = order[static_cast<std::size_t>(i)];
    running = std::max(running, std::min(1.0, static_cast<double>(m - i) * p_values[at]));
    adjusted[at] = running;
  }
  return adjusted;
}

}  // namespace onmanifold
