// SPDX-License-Identifier: Apache-2.0
#pragma once
// How large the score of a latent model is along the normals of the encoded manifold as the noise falls.

#include "contracts/score_field.hpp"
#include "core/random/stream.hpp"
#include "diagnostics/line_fit.hpp"

namespace onmanifold {

struct LatentScoreNorm {
  Vector levels;         ///< s, falling, latent units
  Vector normal_square;  ///< E |P_N(z_0) score(z_0 + s e)|^2 with the draw's normal noise as a control: k/s^2
                         ///< ideally
  Vector total_square;   ///< E |score|^2
  LineFit line;          ///< of log normal_square on log s over the levels s <= decade × the smallest; ideally -2
};

/// \p code = f(x), m×N, and \p tangents = J_f T at x, m×(dN), of any basis T of the tangent space of M: they
/// span the tangent space of f(M) at f(x), and what is left of R^m is normal to it. The foot of z_0 + s e is
/// taken for z_0, which is right up to a share O(s) of the curvature. All levels see the same noise:
/// stream/"noise". \throw Unsupported unless d < m, as f(M) has no normals then; on sizes
/// that do not fit, or d < 1.
[[nodiscard]] LatentScoreNorm latent_score_norm(const ScoreField& field, const PointsRef& code,
                                                const PointsRef& tangents, const Stream& stream, double decade = 10);

}  // namespace onmanifold
