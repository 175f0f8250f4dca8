// SPDX-License-Identifier: Apache-2.0
#include "metrics/metric.hpp"

#include "core/error.hpp"

namespace onmanifold {
namespace {

void check_target(const MetricInput& input, const PreparedTarget* target) {
  if (&input.target != target) throw InvalidInput("metric: prepared for another target");
}

}  // namespace

PreparedMetric Metric::prepare(const PreparedTarget& target) const {
  if (target.reference != nullptr && target.manifold != nullptr) {
    check_dimension(*target.reference, target.manifold->ambient_dimension(), "reference");
  }
  return {*this, target};
}

std::unique_ptr<MetricStream> Metric::do_stream(const MetricInput&) const {
  return nullptr;
}

std::vector<MetricRecord> Metric::measure_as_one_chunk(MetricStream& stream, const MetricInput& input) {
  for (int pass = 0; pass < stream.passes(); ++pass) stream.add(pass, *input.samples, input.projection);
  return stream.finish();
}

std::vector<MetricRecord> PreparedMetric::measure(const MetricInput& input) const {
  check_target(input, target_);
  if (input.samples == nullptr || input.samples->cols() == 0) throw InvalidInput("metric: no samples");
  const Index dimension = input.samples->rows();
  if (target_->reference != nullptr) check_dimension(*target_->reference, dimension, "reference");
  if (input.training != nullptr) check_dimension(input.training->points(), dimension, "training points");
  if (target_->manifold != nullptr) check_dimension(*input.samples, target_->manifold->ambient_dimension(), "samples");
  return metric_->do_measure(input);
}

std::unique_ptr<MetricStream> PreparedMetric::stream(const MetricInput& input) const {
  check_target(input, target_);
  return metric_->do_stream(input);
}

}  // namespace onmanifold
