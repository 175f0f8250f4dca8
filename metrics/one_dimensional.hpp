// SPDX-License-Identifier: Apache-2.0
#pragma once
// Distances of samples on a line, and what is made of them: ks of one coordinate, sliced_w2 over directions.
//
// Settings: ks: coordinate (0). sliced_w2: directions (64), seed (0); directions are uniform on the sphere
// and the same for all methods and tasks of one dimension.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// sup |F_x - F_y| of two non-empty samples; ties are on both sides.
[[nodiscard]] double kolmogorov_smirnov(Vector x, Vector y);
/// integral |F_x^-1 - F_y^-1|^p over (0, 1), p = 1 or 2: W1, or the SQUARE of W2. Sizes may differ: the
/// quantile functions are integrated on the merged grid i/N, j/M. O(N log N + M log M).
[[nodiscard]] double line_transport(Vector x, Vector y, int p);
/// P(distance >= \p d) for two samples of \p n and \p m points of one continuous law: exact, by counting
/// lattice paths, for n m <= 4e6; above through kolmogorov_smirnov_p at n m / (n + m) points.
[[nodiscard]] double kolmogorov_smirnov_two_sample_p(Index n, Index m, double d);
/// (mean_u W2^2(u.x, u.y))^(1/2) over the columns of \p directions.
[[nodiscard]] double sliced_w2(const Points& x, const Points& y, const Points& directions);

[[nodiscard]] std::unique_ptr<Metric> make_ks(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_sliced_w2(Settings& settings);

}  // namespace onmanifold
