// SPDX-License-Identifier: Apache-2.0
#pragma once
// How far a model of two steps can be from its data, from what each of its steps gets wrong \cite
// loaizaganem2024.

#include <memory>

#include "contracts/latent_model.hpp"
#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"

namespace onmanifold {

/// W_p(P, g#Q) <= (E|x - g f(x)|^p)^(1/p) + L W_p(f#P, Q), P the points and Q the latent draws, uniform on
/// each.
struct TwoStepBound {
  double left = 0;            ///< W_p(P, g#Q)
  double reconstruction = 0;  ///< (E|x - g f(x)|^p)^(1/p)
  double latent = 0;          ///< W_p(f#P, Q)
  /// L: largest singular value of J_g over `nodes` places on every segment of the optimal plan from f#P to Q,
  /// ends included. Only the segments matter, so the bound is one for these laws as they are.
  double local_lipschitz = 0;
  double norm_bound = 0;  ///< L from the norms of the decoder's layers
  double diameter = 0;    ///< largest |x - x'| of the points: a right side above it says nothing

  [[nodiscard]] double right() const { return reconstruction + local_lipschitz * latent; }
  [[nodiscard]] double right_by_norms() const { return reconstruction + norm_bound * latent; }
};

/// \p points D×N and \p latent m×N, equally many; p = 1 or 2. Cost: two exact transports, O(N^3) in practice,
/// and N nodes products with m directions. \throw InvalidInput for other sizes, p or nodes < 2.
[[nodiscard]] TwoStepBound two_step_bound(const LatentModel& model, const PointsRef& points, const PointsRef& latent,
                                          int p, Index nodes = 5);

/// two_step_bound, of models of two steps, with `points` (1000) training points and as many latent draws:
/// lhs_over_rhs with the local Lipschitz constant, lhs_over_rhs_norms with that from the norms of the layers,
/// rhs_over_diameter (above 1 the bound says nothing), left, reconstruction, latent, lipschitz for W1, and
/// with _w2 for W2; norm_bound.
[[nodiscard]] std::unique_ptr<Diagnostic> make_two_step_bound(Settings& settings);

}  // namespace onmanifold
