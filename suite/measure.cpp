// SPDX-License-Identifier: Apache-2.0
#include "suite/measure.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

MetricRecord failed_record(const MetricSpec& spec, Index n_samples, const std::exception& error) {
  MetricRecord record;
  record.name = spec.name;
  record.parameters = to_json(Value(spec.settings));
  record.n_samples = n_samples;
  record.status = {RecordState::failed, error.what()};
  return record;
}

/// The records of metric m on projected or raw samples.
using Records = std::function<std::vector<MetricRecord>(std::size_t m, bool projected)>;

std::vector<Measured> collect(const std::vector<NamedMetric>& metrics, bool with_projected, Index n_samples,
                              OnFailure on_failure, const Records& records) {
  const auto guarded = [&](std::size_t m, bool projected) -> std::vector<MetricRecord> {
    try {
      return records(m, projected);
    } catch (const NumericalFailure& error) {
      return {failed_record(metrics[m].spec, n_samples, error)};
    } catch (const std::exception& error) {
      if (on_failure == OnFailure::propagate) throw;
      return {failed_record(metrics[m].spec, n_samples, error)};
    }
  };
  std::vector<Measured> result(metrics.size());
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    result[m].raw = guarded(m, false);
    if (with_projected) result[m].projected = guarded(m, true);
  }
  return result;
}

Samples after(const Samples& raw, const Points* points, const Projection* projection) {
  Samples result = raw;
  result.samples = points;
  result.projection = projection;
  result.projected = true;
  return result;
}

}  // namespace

std::vector<NamedMetric> make_metrics(const std::vector<MetricSpec>& specs) {
  std::vector<NamedMetric> metrics;
  for (const MetricSpec& spec : specs) metrics.push_back({spec, make_metric(spec)});
  return metrics;
}

std::vector<Measured> measure(const std::vector<NamedMetric>& metrics, const PreparedTarget& target, const Samples& raw,
                              const Projection* projection, OnFailure on_failure,
                              const std::function<void()>& checkpoint) {
  std::optional<MetricInput> projected_input;
  Samples given = raw;
  given.projection = projection;
  if (projection != nullptr) {
    projected_input.emplace(target, after(raw, &projection->points, projection));
    given.after_projection = &*projected_input;
  }
  const MetricInput raw_input(target, given);
  return collect(metrics, projection != nullptr, raw.samples->cols(), on_failure, [&](std::size_t m, bool projected) {
    if (checkpoint) checkpoint();
    return metrics[m].metric->prepare(target).measure(projected ? *projected_input : raw_input);
  });
}

std::vector<Measured> measure_in_chunks(const std::vector<NamedMetric>& metrics, const PreparedTarget& target,
                                        const Samples& raw, const ChunkedSamples& samples, OnFailure on_failure) {
  const bool with_projected = target.manifold != nullptr;
  const MetricInput raw_input(target, raw);
  const MetricInput projected_input(target, after(raw, nullptr, nullptr));
  std::vector<std::unique_ptr<MetricStream>> raw_streams;
  std::vector<std::unique_ptr<MetricStream>> projected_streams;
  int passes = 0;
  for (const NamedMetric& metric : metrics) {
    const PreparedMetric prepared = metric.metric->prepare(target);
    raw_streams.push_back(prepared.stream(raw_input));
    if (with_projected) projected_streams.push_back(prepared.stream(projected_input));
    passes = std::max(passes, raw_streams.back()->passes());
  }
  Index n_samples = 0;
  for (int pass = 0; pass < passes; ++pass) {
    samples(pass, [&](const Points& chunk) {
      if (pass == 0) n_samples += chunk.cols();
      std::optional<Projection> projection;
      if (with_projected) projection = target.manifold->project(chunk);
      const Projection* given = projection ? &*projection : nullptr;
      for (std::size_t m = 0; m < metrics.size(); ++m) {
        if (pass >= raw_streams[m]->passes()) continue;
        raw_streams[m]->add(pass, chunk, given);
        if (projection) projected_streams[m]->add(pass, projection->points, given);
      }
    });
  }
  return collect(metrics, with_projected, n_samples, on_failure, [&](std::size_t m, bool projected) {
    return (projected ? projected_streams : raw_streams)[m]->finish();
  });
}

std::vector<std::string> not_streaming(const std::vector<NamedMetric>& metrics, const PreparedTarget& target) {
  const MetricInput none(target, {});
  std::vector<std::string> names;
  for (const NamedMetric& metric : metrics) {
    if (metric.metric->prepare(target).stream(none) == nullptr) names.push_back(metric.spec.name);
  }
  return names;
}

}  // namespace onmanifold
