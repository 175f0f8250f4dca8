// SPDX-License-Identifier: Apache-2.0
#pragma once
// Maximum mean discrepancy with Gaussian kernels \cite gretton2012: MMD^2 with k = exp(-|x-y|^2 / (2
// sigma^2)).
//
// Settings: sigma (a length; without it bandwidth decides), bandwidth = "median" (median distance of distinct
// pairs of the pooled points, mean of the two middle values; default) | "bank" (mean over gamma = .01, .1, 1,
// 10, 100).
//
// space = ambient | geodesic (great circles, by nearest points of the sphere) | torsions; permutations = B
// gives a p-value, (1 + #{T_b >= T}) / (B + 1).
//
// Null: unbiased 0, biased (1/N + 1/M)(1 - E k). Spread under H0 from the second moment of the centred
// kernel, zeta = E k~(X,X')^2: Var unbiased = 2 zeta [1/(N(N-1)) + 1/(M(M-1)) + 2/(NM)], exact, for all terms
// are uncorrelated. E k is the mean over pairs of the reference, zeta that of 2,000 of its points, drawn.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"
#include "metrics/pairwise.hpp"

namespace onmanifold {

/// The three estimators of MMD^2 from one pass.
struct MmdEstimates {
  double biased = MetricRecord::unknown;    ///< V-statistic, all pairs
  double unbiased = MetricRecord::unknown;  ///< without the diagonals of Kxx and Kyy
  double u = MetricRecord::unknown;         ///< also without the diagonal of Kxy; N = M only
};
/// \p x D×N, \p y D×M, both at least two columns. Cost O((N+M)^2 D).
[[nodiscard]] MmdEstimates mmd2(const Points& x, const Points& y, const RadialKernel& kernel);

/// Moments of a kernel under one law, estimated from \p x without bias.
struct KernelMoments {
  double mean = MetricRecord::unknown;               ///< E k(X, X')
  double centred_square = MetricRecord::unknown;     ///< zeta = E k~(X, X')^2
  double diagonal_variance = MetricRecord::unknown;  ///< Var k~(X, X)
};
constexpr Index kernel_moments_size = 2000;
/// The points of \p set that moments are estimated from, whatever the order of its rows: differences of their sums
/// cancel.
[[nodiscard]] Points kernel_moments_points(const FiniteColumns& set);
/// Dense over at most \p limit columns of \p x.
[[nodiscard]] KernelMoments kernel_moments(const Points& x, const RadialKernel& kernel,
                                           Index limit = kernel_moments_size);
/// The same for any pair function.
[[nodiscard]] KernelMoments kernel_moments(const Points& x, const PairFunction& kernel,
                                           Index limit = kernel_moments_size);
/// From the sums of k(x_i, x_j) over j != i for every i, and of k^2 over all i != j.
[[nodiscard]] KernelMoments kernel_moments(const Vector& row_sums, double square_sum);
/// Standard deviation of the unbiased (or biased) estimator at N, M when both sets have one law.
[[nodiscard]] double mmd2_null_sd(const KernelMoments& moments, Index n, Index m, bool biased);

/// Standard error of k(X,X') + k(Y,Y') - 2 k(X,Y) estimates from sums of the kernel by point: first-order
/// (Hájek) jackknife, 2 sqrt(Var h(x)/n + Var h(y)/m) with h(x_i) = mean_j k(x_i,x_j) - mean_j k(x_i,y_j).
/// Where both laws are one, it is of the order of the null spread and above it.
[[nodiscard]] double first_order_error(const Vector& xx, const Vector& yy, const Vector& xy, const Vector& yx);

[[nodiscard]] std::unique_ptr<Metric> make_mmd2_rbf_biased(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_mmd2_rbf_unbiased(Settings& settings);

}  // namespace onmanifold
