// SPDX-License-Identifier: Apache-2.0
#pragma once
// Metrics of nearest neighbours between the two sets: cov_match (coverage of \cite achlioptas2018), mmd_min
// ("minimum matching distance", not the kernel MMD), chamfer, and one_nna, the leave-one-out 1-NN two-sample
// test.
//
// Settings of mmd_min and chamfer: squared (true). Where several points are equally near, all of them are matched
// (cov_match) or share the vote (one_nna): neither the order of rows nor that of the two sets counts.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// Share of the columns of \p x (reference) that are the nearest one of some column of \p y.
[[nodiscard]] double cov_match(const Points& x, const Points& y);
/// mean_x min_y d^2 (or d).
[[nodiscard]] double mean_nearest_distance(const Points& x, const Points& y, bool squared);

/// Accuracy of the leave-one-out 1-NN classifier on the pooled set, and of its two classes.
struct OneNna {
  double accuracy = MetricRecord::unknown;
  double reference = MetricRecord::unknown;
  double samples = MetricRecord::unknown;
};
[[nodiscard]] OneNna one_nna(const Points& x, const Points& y);
/// [N(N-1) + M(M-1)] / [(N+M)(N+M-1)]: exact for any continuous law.
[[nodiscard]] double one_nna_null(Index n, Index m);

/// Permutation p-value of the accuracy, one-sided: large accuracy speaks against one law. Settings of the
/// metric: permutations (0: none).
[[nodiscard]] double one_nna_p(const Points& x, const Points& y, Index permutations, const Stream& stream);

[[nodiscard]] std::unique_ptr<Metric> make_cov_match(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_mmd_min(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_mmd_min_gen(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_chamfer(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_one_nna(Settings& settings);

}  // namespace onmanifold
