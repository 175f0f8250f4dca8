// SPDX-License-Identifier: Apache-2.0
#pragma once
// Exact expectations over the cell counts of a histogram: the null values of tvd and the Jensen–Shannon
// metrics.

#include <functional>

#include "core/points.hpp"
#include "metrics/support.hpp"

namespace onmanifold {

/// E|B - N p| for B ~ Bin(N, p), exact in every regime: 2(m+1) C(N, m+1) p^(m+1) (1-p)^(N-m), m = floor(N p)
/// (de Moivre). In logarithms by lgamma; relative error about 1e-16 N log N. \pre n >= 1, 0 <= p <= 1
[[nodiscard]] double binomial_mean_absolute_deviation(Index n, double p);

/// Mean and spread of T = sum_b term(p_b, B_b/N) for multinomial counts B of N draws.
///
/// The mean is exact: sums over the binomial law of every cell, cut where its mass falls below 1e-18 of the
/// mode. The spread has exact variances of the cells; the covariance of two cells is expanded in their
/// correlation rho = -sqrt(p_a p_b / (q_a q_b)) to second order: linear part -c_a c_b / (N q_a q_b), c =
/// Cov(B, term), plus rho^2 s_a s_b / 2, s = Cov((B - N p)^2 / (N p q), term). Cost: O(sum_b sqrt(N p_b) +
/// K). \pre n >= 1
[[nodiscard]] NullMoments multinomial_sum_moments(Index n, const VectorRef& masses,
                                                  const std::function<double(double, double)>& term);

}  // namespace onmanifold
