// SPDX-License-Identifier: Apache-2.0
#pragma once
// Energy distance 2E|X-Y| - E|X-X'| - E|Y-Y'| \cite szekely2013, the squared form: V-statistic, and energy_u
// without diagonals. Null: (1/N + 1/M) E|X-X'| and 0, with the spread of the centred distance as for MMD;
// both from the reference.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

[[nodiscard]] std::unique_ptr<Metric> make_energy(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_energy_u(Settings& settings);

}  // namespace onmanifold
