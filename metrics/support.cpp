// SPDX-License-Identifier: Apache-2.0
#include "metrics/support.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/files/sha256.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {
MetricRecord make_record(std::string_view name, std::string_view direction, const Value::Table& parameters,
                         const MetricInput& input) {
  MetricRecord record;
  record.name = name;
  record.direction = parse_direction(direction);
  if (record.direction == Direction::lower) record.target = 0;
  record.parameters = to_json(parameters);
  if (input.samples != nullptr) record.n_samples = input.samples->cols();
  return record;
}

MetricRecord not_applicable(MetricRecord record, std::string_view why) {
  record.value = record.null = record.null_sd = record.se = MetricRecord::unknown;
  record.status = {RecordState::not_applicable, std::string(why)};
  return record;
}

MetricRecord failed(MetricRecord record, std::string_view why) {
  record.value = record.null = record.null_sd = record.se = MetricRecord::unknown;
  record.status = {RecordState::failed, std::string(why)};
  return record;
}

double share_error(double share, Index n) {
  constexpr double z2 = 1;  // one standard deviation
  const auto size = static_cast<double>(n);
  const double centre = (size * share + z2 / 2) / (size + z2);
  return std::sqrt(centre * (1 - centre) / (size + z2));
}

FinitePair::FinitePair(const MetricInput& input, MetricRecord& record, Index least_reference, Index least_samples)
    : samples_(input.finite()), least_reference_(least_reference), least_samples_(least_samples) {
  record.n_nonfinite = samples_.nonfinite();
  if (input.target.reference == nullptr) return;
  reference_ = &input.target.finite();
  record.n_reference = reference_->size();
}

std::optional<MetricRecord> FinitePair::obstacle(const MetricRecord& record) const {
  if (reference_ == nullptr) return not_applicable(record, "no reference");
  if (reference_->size() < least_reference_) {
    return not_applicable(record, least_reference_ == 1 ? "the reference has no finite column"
                                  : least_reference_ == 2
                                      ? "fewer than two reference points"
                                      : fmt::format("fewer than {} reference points", least_reference_));
  }
  if (samples_.size() < least_samples_) {
    return failed(record, least_samples_ == 1   ? "no finite sample"
                          : least_samples_ == 2 ? "fewer than two finite samples"
                                                : fmt::format("fewer than {} finite samples", least_samples_));
  }
  return std::nullopt;
}

std::string fingerprint(const Points& points) {
  Sha256 hash;
  hash.update(fmt::format("{}x{}\n", points.rows(), points.cols()));
  hash.update(points.data(), static_cast<std::size_t>(points.size()) * sizeof(double));
  return to_hex(hash.finish());
}

NullMoments moments_of(const VectorRef& values) {
  NullMoments result;
  const Index n = values.size();
  if (n == 0) return result;
  result.mean = tree_mean_of(values);
  if (n < 2) return result;
  const Vector deviations = values.array() - result.mean;
  result.sd = std::sqrt(tree_sum(deviations.cwiseAbs2()) / static_cast<double>(n - 1));
  return result;
}

}  // namespace onmanifold
