// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sinkhorn divergences \cite cuturi2013 \cite feydy2019 with C = |x - y|^2 and uniform weights a, b:
// OT_eps = min <P, C> + eps KL(P | a b). sinkhorn_div is OT_eps(X,Y) - OT_eps(X,X)/2 - OT_eps(Y,Y)/2 with the
// entropy term; sinkhorn_cost_div has <P, C> alone in each place, which is another number and may be below 0.
//
// Settings: eps (default 1, in squared length; far modes of unequal mass need very many sweeps at small eps),
// size (columns of each set, drawn; 0: all), tolerance (sum of the errors of the marginal at which the iteration stops,
// default 1e-9), sweeps (limit, default 10,000: not converged by then is status failed). Null: simulated
// where cheap, else NaN.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// When to stop.
struct SinkhornRule {
  double tolerance = 1e-9;  ///< sum_i |sum_j P_ij - a_i|
  Index sweeps = 10'000;
};

/// One entropic problem.
struct Sinkhorn {
  double value = MetricRecord::unknown;  ///< OT_eps with the entropy term: the dual value
  double cost = MetricRecord::unknown;   ///< <P, C>
  Index sweeps = 0;
  bool converged = false;
};

/// Log-domain iteration, eps falling from the largest cost by factors of 4; Newton steps where 100 sweeps at eps do not
/// do and N <= 600. \p x D×N, \p y D×M. Costs are kept up to 25 million pairs, memory O(N M); above they are computed
/// again in every sweep, tile by tile: time O(N M D) a sweep, memory O((N + M) D). \throw InvalidInput without points
/// or for eps <= 0.
[[nodiscard]] Sinkhorn sinkhorn(const Points& x, const Points& y, double eps, const SinkhornRule& rule = {});
/// The problem of a set with itself, whose potentials are equal: averaged updates need few sweeps.
[[nodiscard]] Sinkhorn sinkhorn(const Points& x, double eps, const SinkhornRule& rule = {});

[[nodiscard]] std::unique_ptr<Metric> make_sinkhorn_div(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_sinkhorn_cost_div(Settings& settings);

}  // namespace onmanifold
