// SPDX-License-Identifier: Apache-2.0
#pragma once
// All metrics by name, and the parser of metric lists.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/registry.hpp"
#include "core/settings.hpp"
#include "core/spec.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

using MetricFactory = std::unique_ptr<Metric> (*)(Settings& settings);
using MetricRegistry = Registry<MetricFactory, MetricInfo>;

[[nodiscard]] const MetricRegistry& metric_registry();

/// One metric of a list, parsed: "mmd2_rbf_unbiased(sigma=1)" -> name and settings.
using MetricSpec = Spec;

/// Splits at commas outside parentheses. \throw InvalidInput naming the part that cannot be read.
[[nodiscard]] std::vector<MetricSpec> parse_metric_list(std::string_view list);

/// \throw InvalidInput on an unknown name or setting.
[[nodiscard]] std::unique_ptr<Metric> make_metric(const MetricSpec& spec);

}  // namespace onmanifold
