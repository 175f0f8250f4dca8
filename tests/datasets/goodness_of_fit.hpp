// SPDX-License-Identifier: Apache-2.0
#pragma once
// p-values of samples against exact laws: chi-square over a partition, Kolmogorov–Smirnov on the line.

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include <boost/math/special_functions/gamma.hpp>

#include "contracts/partition.hpp"
#include "core/points.hpp"

namespace onmanifold::testing {

/// The level of all checks of samplers: with fixed streams they pass always or never; a correct sampler met a
/// stream below this level with probability 1e-3.
inline constexpr double alpha = 1e-3;

/// Expected total variation of n draws of a law from its exact cell \p masses, for large n.
inline double total_variation_floor(const Vector& masses, double n) {
  double roots = 0;
  for (const double p : masses) roots += std::sqrt(p * (1 - p));
  return 0.5 * std::sqrt(2 / (M_PI * n)) * roots;
}

/// Upper tail probability of the chi-square statistic of \p points over \p partition with exact \p masses.
/// Cells with fewer than 10 points expected are pooled.
inline double chi_square_p_value(const Partition& partition, const Vector& masses, const Points& points) {
  const Eigen::VectorXi cells = partition.assign(points);
  Vector counts = Vector::Zero(partition.size());
  for (Index j = 0; j < cells.size(); ++j) counts[cells[j]] += 1;
  const auto n = static_cast<double>(points.cols());
  double statistic = 0;
  double pooled_count = 0;
  double pooled_mass = 0;
  int terms = 0;
  for (Index b = 0; b < partition.size(); ++b) {
    const double expected = n * masses[b];
    if (expected < 10) {
      pooled_count += counts[b];
      pooled_mass += masses[b];
      continue;
    }
    statistic += (counts[b] - expected) * (counts[b] - expected) / expected;
    ++terms;
  }
  if (n * pooled_mass >= 1) {
    statistic += std::pow(pooled_count - n * pooled_mass, 2) / (n * pooled_mass);
    ++terms;
  } else if (pooled_count > 20) {
    return 0;  // far more than the law allows: a Poisson count with mean < 1
  }
  return boost::math::gamma_q((terms - 1) / 2.0, statistic / 2);
}

/// Asymptotic p-value of the Kolmogorov–Smirnov distance of \p values from the distribution function \p law.
inline double ks_p_value(std::vector<double> values, const std::function<double(double)>& law) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double f = law(values[i]);
    distance = std::max({distance, f - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - f});
  }
  const double t = distance * std::sqrt(n);
  double p = 0;
  for (int k = 1; k < 100; ++k) p += (k % 2 == 1 ? 2 : -2) * std::exp(-2.0 * k * k * t * t);
  return t < 0.2 ? 1.0 : std::clamp(p, 0.0, 1.0);
}

}  // namespace onmanifold::testing
