// SPDX-License-Identifier: Apache-2.0
#include "metrics/support.hpp"

#include <algorithm>
#include <cmath>
#include <list>
#include <mutex>
#include <unordered_map>

#include <fmt/format.h>

#include "core/files/sha256.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {
namespace {

// A few hundred entries hold the nulls, radii and kernel sums of all metrics of the tasks at hand; the
// longest entries are radii, 8 bytes a point.
constexpr std::size_t store_capacity = 256;

struct Store {
  std::mutex mutex;
  std::list<std::pair<std::string, std::any>> entries;  // latest first
  std::unordered_map<std::string, std::list<std::pair<std::string, std::any>>::iterator> index;
};

Store& store() {
  static Store instance;
  return instance;
}

}  // namespace

FiniteColumns::FiniteColumns(const Points& points) : points_(&points) {
  if (points.allFinite()) return;
  std::vector<Index> finite;
  for (Index c = 0; c < points.cols(); ++c) {
    if (points.col(c).allFinite()) finite.push_back(c);
  }
  nonfinite_ = points.cols() - static_cast<Index>(finite.size());
  kept_ = points(Eigen::all, finite);
  points_ = &kept_;
}

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

FinitePair::FinitePair(const MetricInput& input, MetricRecord& record, Index least_reference, Index least_samples)
    : samples_(*input.samples), least_reference_(least_reference), least_samples_(least_samples) {
  record.n_nonfinite = samples_.nonfinite();
  if (input.reference == nullptr) return;
  reference_.emplace(*input.reference);
  record.n_reference = reference_->size();
}

std::optional<MetricRecord> FinitePair::obstacle(const MetricRecord& record) const {
  if (!reference_) return not_applicable(record, "no reference");
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

std::string fingerprint(const MetricInput& input) {
  const Points address = input.evaluation.at("metrics/address").uniform(2, 2);
  if (input.sampler == nullptr) return fingerprint(address);
  return fingerprint(address) + fingerprint(input.sampler->sample(32, input.evaluation.at("metrics/law")));
}

namespace detail {

std::any remembered(const std::string& key, const std::function<std::any()>& compute) {
  Store& kept = store();
  {
    const std::lock_guard lock(kept.mutex);
    const auto found = kept.index.find(key);
    if (found != kept.index.end()) {
      kept.entries.splice(kept.entries.begin(), kept.entries, found->second);
      return found->second->second;
    }
  }
  // Computed outside the lock, for compute() may itself remember; two threads may both compute, with equal
  // results.
  std::any value = compute();
  const std::lock_guard lock(kept.mutex);
  if (!kept.index.contains(key)) {
    kept.entries.emplace_front(key, value);
    kept.index[key] = kept.entries.begin();
    if (kept.entries.size() > store_capacity) {
      kept.index.erase(kept.entries.back().first);
      kept.entries.pop_back();
    }
  }
  return value;
}

}  // namespace detail

void forget_remembered() {
  Store& kept = store();
  const std::lock_guard lock(kept.mutex);
  kept.index.clear();
  kept.entries.clear();
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
