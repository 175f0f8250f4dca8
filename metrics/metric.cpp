// SPDX-License-Identifier: Apache-2.0
#include "metrics/metric.hpp"

#include "core/error.hpp"

namespace onmanifold {

std::vector<MetricRecord> Metric::evaluate(const MetricInput& input) const {
  if (input.samples == nullptr || input.samples->cols() == 0) throw InvalidInput("metric: no samples");
  const Index dimension = input.samples->rows();
  if (input.reference != nullptr) check_dimension(*input.reference, dimension, "reference");
  if (input.training != nullptr) check_dimension(*input.training, dimension, "training points");
  if (input.manifold != nullptr) check_dimension(*input.samples, input.manifold->ambient_dimension(), "samples");
  return do_evaluate(input);
}

std::unique_ptr<MetricStream> Metric::stream(const MetricInput&) const {
  return nullptr;
}

std::vector<MetricRecord> Metric::evaluate_as_one_chunk(MetricStream& stream, const MetricInput& input) {
  for (int pass = 0; pass < stream.passes(); ++pass) stream.add(pass, *input.samples, input.projection);
  return stream.finish();
}

}  // namespace onmanifold
