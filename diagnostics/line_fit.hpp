// SPDX-License-Identifier: Apache-2.0
#pragma once
// A line through points by least squares, with the interval of its slope: how fast one thing grows with
// another.

#include <limits>

#include "core/math/statistics.hpp"
#include "core/points.hpp"

namespace onmanifold {

/// y = intercept + slope x.
struct LineFit {
  double slope = std::numeric_limits<double>::quiet_NaN();
  double intercept = std::numeric_limits<double>::quiet_NaN();
  double slope_se = std::numeric_limits<double>::quiet_NaN();  ///< from the residuals; NaN for two points
  Interval slope_interval;                                     ///< Student's t with n - 2 degrees; NaN for two points
  Index points = 0;
};

/// Least squares over all pairs. The interval supposes independent errors of one size: where the same draws
/// stand behind all points, resample the draws instead. O(n). \throw InvalidInput unless both have the same n
/// >= 2 finite values and \p x is not constant.
[[nodiscard]] LineFit fit_line(const VectorRef& x, const VectorRef& y, double level = 0.95);

}  // namespace onmanifold
