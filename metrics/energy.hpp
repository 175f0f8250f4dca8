// SPDX-License-Identifier: Apache-2.0
#pragma once
// Energy distance 2E|X-Y| - E|X-X'| - E|Y-Y'| \cite szekely2013, the squared form: V-statistic, and energy_u
// without diagonals. Null: (1/N + 1/M) E|X-X'| and 0, with the spread of the centred distance as for MMD;
// both from the reference.
// Settings: space = ambient | geodesic | torsions, permutations (of the p-value), as of MMD. Great circles
// are blind to differences of even degree; ambient distance is of negative type: prefer it. se: first-order
// jackknife.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

[[nodiscard]] std::unique_ptr<Metric> make_energy(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_energy_u(Settings& settings);

}  // namespace onmanifold
