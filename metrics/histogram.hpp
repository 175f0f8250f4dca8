// SPDX-License-Identifier: Apache-2.0
#pragma once
// Histogram metrics over a Partition: total variation and Jensen–Shannon, against exact masses where the law
// is known, else against the histogram of the reference.
//
// Settings: bins (integer; 0: the partition of the task; b: b bins along every axis of the box of the
// reference, D <= 4, with one overflow cell).

#include <functional>
#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"
#include "metrics/support.hpp"

namespace onmanifold {

/// Equal boxes over [low, high] with \p bins a side along the listed coordinates, and one overflow cell, the
/// last. The last bin of an axis is closed on the right.
class BoxPartition final : public Partition {
 public:
  /// \throw InvalidInput unless sizes agree, low < high, bins >= 1 and there are at most 10^7 cells.
  BoxPartition(std::vector<Index> coordinates, Vector low, Vector high, Index bins);
  [[nodiscard]] Index size() const override { return size_; }
  [[nodiscard]] Eigen::VectorXi assign(const PointsRef& points) const override;
  [[nodiscard]] std::string description() const override;

 private:
  std::vector<Index> coordinates_;
  Vector low_;
  Vector high_;
  Index bins_ = 0;
  Index size_ = 0;
};

/// 1/2 sum |p - q|. \throw InvalidInput unless sizes agree.
[[nodiscard]] double total_variation(const VectorRef& p, const VectorRef& q);
/// 1/2 KL(p|m) + 1/2 KL(q|m), m = (p+q)/2, nats, 0 log 0 = 0. \throw InvalidInput unless sizes agree.
[[nodiscard]] double jensen_shannon(const VectorRef& p, const VectorRef& q);

/// E tvd of a histogram of \p n draws against its exact masses: closed form by
/// binomial_mean_absolute_deviation.
[[nodiscard]] double tvd_null(Index n, const VectorRef& masses);
/// E tvd of two histograms of \p n and \p m draws. n = m: sum_b lambda_b e^(-2 lambda_b)(I0 + I1)(2
/// lambda_b)/n with Poisson counts, every regime; else the normal approximation sum_b sqrt(p(1-p)(1/n +
/// 1/m)/(2 pi)).
[[nodiscard]] double tvd_null_two_samples(Index n, Index m, const VectorRef& masses);

[[nodiscard]] std::unique_ptr<Metric> make_tvd(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_tvd_corrected(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_js_divergence(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_js_distance(Settings& settings);

}  // namespace onmanifold
