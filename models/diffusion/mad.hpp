// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `mad`: manifold-aware denoising score matching. The score of the uniform law on M under noise is known; the
// network learns the remainder \cite levyjurgenson2026.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "models/diffusion/diffusion_objective.hpp"

namespace onmanifold {

/// s = s_base + r with s_base = (a E[x_0|x_t] - x_t)/sigma^2 for uniform x_0 on M (manifolds/uniform_posterior), r the
/// network, whose last layer starts at 0; loss = mean sigma_t^2 |s_base + r + z/sigma_t|^2, the weight of `ddpm`, so
/// that the losses of the two compare. Sphere, SO(3), torus, finite sets, affine M and their products; elsewhere fit
/// throws Unsupported. Settings: those of make_diffusion_model.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_mad(Settings& settings);

[[nodiscard]] std::unique_ptr<DiffusionObjective> make_mad_objective(const DiffusionFrame& frame);

}  // namespace onmanifold
