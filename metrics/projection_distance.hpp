// SPDX-License-Identifier: Apache-2.0
#pragma once
// Distance of samples to the manifold, and how often the projection failed. Raw samples use the projection
// that was stored with them; projected ones are projected once more, which shows the accuracy of the solver.
// Columns whose projection failed have no distance: they are left out of the distances and counted by
// projection_fail_rate.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// Mean of |x - Pi(x)|.
[[nodiscard]] std::unique_ptr<Metric> make_projection_distance(Settings& settings);
/// Root of the mean of |x - Pi(x)|^2.
[[nodiscard]] std::unique_ptr<Metric> make_projection_distance_rms(Settings& settings);
/// Largest |x - Pi(x)|.
[[nodiscard]] std::unique_ptr<Metric> make_projection_distance_max(Settings& settings);
/// Share of ALL columns for which Pi did not converge.
[[nodiscard]] std::unique_ptr<Metric> make_projection_fail_rate(Settings& settings);

}  // namespace onmanifold
