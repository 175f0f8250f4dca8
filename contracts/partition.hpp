// SPDX-License-Identifier: Apache-2.0
#pragma once
// A finite partition of R^D into numbered cells, with the exact mass of the target in each where it is known: the
// ground on which tvd and the Jensen–Shannon metrics compare samples with a law.

#include <string>

#include "core/points.hpp"

namespace onmanifold {

/// Cells 0 … size()-1 that cover R^D; an overflow cell, if there is one, is the last and counts like any other.
class Partition {
 public:
  virtual ~Partition() = default;
  [[nodiscard]] virtual Index size() const = 0;
  /// Cell of every column of \p points (D×N): N numbers in 0 … size()-1, or -1 where the point is not finite.
  [[nodiscard]] virtual Eigen::VectorXi assign(const PointsRef& points) const = 0;
  /// What the cells are, e.g. "equal-area 12×24": goes into the parameters of the metrics that use it.
  [[nodiscard]] virtual std::string description() const = 0;
};

}  // namespace onmanifold
