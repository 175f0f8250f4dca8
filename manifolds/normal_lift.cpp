// SPDX-License-Identifier: Apache-2.0
#include "manifolds/normal_lift.hpp"

#include <cmath>
#include <numbers>

#include "core/math/quadrature.hpp"
#include "core/math/statistics.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {
namespace {

/// The integral of log|1 + a x| phi(x) over [from, from + length] × direction, where 1 + a from is 0: in the
/// variable t with x = from ± length t^8, which flattens the logarithm.
double singular_panel(double a, double from, double length, double direction) {
  const QuadratureRule rule = gauss_legendre(64, 0, 1);
  return tree_sum_over(rule.nodes.size(), [&](Index i) {
    const double t = rule.nodes[i];
    const double step = length * std::pow(t, 8);
    const double x = from + direction * step;
    return rule.weights[i] * 8 * length * std::pow(t, 7) * std::log(a * step) * std::exp(-x * x / 2);
  });
}

}  // namespace

double mean_log_one_plus_normal(double a) {
  if (a == 0) return 0;
  // phi(12) = 2e-32. Panels of length 1 at least 1 away from the zero of 1 + a x: 32 nodes leave nothing.
  constexpr double end = 12;
  const double zero = -1 / a;
  const auto regular = [&](double low, double high) {
    const auto panels = static_cast<Index>(std::ceil(high - low));
    double sum = 0;
    for (Index p = 0; p < panels; ++p) {
      const double width = (high - low) / static_cast<double>(panels);
      const QuadratureRule rule =
          gauss_legendre(32, low + static_cast<double>(p) * width, low + static_cast<double>(p + 1) * width);
      sum += tree_sum_over(rule.nodes.size(), [&](Index i) {
        const double x = rule.nodes[i];
        return rule.weights[i] * std::log(std::abs(1 + a * x)) * std::exp(-x * x / 2);
      });
    }
    return sum;
  };
  double sum = 0;
  if (zero < -end - 1) {
    sum = regular(-end, end);
  } else {
    if (zero - 1 > -end) sum += regular(-end, zero - 1);
    sum += singular_panel(a, zero, 1, -1) + singular_panel(a, zero, 1, 1) + regular(zero + 1, end);
  }
  return sum / std::sqrt(2 * std::numbers::pi);
}

double sphere_flip_rate(double radius, double sigma) {
  return normal_cdf(-radius / sigma);
}

}  // namespace onmanifold
