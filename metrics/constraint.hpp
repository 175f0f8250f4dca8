// SPDX-License-Identifier: Apache-2.0
#pragma once
// How far samples break the constraint h = 0 of the manifold, in the units of h. The null value is that of
// the reference itself, which is not 0 for rounded data.
//
// violation_rate: setting tau (length units; default: the manifold's constraint_tolerance).

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// Mean of |h_a(x)| over columns and components.
[[nodiscard]] std::unique_ptr<Metric> make_constraint_mean(Settings& settings);
/// Largest |h_a(x)|.
[[nodiscard]] std::unique_ptr<Metric> make_constraint_max(Settings& settings);
/// Share of columns with max_a |h_a(x)| > tau.
[[nodiscard]] std::unique_ptr<Metric> make_violation_rate(Settings& settings);

}  // namespace onmanifold
