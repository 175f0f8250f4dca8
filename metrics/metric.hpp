// SPDX-License-Identifier: Apache-2.0
#pragma once
// The interface of a metric and what it is given. A metric sees samples and a target, never a model or a dataset.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contracts/metric_record.hpp"
#include "metrics/target.hpp"

namespace onmanifold {

/// A metric under way over samples that come in chunks, for files larger than memory. The records have the
/// same bits for every way of cutting the samples into chunks, one chunk included.
class MetricStream {
 public:
  virtual ~MetricStream() = default;
  /// How often all chunks are to be given, in the same order each time.
  [[nodiscard]] virtual int passes() const { return 1; }
  /// \p chunk D×n, in pass \p pass from 0; \p projection of the RAW samples behind the chunk, null if there
  /// is none.
  virtual void add(int pass, const Points& chunk, const Projection* projection) = 0;
  /// The records, after all passes.
  [[nodiscard]] virtual std::vector<MetricRecord> finish() = 0;
};

class PreparedMetric;

/// A metric with its settings fixed at construction.
///
/// Identities, checked by the conformance suite on every registered metric:
///  1. measuring is deterministic and does not depend on the order in which metrics are measured.
///  2. a record has name, direction, version, sizes and parameters; unknown numbers are NaN.
///  3. what cannot be computed for this input has status not_applicable with its reason, and value NaN.
///  4. non-finite columns are counted in n_nonfinite and left out.
///  5. samples of the wrong dimension throw InvalidInput.
///  6. a record with status ok has a value that is a number, whatever the finite coordinates: where arithmetic
///  overflows,
///     the status is failed and says so.
class Metric {
 public:
  virtual ~Metric() = default;
  /// The metric against one target. Both outlive the result. \throw InvalidInput if the reference does not lie in the
  /// space of the manifold.
  [[nodiscard]] PreparedMetric prepare(const PreparedTarget& target) const;

 protected:
  /// do_measure of a metric that streams: all samples as one chunk.
  [[nodiscard]] static std::vector<MetricRecord> measure_as_one_chunk(MetricStream& stream, const MetricInput& input);

 private:
  friend class PreparedMetric;
  [[nodiscard]] virtual std::vector<MetricRecord> do_measure(const MetricInput& input) const = 0;
  [[nodiscard]] virtual std::unique_ptr<MetricStream> do_stream(const MetricInput& input) const;
  /// The power p with which the value grows: coordinates (and directions, and nothing else) times c give c^p times the
  /// value, so that huge and tiny coordinates can be scaled by a power of two first. None where lengths are compared
  /// with something fixed: a manifold, a partition, a bandwidth.
  [[nodiscard]] virtual std::optional<int> do_degree() const { return std::nullopt; }
};

/// What depends on the target alone is computed when it is first needed and stays with the target, so that measuring
/// another set of samples costs the samples' share only.
class PreparedMetric {
 public:
  /// One or several records (a family computed in one pass). \pre \p input is of the target this was prepared for.
  /// \throw InvalidInput on unusable input.
  [[nodiscard]] std::vector<MetricRecord> measure(const MetricInput& input) const;
  /// The same for samples in chunks: samples and projection of \p input are not looked at. Memory: O(cells +
  /// D max(D, 1024)) beside the reference. Null for a metric that needs all samples at once. \p input
  /// outlives the result.
  [[nodiscard]] std::unique_ptr<MetricStream> stream(const MetricInput& input) const;

 private:
  friend class Metric;
  PreparedMetric(const Metric& metric, const PreparedTarget& target) : metric_(&metric), target_(&target) {}
  const Metric* metric_;
  const PreparedTarget* target_;
};

}  // namespace onmanifold
