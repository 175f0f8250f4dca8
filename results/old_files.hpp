// SPDX-License-Identifier: Apache-2.0
#pragma once
// The reader of old files: what result files did not say of methods and metrics before they carried /method and
// /metric_info. The only place that concludes anything from a name.

#include "core/value.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// What the registered type and the lift in the configuration of an old raw file stand for. A type that no version of
/// this program had is a learner that knows nothing of the manifold.
[[nodiscard]] CellMethod method_of_old_file(const Value& config);

/// Adds what is known of the records that MetricsCell::metrics does not name: direction and unit from the record,
/// samples and constraint from the metrics there were.
void add_old_metrics(MetricsCell& cell);

/// The shipped suites quick and smoke were demonstrations, claims judged the claims.
[[nodiscard]] SuiteInfo suite_of_old_file(const TaskFile& task);
/// The first of the task's metric list, or "".
[[nodiscard]] std::string primary_metric_of_old_file(const TaskFile& task);

}  // namespace onmanifold
