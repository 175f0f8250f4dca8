// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the metrics share: finite columns, the frame of a record, addresses of evaluation streams, and a store
// of results of pure functions (null values, neighbour radii, kernel sums) that several metrics or cells ask
// for.

#include <any>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "contracts/metric_record.hpp"
#include "core/math/summation.hpp"
#include "core/points.hpp"
#include "core/value.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// The finite columns of a set of points; copies only if there is one that is not finite.
class FiniteColumns {
 public:
  /// \p points outlives the object.
  explicit FiniteColumns(const Points& points);
  FiniteColumns(const FiniteColumns&) = delete;
  FiniteColumns& operator=(const FiniteColumns&) = delete;

  [[nodiscard]] const Points& points() const { return *points_; }
  [[nodiscard]] Index size() const { return points_->cols(); }
  /// Columns left out.
  [[nodiscard]] Index nonfinite() const { return nonfinite_; }

 private:
  Points kept_;
  const Points* points_ = nullptr;
  Index nonfinite_ = 0;
};

/// Mean and standard deviation of a sequence that comes twice in chunks, with the bits of moments_of.
class StreamedMoments {
 public:
  void add(int pass, const Vector& values) {
    if (pass == 0) {
      sum_.add(values.data(), values.size());
      return;
    }
    const Vector deviations = values.array() - mean();
    const Vector squares = deviations.cwiseAbs2();
    squares_.add(squares.data(), squares.size());
  }
  [[nodiscard]] double mean() const {
    return sum_.count() == 0 ? MetricRecord::unknown : sum_.sum() / static_cast<double>(sum_.count());
  }
  /// ddof 1; NaN for fewer than two.
  [[nodiscard]] double sd() const {
    return sum_.count() < 2 ? MetricRecord::unknown : std::sqrt(squares_.sum() / static_cast<double>(sum_.count() - 1));
  }

 private:
  TreeSum sum_;
  TreeSum squares_;
};

/// A record with everything but its numbers. \p n_samples counts all columns, also those that are not finite;
/// 0 where the samples come in chunks.
[[nodiscard]] MetricRecord make_record(std::string_view name, std::string_view direction,
                                       const Value::Table& parameters, const MetricInput& input);

/// Marks \p record as one that cannot be computed: value, null and spread NaN, status not_applicable with \p
/// why.
[[nodiscard]] MetricRecord not_applicable(MetricRecord record, std::string_view why);
/// The same with status failed.
[[nodiscard]] MetricRecord failed(MetricRecord record, std::string_view why);

/// The finite columns of samples and reference, or why there is nothing to compare. Fills in n_nonfinite and
/// n_reference of a record.
class FinitePair {
 public:
  /// \p least_reference and \p least_samples points are needed. \p input outlives the object.
  FinitePair(const MetricInput& input, MetricRecord& record, Index least_reference = 1, Index least_samples = 1);
  /// What to return at once, if anything: \p record as not_applicable (reference) or failed (samples).
  [[nodiscard]] std::optional<MetricRecord> obstacle(const MetricRecord& record) const;
  [[nodiscard]] const Points& reference() const { return reference_->points(); }
  [[nodiscard]] const Points& samples() const { return samples_.points(); }

 private:
  FiniteColumns samples_;
  std::optional<FiniteColumns> reference_;
  Index least_reference_;
  Index least_samples_;
};

/// SHA-256 of sizes and entries: tells sets of points apart in the store.
[[nodiscard]] std::string fingerprint(const Points& points);
/// Tells evaluation addresses and laws apart: the address of \p input.evaluation and 32 draws of its sampler.
[[nodiscard]] std::string fingerprint(const MetricInput& input);

namespace detail {
[[nodiscard]] std::any remembered(const std::string& key, const std::function<std::any()>& compute);
}  // namespace detail

/// The value of compute() under \p key, computed at most once while it stays among the last 256 asked for. \p
/// compute must be a pure function of what \p key names, so that a result never depends on whether it was in
/// the store.
template <class T>
[[nodiscard]] std::shared_ptr<const T> remember(const std::string& key, const std::function<T()>& compute) {
  const std::any value =
      detail::remembered(key, [&] { return std::any(std::shared_ptr<const T>(std::make_shared<T>(compute()))); });
  return std::any_cast<std::shared_ptr<const T>>(value);
}
/// Empties the store: for tests and for measurements of a first evaluation.
void forget_remembered();

/// Mean and standard deviation (ddof 1) of simulated null values.
struct NullMoments {
  double mean = MetricRecord::unknown;
  double sd = MetricRecord::unknown;
};
/// Over the entries of \p values in order; sd is NaN for fewer than two.
[[nodiscard]] NullMoments moments_of(const VectorRef& values);

}  // namespace onmanifold
