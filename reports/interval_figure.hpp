// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where every configuration stands between the moment fit and the oracle, a panel a task.

#include "analysis/matrix.hpp"
#include "reports/figure.hpp"

namespace onmanifold {

/// Rows are those of the matrix, panels its tasks with a known scale; a dashed line is what the training points allow
/// without learning. Nothing to draw without such a task.
[[nodiscard]] Figure interval_figure(const Matrix& matrix);

}  // namespace onmanifold
