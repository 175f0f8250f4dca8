// SPDX-License-Identifier: Apache-2.0
#pragma once
// Precision, recall, density and coverage \cite kynkaanniemi2019 \cite naeem2020 from balls around the points
// of each set with the radius of their k-th nearest neighbour in that set, the point itself excluded.
//
// Settings: k (5), closed (false: d < r; true: d <= r).
//
// Nulls for any continuous law: coverage 1 - prod_{i<k} (N-1-i)/(N-1+M-i), density 1; precision and recall
// and all spreads by simulation.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

struct Prdc {
  double precision = MetricRecord::unknown;
  double recall = MetricRecord::unknown;
  double density = MetricRecord::unknown;
  double coverage = MetricRecord::unknown;
};

/// \p x reference D×N, \p y samples D×M, k < N and k < M. Cost O((N + M)(k + log N)) in low dimension,
/// O((N+M)^2 D) else.
[[nodiscard]] Prdc prdc(const Points& x, const Points& y, Index k, bool closed = false);
/// E coverage when both sets have one continuous law.
[[nodiscard]] double coverage_null(Index n, Index m, Index k);

[[nodiscard]] std::unique_ptr<Metric> make_precision(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_recall(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_density(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_coverage(Settings& settings);

}  // namespace onmanifold
