// SPDX-License-Identifier: Apache-2.0
#include "metrics/binomial_moments.hpp"

#include <algorithm>
#include <cmath>

#include "core/math/summation.hpp"

namespace onmanifold {
namespace {

// std::lgamma writes a global (signgam), lgamma_r does not.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

double log_pmf(double n, double k, double p) {
  return log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1) + k * std::log(p) + (n - k) * std::log1p(-p);
}

struct CellMoments {
  double mean = 0;       // E term
  double variance = 0;   // Var term
  double linear = 0;     // Cov(B, term)
  double quadratic = 0;  // Cov((B - Np)^2 / (Npq), term)
};

CellMoments cell_moments(Index count, double p, const std::function<double(double, double)>& term) {
  CellMoments result;
  const auto n = static_cast<double>(count);
  if (p <= 0 || p >= 1) {
    result.mean = term(p, p <= 0 ? 0.0 : 1.0);
    return result;
  }
  const double variance = n * p * (1 - p);
  const double mode = std::min(std::floor((n + 1) * p), n);
  const double peak = std::exp(log_pmf(n, mode, p));
  // Outwards from the mode by the ratio of neighbours; weights are normalised by their own sum, which takes
  // away the error of lgamma at the mode.
  double weight_sum = 0;
  double first = 0;
  double second = 0;
  double linear = 0;
  double quadratic = 0;
  double square = 0;
  const double odds = p / (1 - p);
  const auto visit = [&](double k, double weight) {
    const double value = term(p, k / n);
    const double deviation = k - n * p;
    weight_sum += weight;
    first += weight * value;
    second += weight * value * value;
    linear += weight * deviation * value;
    quadratic += weight * deviation * deviation * value;
    square += weight * deviation * deviation;
  };
  const double limit = 1e-18 * peak;
  double weight = peak;
  for (double k = mode; k <= n && weight > limit; ++k) {
    visit(k, weight);
    weight *= (n - k) / (k + 1) * odds;
  }
  weight = peak * mode / ((n - mode + 1) * odds);
  for (double k = mode - 1; k >= 0 && weight > limit; --k) {
    visit(k, weight);
    weight *= k / ((n - k + 1) * odds);
  }
  result.mean = first / weight_sum;
  result.variance = std::max(0.0, second / weight_sum - result.mean * result.mean);
  result.linear = linear / weight_sum;
  result.quadratic = (quadratic - result.mean * square) / weight_sum / variance;
  return result;
}

}  // namespace

double binomial_mean_absolute_deviation(Index count, double p) {
  if (p <= 0 || p >= 1) return 0;
  const auto n = static_cast<double>(count);
  const double m = std::floor(n * p);
  if (m >= n) return 0;  // n p rounded up to n
  return 2 * (1 - p) * (m + 1) * std::exp(log_pmf(n, m + 1, p));
}

NullMoments multinomial_sum_moments(Index n, const VectorRef& masses,
                                    const std::function<double(double, double)>& term) {
  TreeSum mean;
  TreeSum variance;
  TreeSum linear;
  TreeSum linear_self;
  TreeSum quadratic;
  TreeSum quadratic_self;
  for (Index b = 0; b < masses.size(); ++b) {
    const double p = masses[b];
    const CellMoments cell = cell_moments(n, p, term);
    mean.add(cell.mean);
    variance.add(cell.variance);
    if (p <= 0 || p >= 1) continue;
    const double c = cell.linear / (1 - p);
    const double s = cell.quadratic * p / (1 - p);
    linear.add(c);
    linear_self.add(c * c);
    quadratic.add(s);
    quadratic_self.add(s * s);
  }
  const double cross = -(linear.sum() * linear.sum() - linear_self.sum()) / static_cast<double>(n) +
                       (quadratic.sum() * quadratic.sum() - quadratic_self.sum()) / 2;
  return {mean.sum(), std::sqrt(std::max(0.0, variance.sum() + cross))};
}

}  // namespace onmanifold
