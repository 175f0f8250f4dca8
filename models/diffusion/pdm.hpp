// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `pdm`: a plain diffusion whose sampler projects after every step \cite christopher2024.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "models/diffusion/diffusion_objective.hpp"

namespace onmanifold {

/// Trained as `ddpm`. After each step of the sampler, settings "project":
///   state (published): the state, in data units mean + scale x_t, goes to its nearest point of M;
///   signal: the data point behind it does, mean + scale x_t/a_t, which is x_0 plus noise at every time.
/// A state without a unique nearest point stays as it is. Other settings: those of make_diffusion_model.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_pdm(Settings& settings);

[[nodiscard]] std::unique_ptr<DiffusionObjective> make_pdm_objective(const DiffusionFrame& frame, bool signal);

}  // namespace onmanifold
