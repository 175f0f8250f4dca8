// SPDX-License-Identifier: Apache-2.0
#include "analysis/rank_statistics.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/math/quadrature.hpp"

namespace onmanifold {

double studentised_range_cdf(double q, int k) {
  if (k < 2) throw InvalidInput("a range needs at least two numbers");
  if (!(q > 0)) return 0.0;
  // x is the largest number; beyond 9.5 standard deviations there is less than 1e-17 even for a thousand
  // numbers.
  static const QuadratureRule rule = gauss_legendre(400, -9.5, 9.5);
  double sum = 0.0;
  for (Index i = 0; i < rule.nodes.size(); ++i) {
    const double x = rule.nodes(i);
    sum += rule.weights(i) * std::exp(-0.5 * x * x) * std::pow(normal_mass(x - q, x), k - 1);
  }
  constexpr double inverse_root_two_pi = 0.39894228040143267794;
  return std::min(1.0, k * inverse_root_two_pi * sum);
}

double studentised_range_quantile(double p, int k) {
  if (!(p > 0 && p < 1)) throw InvalidInput("a quantile needs a probability between 0 and 1");
  double low = 0.0;
  double high = 19.0;
  for (int i = 0; i < 60; ++i) {  // 19 × 2^-60 is below one ulp of any quantile
    const double middle = 0.5 * (low + high);
    (studentised_range_cdf(middle, k) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

double critical_difference(int k, double blocks, double alpha) {
  return studentised_range_quantile(1 - alpha, k) * std::sqrt(k * (k + 1.0) / (12 * blocks));
}

TestResult friedman_test(const Points& ranks, const Vector& weights) {
  const Index k = ranks.cols();
  if (k < 2 || ranks.rows() < 1) throw InvalidInput("Friedman's test needs two arms and a block");
  if (weights.size() != ranks.rows() || std::abs(weights.sum() - 1) > 1e-9) {
    throw InvalidInput("Friedman's test needs one weight a block, with sum 1");
  }
  const double middle = 0.5 * static_cast<double>(k + 1);
  // Under the null hypothesis the deviations of a block have covariance v (I - 1/k), v = Σ_j deviation_j²/(k
  // - 1).
  double variance = 0.0;
  Vector deviation = Vector::Zero(k);
  for (Index b = 0; b < ranks.rows(); ++b) {
    double square = 0.0;
    for (Index j = 0; j < k; ++j) {
      const double d = ranks(b, j) - middle;
      square += d * d;
      deviation(j) += weights(b) * d;
    }
    variance += weights(b) * weights(b) * square / static_cast<double>(k - 1);
  }
  TestResult result;
  result.degrees = static_cast<double>(k - 1);
  result.method = "Friedman, tie-corrected chi-squared";
  result.statistic = variance > 0 ? deviation.squaredNorm() / variance : 0.0;
  result.p = variance > 0 ? chi_squared_survival(result.statistic, result.degrees) : 1.0;
  return result;
}

std::vector<std::pair<int, int>> unseparated_groups(const std::vector<double>& mean_ranks, double cd) {
  std::vector<std::pair<int, int>> groups;
  const int n = static_cast<int>(mean_ranks.size());
  int covered = -1;
  for (int first = 0; first < n; ++first) {
    int last = first;
    while (last + 1 < n &&
           !(mean_ranks[static_cast<std::size_t>(last + 1)] - mean_ranks[static_cast<std::size_t>(first)] > cd)) {
      ++last;
    }
    if (last > covered) groups.emplace_back(first, last);
    covered = std::max(covered, last);
  }
  return groups;
}

}  // namespace onmanifold
