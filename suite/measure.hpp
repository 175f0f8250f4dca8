// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loop that measures: a list of metrics on raw samples and on their projections, for cells, for `score` in memory
// and for `score` in chunks.

#include <functional>
#include <memory>
#include <vector>

#include "metrics/registry.hpp"

namespace onmanifold {

struct NamedMetric {
  MetricSpec spec;
  std::unique_ptr<Metric> metric;
};
/// \throw InvalidInput on an unknown name or setting.
[[nodiscard]] std::vector<NamedMetric> make_metrics(const std::vector<MetricSpec>& specs);

/// What one metric of the list gave.
struct Measured {
  std::vector<MetricRecord> raw;
  std::vector<MetricRecord> projected;  ///< empty without a projection
};

/// What becomes of a metric that throws: a record that says so, so that it does not take the others with it, or the
/// exception. A NumericalFailure is always a record: the numbers given are no mistake of the caller.
enum class OnFailure { record, propagate };

/// One entry a metric. \p raw: the raw samples and what belongs to them; \p projection of them, or null. \p checkpoint,
/// if not empty, is called between two metrics, where a caller may end it by an exception.
[[nodiscard]] std::vector<Measured> measure(const std::vector<NamedMetric>& metrics, const PreparedTarget& target,
                                            const Samples& raw, const Projection* projection, OnFailure on_failure,
                                            const std::function<void()>& checkpoint = {});

/// Hands out samples from the first to the last, chunk by chunk: calls \p use for each. Called once a pass.
using ChunkedSamples = std::function<void(int pass, const std::function<void(const Points& chunk)>& use)>;

/// The same for samples that do not fit into memory, with the same bits; chunks are projected where the target has a
/// manifold. \pre all_stream(metrics, target)
[[nodiscard]] std::vector<Measured> measure_in_chunks(const std::vector<NamedMetric>& metrics,
                                                      const PreparedTarget& target, const Samples& raw,
                                                      const ChunkedSamples& samples, OnFailure on_failure);

/// Names of the metrics that need all samples at once.
[[nodiscard]] std::vector<std::string> not_streaming(const std::vector<NamedMetric>& metrics,
                                                     const PreparedTarget& target);

}  // namespace onmanifold
