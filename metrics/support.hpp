// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the metrics share: the frame of a record, both sets without columns that are not finite, moments.

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "contracts/metric_record.hpp"
#include "core/math/summation.hpp"
#include "core/points.hpp"
#include "core/value.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

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
/// Standard deviation of a share of \p n independent trials, at Wilson's centre: above 0 at 0 and 1 too.
[[nodiscard]] double share_error(double share, Index n);
/// The same as not_applicable() with status failed.
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
  const FiniteColumns& samples_;
  const FiniteColumns* reference_ = nullptr;
  Index least_reference_;
  Index least_samples_;
};

/// SHA-256 of sizes and entries, for parameters that name a set of points.
[[nodiscard]] std::string fingerprint(const Points& points);

/// Mean and standard deviation (ddof 1) of simulated null values.
struct NullMoments {
  double mean = MetricRecord::unknown;
  double sd = MetricRecord::unknown;
};
/// Over the entries of \p values in order; sd is NaN for fewer than two.
[[nodiscard]] NullMoments moments_of(const VectorRef& values);

}  // namespace onmanifold
