// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// Distance of the means of samples and reference.
[[nodiscard]] std::unique_ptr<Metric> make_mean_shift(Settings& settings);

}  // namespace onmanifold
