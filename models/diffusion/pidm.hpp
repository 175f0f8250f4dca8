// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `pidm`: a diffusion with the distance to the manifold as a penalty on its prediction of x_0
// \cite bastek2025.

#include <memory>

#include "core/generative_model.hpp"
#include "core/settings.hpp"
#include "models/diffusion/diffusion_objective.hpp"

namespace onmanifold {

/// The network predicts x_0; loss = mean (x̂_0 - x_0)^2 + penalty · mean dist(x̂_0, M), both in standardised units
/// ("mean estimation"). The residual R is the distance to M, whose gradient (x - Pi(x))/dist needs no derivative of h;
/// on planes, spheres and meshes it is |h|. Setting penalty (0.1), and those of make_diffusion_model. The published
/// weight 1/Sigma_t is left at 1: it has no finite value at t = 1.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_pidm(Settings& settings);

[[nodiscard]] std::unique_ptr<DiffusionObjective> make_pidm_objective(const DiffusionFrame& frame, double penalty);

}  // namespace onmanifold
