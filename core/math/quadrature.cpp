// SPDX-License-Identifier: Apache-2.0
#include "core/math/quadrature.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"

namespace onmanifold {

QuadratureRule gauss_legendre(Index n, double low, double high) {
  if (n < 1) throw InvalidInput(fmt::format("gauss_legendre: {} nodes", n));
  const double half = (high - low) / 2;
  const double middle = (high + low) / 2;
  QuadratureRule rule{Vector(n), Vector(n)};
  const auto count = static_cast<double>(n);
  for (Index i = 0; i < (n + 1) / 2; ++i) {
    double x = portable::cos(M_PI * (static_cast<double>(i) + 0.75) / (count + 0.5));
    double slope = 0;
    for (int iteration = 0; iteration < 100; ++iteration) {
      double previous = 1;
      double value = x;
      for (Index k = 2; k <= n; ++k) {
        const auto order = static_cast<double>(k);
        const double next = ((2 * order - 1) * x * value - (order - 1) * previous) / order;
        previous = value;
        value = next;
      }
      slope = count * (x * value - previous) / (x * x - 1);
      const double step = value / slope;
      x -= step;
      if (std::abs(step) < 1e-15) break;
    }
    if (2 * i + 1 == n) x = 0;
    const double weight = 2 / ((1 - x * x) * slope * slope);
    rule.nodes[i] = middle - half * x;
    rule.nodes[n - 1 - i] = middle + half * x;
    rule.weights[i] = rule.weights[n - 1 - i] = half * weight;
  }
  return rule;
}

double normal_mass(double low, double high) {
  const double a = low * M_SQRT1_2;
  const double b = high * M_SQRT1_2;
  if (a > 0) return 0.5 * (portable::erfc(a) - portable::erfc(b));
  if (b < 0) return 0.5 * (portable::erfc(-b) - portable::erfc(-a));
  return 0.5 * (portable::erf(b) - portable::erf(a));
}

}  // namespace onmanifold
