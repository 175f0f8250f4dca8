// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `riemannian_flow_matching`: flow matching along geodesics, intrinsic to the manifold \cite chen2024.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "manifolds/geodesics.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/flow_matching/velocity_field.hpp"

namespace onmanifold {

/// x_u = exp(x_0, u log(x_0, x_1)) with x_0 uniform on M; the network n predicts the velocity of the
/// geodesic, its output projected on the tangent space. Samples: Runge–Kutta steps of P_T(Pi x) n(Pi x),
/// projected after every step, so that they lie on M. log_density w.r.t. the volume of M: through div_M =
/// tr(P_T Dn) + n·H, exact up to the steps. Sphere, SO(3), torus and their products; elsewhere fit throws
/// Unsupported. Settings: ode_steps (100), time_power (2) of the VelocityGrid, likelihood (true) and
/// those of TrainingSettings. The training points must lie on M: not for lifts.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_riemannian_flow_matching(Settings& settings);

/// Its objective, in coordinates standardised by \p units. References outlive the result.
[[nodiscard]] std::unique_ptr<DenoiserObjective> make_geodesic_paths(const Geodesics& geodesics,
                                                                     const Standardisation& units, VelocityGrid grid);

}  // namespace onmanifold
