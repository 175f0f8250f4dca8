// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `tango`: below a noise level c only the tangential part of the score is learned and used
// \cite liu2025.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "models/diffusion/diffusion_objective.hpp"

namespace onmanifold {

struct TangoOptions {
  double c = 0;               ///< data units; 0: the pre-registered lift of the task
  double snr = 0.16;          ///< \cite song2021
  Index corrector_steps = 2;  ///< at each level below c
};

/// Training: plain noise prediction at levels s_t >= c; below, prediction and target are projected on the tangent space
/// at Pi of the noisy point before they are compared. Sampling: steps of the sampler down to the last level >= c, one
/// projection, then at each lower level `corrector_steps` (2) steps of tangential Langevin dynamics,
///   y <- Pi(y + a P_T s + sqrt(2 a) P_T z),  a = 2 (snr |P_T z|/|P_T s|)^2, norms averaged over the block,
/// capped at the squared level. Settings: those of TangoOptions and those of make_diffusion_model. Where every level is
/// >= c it is `ddpm`.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_tango(Settings& settings);

[[nodiscard]] std::unique_ptr<DiffusionObjective> make_tango_objective(const DiffusionFrame& frame,
                                                                       const TangoOptions& options);

}  // namespace onmanifold
