// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Euclidean norm for projections: any size of numbers, the same bits wherever they stand.

#include <algorithm>
#include <cmath>

#include "core/points.hpp"

namespace onmanifold::detail {

/// Norm of n numbers by a plain loop in a fixed order: no bit depends on where a column starts. Scaled where
/// squares would overflow or vanish, so that tiny and huge vectors keep their length; NaN where one is.
[[nodiscard]] inline double safe_norm(const double* x, Index n) {
  double largest = 0;
  for (Index i = 0; i < n; ++i) largest = std::max(largest, std::abs(x[i]));
  if (largest > 1e-140 && largest < 1e140) {
    double sum = 0;
    for (Index i = 0; i < n; ++i) sum += x[i] * x[i];
    return std::sqrt(sum);
  }
  if (largest == 0 || !std::isfinite(largest)) {
    double sum = 0;  // a NaN is hidden from max(): let it through here
    for (Index i = 0; i < n; ++i) sum += std::abs(x[i]);
    return sum;
  }
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += (x[i] / largest) * (x[i] / largest);
  return largest * std::sqrt(sum);
}

}  // namespace onmanifold::detail
