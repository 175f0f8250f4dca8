// SPDX-License-Identifier: Apache-2.0
#pragma once
// Finite-time Lyapunov exponents and vectors of the path from noise to data: which directions of the noise
// survive.

#include <memory>

#include "contracts/score_field.hpp"
#include "core/random/stream.hpp"
#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"
#include "diagnostics/intrinsic_dimension.hpp"

namespace onmanifold {

/// Which map's Jacobian is taken.
enum class LyapunovPath {
  flow,          ///< dy/ds = -s score: the probability flow, and flow matching
  frozen_noise,  ///< ancestral sampling with its noise held fixed
};

struct LyapunovOptions {
  /// q, the number of vectors; 0: D.
  Index vectors = 0;
  LyapunovPath path = LyapunovPath::flow;
  /// Number of the level at which the path stops; -1: the last one of the field.
  Index last_level = -1;
};

/// Of N trajectories. Columns of a trajectory that left the finite numbers are NaN.
struct LyapunovResult {
  Points end;      ///< D×N
  Points vectors;  ///< D×(qN), orthonormal, q columns a trajectory: backward Lyapunov vectors at its end, top
                   ///< first
  /// q×N, falling: logarithms of the singular values of (Jacobian of the path) × (start vectors). With q = D
  /// those of the Jacobian, whatever the start; with q < D each at most those.
  Points exponents;
  /// q×N: sums of log R_ii. They differ from the exponents by O(1), the time that the start vectors need to
  /// align; their sum over the q rows is the same.
  Points qr_exponents;
  Index count = 0;     ///< q
  Index failures = 0;  ///< trajectories that are NaN
  double s_max = 0;
  double s_min = 0;
};

/// QR iteration \cite benettin1980 from random orthonormal vectors along the path that begins at each column
/// of \p start (D×N draws of the law at level 0), one step a level. Streams: "vectors"; "path" for the frozen
/// noise. Singular values come from the product of the triangular factors by one-sided Jacobi rotations, to
/// high relative accuracy however far they are apart (log up to about 700). Cost: 2 levels N (1 + q) network
/// evaluations (half for the frozen noise) and levels N D q^2. \throw InvalidInput on sizes that do not fit.
[[nodiscard]] LyapunovResult lyapunov(const ScoreField& field, const PointsRef& start, const LyapunovOptions& options,
                                      const Stream& stream);

/// exponents(d - 1) - exponents(d) of every trajectory: what remains of the normal against the tangent.
/// \throw InvalidInput unless 0 < d < q.
[[nodiscard]] Vector spectral_gaps(const LyapunovResult& result, Index d);

/// The number of exponents before the largest gap, for every trajectory that is finite. Between 1 and q - 1.
/// \throw InvalidInput for q < 2 or no finite trajectory.
[[nodiscard]] DimensionEstimates lyapunov_dimension(const LyapunovResult& result);

/// The exponent of the flow in a direction in which the data are normal with variance w^2 (0: a normal of a
/// bare manifold; the lift along normals of a lifted one): 1/2 log((w^2 + s_min^2)/(w^2 + s_max^2)). Twice
/// that for the frozen noise.
[[nodiscard]] double gaussian_exponent(double w, double s_max, double s_min);

/// What turns exponents of y into those of x_t = a_t y, variance preserving: log of a at s_min over a at
/// s_max, a = 1/sqrt(1 + (s/scale)^2). \p scale that of the standardised units.
[[nodiscard]] double variance_preserving_shift(double s_max, double s_min, double scale = 1);
/// The same for x_u = u y of flow matching, u = 1/(1 + s/scale).
[[nodiscard]] double flow_matching_shift(double s_max, double s_min, double scale = 1);

/// lyapunov along the flow from the first level down, or along the ancestral sampler with `path` =
/// `frozen_noise`: gap and alignment (medians of the spectral gap after d and of A1), alignment_random,
/// score_alignment (A2), largest_sine (A3), dimension_estimate, dimension, failures, evaluations (values and
/// Jacobian products of the field a path); exponents (medians, falling). `vectors` of them; 0: all up to D = 32, d + 8
/// above. On a lifted law the gap is at most about log(w/sigma). Up to D = 32, of `condition_points` (50; 0: none)
/// paths from the first level below a tenth of the reach (`condition_level`): the shares bound_holds (angle measured <=
/// alignment_condition's bound, a theorem), linear_holds (without the quadratic term: no bound on curved M),
/// bound_vacuous, and control_vacuous of the same condition on a thick circle, a law on no manifold, which must be
/// near 1.
[[nodiscard]] std::unique_ptr<Diagnostic> make_lyapunov(Settings& settings);

}  // namespace onmanifold
