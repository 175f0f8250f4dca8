// SPDX-License-Identifier: Apache-2.0
#pragma once
// How large the target is that a network regresses on, level by level, for four ways of training on a
// manifold.

#include <memory>
#include <string>
#include <vector>

#include "core/points.hpp"
#include "core/random/stream.hpp"
#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"
#include "manifolds/manifold.hpp"
#include "manifolds/uniform_posterior.hpp"

namespace onmanifold {

/// What a network is trained on. x_0 on M, y = x_0 + noise, z ~ N(0, I_D), xi ~ N(0, I_k).
enum class TargetKind {
  dsm,   ///< y = x_0 + s z, g = -(y - x_0)/s^2: E |g|^2 = D/s^2
  niso,  ///< y = x_0 + s z + c U_N xi, g = -Sigma^-1 (y - x_0): d/s^2 + k/(s^2 + c^2) \cite liu2025
  mad,   ///< y = x_0 + s z, g = (x_0 - E_base[x_0|y])/s^2: d/s^2 + O(1) for d > 0 \cite levyjurgenson2026
  map,   ///< x_c = x_0 + c U_N xi, y = x_c + s z, g = -(y - x_c)/s^2: D/s^2 \cite keegan2026
};
[[nodiscard]] std::string to_string(TargetKind kind);

struct TargetVarianceOptions {
  /// The lift of map and the normal noise of niso, data units. 0: neither is computed.
  double thickness = 0;
};

struct TargetVariance {
  TargetKind kind = TargetKind::dsm;
  double s = 0;
  double total = 0;     ///< mean |g|^2
  double total_se = 0;  ///< standard error over the points
  double normal = 0;    ///< mean |P_N(x_0) g|^2: k/s^2, and k/(s^2 + c^2) for niso
  double normal_se = 0;
  /// mean |P_N(Pi(y)) g|^2, over the points whose projection converged: the part that a network sees as
  /// normal. It stays bounded for mad, where the one at x_0 does too, but with the curvature's share.
  double normal_at_foot = 0;
  double closed_form = 0;  ///< of E |g|^2; NaN for mad
};

/// One entry for each kind and level, kinds in the order of the enum, levels as in \p levels. \p base: the
/// noised uniform law of \p manifold, null: no mad. \p points: draws of p0 on \p manifold, D×N. All kinds and
/// levels see the same points and noise. Streams: stream/"noise", stream/"normal". Cost: O(N D) a level, N
/// projections, and N posterior means for mad. \throw InvalidInput unless levels are positive, N >= 2 and the
/// sizes fit.
[[nodiscard]] std::vector<TargetVariance> target_variance(const Manifold& manifold, const UniformPosterior* base,
                                                          const PointsRef& points, const VectorRef& levels,
                                                          const TargetVarianceOptions& options, const Stream& stream);

/// (s^2 + c^2)/s^2: by what factor the normal target of map exceeds that of niso, though both lead to one
/// minimiser.
[[nodiscard]] double normal_target_ratio(double s, double c);

/// target_variance, of the manifold and the points alone; thickness is that of the cell's lift, or the
/// setting. By level: level, and for each kind <kind>/total, <kind>/normal, <kind>/normal_at_foot. Scalars at
/// the smallest level: <kind>_total_s2 = s^2 E|g|^2.
[[nodiscard]] std::unique_ptr<Diagnostic> make_target_variance(Settings& settings);

}  // namespace onmanifold
