// SPDX-License-Identifier: Apache-2.0
#pragma once
// Exact optimal transport between two sets of points with uniform weights: w1 = min sum P_ij d_ij, w2_sq the
// same with d^2, w2 its root. Network simplex of LEMON \cite dezso2011 on the complete bipartite graph.
//
// The simplex method works on integers, so it ends and is the same everywhere; the value is summed from the unrounded
// distances of the plan it finds. Every value is certain to 1e-9: dual values in floating point bound the optimum from
// below. Where costs span so many magnitudes that integers are too coarse, the problem is solved again for what the
// dual values leave of the costs.
//
// Settings: space = ambient | geodesic (great circles, on spheres) | torsions; size (so many
// columns of each set, drawn by a stream; 0: all of them). Where all pairs take more memory than allowed, columns are
// generated: the same value, certain in the same way. What is too much for that, too, is an error that names the size
// that fits. Null: simulated where solving is cheap, else NaN: the oracle row says what a perfect model gets.

#include <cstdint>
#include <memory>
#include <vector>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// min_P sum P_ij |x_i - y_j|^p over couplings of uniform weights, p = 1 or 2. \p x D×N, \p y D×M; N and M
/// may differ. About O(N^3); memory transport_bytes(N, M), or where that is more than \p memory_bytes or 2^31 pairs
/// about 3 kB a point, by column generation with some ten passes over all pairs. \throw InvalidInput without points,
/// for another p, values that are not finite, or if even that is too much; NumericalFailure where the value cannot be
/// certified. \p radius > 0: distances along great circles of a sphere of that radius, on which the points lie.
[[nodiscard]] double exact_transport(const Points& x, const Points& y, int p,
                                     std::uint64_t memory_bytes = Target::default_memory, double radius = 0);
struct TransportPair {
  Index from = 0;
  Index to = 0;
  double mass = 0;
};
struct TransportPlan {
  double cost = 0;                   ///< what exact_transport gives
  std::vector<TransportPair> pairs;  ///< by from, then to; masses sum to 1
};
/// The plan behind exact_transport, at most N + M - 1 pairs. Errors as there.
[[nodiscard]] TransportPlan exact_transport_plan(const Points& x, const Points& y, int p,
                                                 std::uint64_t memory_bytes = Target::default_memory,
                                                 double radius = 0);
/// What exact_transport needs for \p n and \p m points.
[[nodiscard]] std::uint64_t transport_bytes(Index n, Index m);
/// Largest n with transport_bytes(n, n) <= \p memory_bytes.
[[nodiscard]] Index transport_size(std::uint64_t memory_bytes);

[[nodiscard]] std::unique_ptr<Metric> make_w1(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_w2(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_w2_sq(Settings& settings);

}  // namespace onmanifold
