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

// Beyond 2^±200 sums of squares and their products over- or underflow. The largest coordinate is then scaled to
// 2^240: its fourth power does not overflow, and squares of what is 10^200 times smaller do not underflow.
constexpr int largest_exponent = 200;
constexpr int scaled_exponent = 240;

bool extreme(double largest) {
  return largest > 0 && std::abs(std::ilogb(largest)) > largest_exponent;
}

double largest_of(const MetricInput& input) {
  const double reference = input.target.reference == nullptr ? 0 : input.target.finite().largest();
  return std::max(reference, input.finite().largest());
}

// In lexicographic order, where no column is left out: rounding, which may decide at the edge of what is possible, then
// does not depend on the order of rows.
const Points& ordered(const Points& points, const FiniteColumns& finite) {
  return finite.nonfinite() == 0 ? finite.sorted() : points;
}

// All coordinates times 2^exponent: exact but for what becomes subnormal beside the largest.
Points scaled(const Points& points, int exponent) {
  return points.unaryExpr([exponent](double x) { return std::ldexp(x, exponent); });
}

class ScaledSampler final : public Sampler {
 public:
  ScaledSampler(const Sampler& base, int exponent) : base_(base), exponent_(exponent) {}
  [[nodiscard]] Index dimension() const override { return base_.dimension(); }
  [[nodiscard]] Points sample(Index n, Stream stream) const override {
    return scaled(base_.sample(n, std::move(stream)), exponent_);
  }

 private:
  const Sampler& base_;
  int exponent_;
};

// A target in another unit of length, of what metrics that have a degree look at.
class ScaledTarget {
 public:
  ScaledTarget(const PreparedTarget& base, int exponent) {
    Target target{.directions = base.directions, .evaluation = base.evaluation, .memory_bytes = base.memory_bytes};
    if (base.reference != nullptr) {
      reference_ = scaled(ordered(*base.reference, base.finite()), exponent);
      target.reference = &reference_;
    }
    if (base.sampler != nullptr) {
      sampler_.emplace(*base.sampler, exponent);
      target.sampler = &*sampler_;
    }
    prepared_.emplace(target);
  }
  [[nodiscard]] const PreparedTarget& target() const { return *prepared_; }

 private:
  Points reference_;
  std::optional<ScaledSampler> sampler_;
  std::optional<PreparedTarget> prepared_;
};

// A number that is none is no result, nor is an infinity that the size of the coordinates made.
void check_numbers(MetricRecord& record, double largest) {
  if (record.status.ok() && (std::isnan(record.value) || (std::isinf(record.value) && extreme(largest)))) {
    record =
        failed(std::move(record), fmt::format("the arithmetic overflows; coordinates are as large as {:.3g}", largest));
    record.p_value = MetricRecord::unknown;
  }
  for (double* number : {&record.null, &record.null_sd, &record.se}) {
    if (std::isinf(*number)) *number = MetricRecord::unknown;
  }
}

class CheckedStream final : public MetricStream {
 public:
  CheckedStream(std::unique_ptr<MetricStream> stream, const MetricInput& input)
      : stream_(std::move(stream)), largest_(input.target.reference == nullptr ? 0 : input.target.finite().largest()) {}
  [[nodiscard]] int passes() const override { return stream_->passes(); }
  void add(int pass, const Points& chunk, const Projection* projection) override {
    if (pass == 0) largest_ = std::max(largest_, FiniteColumns(chunk).largest());
    stream_->add(pass, chunk, projection);
  }
  std::vector<MetricRecord> finish() override {
    std::vector<MetricRecord> records = stream_->finish();
    for (MetricRecord& record : records) check_numbers(record, largest_);
    return records;
  }

 private:
  std::unique_ptr<MetricStream> stream_;
  double largest_;
};

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
  const std::optional<int> degree = extreme(largest) ? metric_->do_degree() : std::nullopt;
  std::vector<MetricRecord> records;
  if (degree) {
    const int exponent = std::ilogb(largest) - scaled_exponent;
    const auto in_units = target_->memo().get<std::unique_ptr<const ScaledTarget>>(
        fmt::format("scaled/{}", exponent), [&] { return std::make_unique<const ScaledTarget>(*target_, -exponent); });
    const Points samples = scaled(ordered(*input.samples, input.finite()), -exponent);
    Samples given = input;
    given.samples = &samples;
    records = metric_->do_measure(MetricInput((*in_units)->target(), given));
    for (MetricRecord& record : records) {
      for (double* number : {&record.value, &record.null, &record.null_sd, &record.se, &record.target}) {
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
  std::unique_ptr<MetricStream> stream = metric_->do_stream(input);
  if (stream == nullptr) return nullptr;
  return std::make_unique<CheckedStream>(std::move(stream), input);
}

}  // namespace onmanifold
