// SPDX-License-Identifier: Apache-2.0
#pragma once
// Kernel distance with the cubic polynomial kernel (x.y / D + 1)^3 \cite binkowski2018: the unbiased
// estimator of MMD^2 in the coordinates given. The kernel is not translation invariant: an offset of the data is
// part of what is compared. Null 0; its spread from the centred kernel of the reference.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"
#include "metrics/mmd.hpp"

namespace onmanifold {

/// The three estimators; both sets need two columns. Cost O((N+M)^2 D) through tiles of matrix products.
[[nodiscard]] MmdEstimates kid(const Points& x, const Points& y);
[[nodiscard]] std::unique_ptr<Metric> make_kid(Settings& settings);

}  // namespace onmanifold
