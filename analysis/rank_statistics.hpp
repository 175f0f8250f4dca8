// SPDX-License-Identifier: Apache-2.0
#pragma once
// Statistics of ranks: the studentised range, Friedman's test, Nemenyi's critical difference.

#include <utility>
#include <vector>

#include "core/math/statistics.hpp"
#include "core/points.hpp"

namespace onmanifold {

/// P(range of \p k independent standard normal numbers <= \p q): the studentised range with infinitely many
/// degrees of freedom, k ∫ φ(x) (Φ(x) - Φ(x - q))^(k-1) dx by Gauss–Legendre, absolute error below 1e-12 up
/// to k = 1000. \throw InvalidInput unless k >= 2.
[[nodiscard]] double studentised_range_cdf(double q, int k);
/// Its inverse by bisection. \throw InvalidInput unless 0 < p < 1 and k >= 2.
[[nodiscard]] double studentised_range_quantile(double p, int k);
/// Two of \p k mean ranks over \p blocks blocks differ at family level \p alpha if they are further apart
/// than q_alpha/√2 √(k (k + 1)/(6 blocks)) \cite demsar2006.
[[nodiscard]] double critical_difference(int k, double blocks, double alpha = 0.05);
/// Friedman's test of no difference between arms, tie-corrected \cite demsar2006. \p ranks: blocks × arms,
/// mid-ranks in each row; \p weights of the blocks in the mean ranks, sum 1 (equal weights: the classical
/// statistic). chi-squared with arms - 1 degrees; all ranks tied: statistic 0, p 1. \throw InvalidInput below
/// two arms or for other weights.
[[nodiscard]] TestResult friedman_test(const Points& ranks, const Vector& weights);
/// Maximal runs [first, last] of ascending \p mean_ranks that no critical difference \p cd separates.
[[nodiscard]] std::vector<std::pair<int, int>> unseparated_groups(const std::vector<double>& mean_ranks, double cd);

}  // namespace onmanifold
