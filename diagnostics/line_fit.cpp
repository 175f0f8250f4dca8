// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/line_fit.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {

LineFit fit_line(const VectorRef& x, const VectorRef& y, double level) {
  const Index n = x.size();
  if (n < 2 || y.size() != n || !x.allFinite() || !y.allFinite()) {
    throw InvalidInput(fmt::format("line: {} and {} values: at least two finite pairs are needed", n, y.size()));
  }
  const double x_mean = tree_mean_of(x);
  const double y_mean = tree_mean_of(y);
  const double xx = tree_sum_over(n, [&](Index i) { return (x[i] - x_mean) * (x[i] - x_mean); });
  if (!(xx > 0)) throw InvalidInput("line: all abscissas are equal");
  const double xy = tree_sum_over(n, [&](Index i) { return (x[i] - x_mean) * (y[i] - y_mean); });
  LineFit fit;
  fit.points = n;
  fit.slope = xy / xx;
  fit.intercept = y_mean - fit.slope * x_mean;
  if (n == 2) return fit;
  const double residual = tree_sum_over(n, [&](Index i) {
    const double e = y[i] - y_mean - fit.slope * (x[i] - x_mean);
    return e * e;
  });
  const auto degrees = static_cast<double>(n - 2);
  fit.slope_se = std::sqrt(residual / degrees / xx);
  const double half = t_quantile((1 + level) / 2, degrees) * fit.slope_se;
  fit.slope_interval = {fit.slope - half, fit.slope + half};
  return fit;
}

}  // namespace onmanifold
