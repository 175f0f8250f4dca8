// SPDX-License-Identifier: Apache-2.0
#include "metrics/metric.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "metrics/support.hpp"

namespace onmanifold {
namespace {

void check_target(const MetricInput& input, const PreparedTarget* target) {
  if (&input.target != target) throw InvalidInput("metric: prepared for another target");
}

// Beyond these the squares of a sum of squares over- or underflow.
constexpr int largest_exponent = 200;

double largest_of(const MetricInput& input) {
  const double reference = input.target.reference == nullptr ? 0 : *input.target.memo().get<double>("largest", [&] {
    return input.target.finite().largest();
  });
  return std::max(reference, *input.memo().get<double>("largest", [&] { return input.finite().largest(); }));
}

class ScaledSampler final : public Sampler {
 public:
  ScaledSampler(const Sampler& base, double factor) : base_(base), factor_(factor) {}
  [[nodiscard]] Index dimension() const override { return base_.dimension(); }
  [[nodiscard]] Points sample(Index n, Stream stream) const override {
    return factor_ * base_.sample(n, std::move(stream));
  }

 private:
  const Sampler& base_;
  double factor_;
};

// All coordinates times 2^exponent, which is exact but for what becomes subnormal.
Points scaled(const Points& points, int exponent) {
  return points.unaryExpr([exponent](double x) { return std::ldexp(x, exponent); });
}

struct ScaledTarget {
  ScaledTarget(const PreparedTarget& base, int exponent) {
    Target target{.directions = base.directions, .evaluation = base.evaluation, .memory_bytes = base.memory_bytes};
    if (base.reference != nullptr) {
      reference = scaled(*base.reference, exponent);
      target.reference = &reference;
    }
    if (base.sampler != nullptr) {
      sampler.emplace(*base.sampler, std::ldexp(1.0, exponent));
      target.sampler = &*sampler;
    }
    prepared.emplace(target);
  }
  Points reference;
  std::optional<ScaledSampler> sampler;
  std::optional<PreparedTarget> prepared;
};

void check_numbers(MetricRecord& record, double largest) {
  const bool huge = std::isinf(record.value) && std::abs(std::ilogb(largest)) > largest_exponent;
  if (record.status.ok() && (std::isnan(record.value) || huge)) {
    record =
        failed(std::move(record), fmt::format("arithmetic overflows: coordinates are as large as {:.3g}", largest));
  }
  for (double* number : {&record.null, &record.null_sd, &record.se, &record.p_value}) {
    if (std::isinf(*number)) *number = MetricRecord::unknown;
  }
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
  const double largest = largest_of(input);
  const int exponent = largest > 0 ? std::ilogb(largest) : 0;
  const std::optional<int> degree = metric_->do_degree();
  std::vector<MetricRecord> records;
  if (degree && std::abs(exponent) > largest_exponent) {
    const auto target = target_->memo().get<std::unique_ptr<const ScaledTarget>>(
        fmt::format("scaled/{}", exponent), [&] { return std::make_unique<const ScaledTarget>(*target_, -exponent); });
    const Points samples = scaled(*input.samples, -exponent);
    Samples given = input;
    given.samples = &samples;
    records = metric_->do_measure(MetricInput(*(*target)->prepared, given));
    for (MetricRecord& record : records) {
      for (double* number : {&record.value, &record.null, &record.null_sd, &record.se}) {
        *number = std::ldexp(*number, *degree * exponent);
      }
    }
  } else {
    records = metric_->do_measure(input);
  }
  for (MetricRecord& record : records) check_numbers(record, largest);
  return records;
}

std::unique_ptr<MetricStream> PreparedMetric::stream(const MetricInput& input) const {
  check_target(input, target_);
  return metric_->do_stream(input);
}

}  // namespace onmanifold
