// SPDX-License-Identifier: Apache-2.0
#pragma once
// Fréchet distance of Gaussians fitted to both sets, |mu1-mu2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2), ddof
// 1, through triangular factors: with S = RᵀR/(n-1) the last trace is the nuclear norm of R1 R2ᵀ /
// sqrt((n-1)(m-1)). Exact for rank-deficient data, which is the rule on manifolds; never a square root of a
// general matrix. In many dimensions, where both covariances have full rank and are well conditioned, the
// trace comes from the covariances (metrics/gaussian_fit.hpp, which has the criterion): three times as fast,
// the same within 1e-11 of tr S1 + tr S2.
//
// Setting: features = coordinates | given (the feature map that came with the input) | pca64 (of the task).
// fid_lenet: the same on the penultimate layer of a network trained on the task's own labelled images. The
// record names the features, with the hash of what defines them.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// \p x D×N, \p y D×M, at least two columns each. O((N + M) D^2 + D^3).
[[nodiscard]] double frechet_distance(const Points& x, const Points& y);
/// The same by triangular factors, whatever the criterion says.
[[nodiscard]] double frechet_distance_by_factors(const Points& x, const Points& y);
/// From means and factors with S = FᵀF.
[[nodiscard]] double frechet_distance(const Vector& mean_x, const Eigen::MatrixXd& factor_x, const Vector& mean_y,
                                      const Eigen::MatrixXd& factor_y);
/// E fd for two samples of one Gaussian with covariance eigenvalues \p eigenvalues:
/// (1/N + 1/M)/2 [3 sum l_i + sum_{i != j} l_i l_j / (l_i + l_j)] to first order in 1/N.
[[nodiscard]] double frechet_null(const Vector& eigenvalues, Index n, Index m);

/// Its standard deviation for Gaussians, to first order: with r = 1/N + 1/M,
/// r sqrt(5/2 sum l_i^2 + sum_{i != j} (l_i l_j / (l_i + l_j))^2).
[[nodiscard]] double frechet_null_sd(const Vector& eigenvalues, Index n, Index m);
/// Intercept at 1/n = 0 of the line through fd of 15 random subsets of \p y against all of \p x, sizes evenly
/// spaced from min(5000, M/10) to M \cite chong2020. \throw InvalidInput below 20 columns of \p y.
[[nodiscard]] double frechet_distance_at_infinity(const Points& x, const Points& y, const Stream& stream);

[[nodiscard]] std::unique_ptr<Metric> make_fd_inf(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_fd(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_fid_lenet(Settings& settings);

}  // namespace onmanifold
