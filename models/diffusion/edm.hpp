// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `edm`: denoising diffusion with the preconditioning, the training levels and the sampler of \cite karras2022,
// blind to the manifold.

#include <memory>
#include <vector>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "models/diffusion/diffusion_objective.hpp"

namespace onmanifold {

/// Training levels: log s is normal with these moments, in units of the data's deviation, within s_1 … s_T.
struct EdmLevels {
  double mean = -1.2;      ///< published: -1.2 for data of deviation 1/2, which is -0.5 here, and a deviation of 1.2;
  double deviation = 1.5;  ///< lower and wider ones were better on thin laws in few coordinates (docs/tuning.md)
};

/// With y = x_0 + s z and data of deviation 1 (standardised points), the denoiser is
///   D(y; s) = c_skip y + c_out F(c_in y, t),  c_skip = 1/(1 + s^2), c_out = s/sqrt(1 + s^2), c_in = 1/sqrt(1 + s^2)
/// and its weighted loss that of the network, the mean of (F - (x_0 - c_skip y)/c_out)^2. In the state x_t = a_t y of
/// this family c_in = a_t, c_out = sigma_t: D = a_t x_t + sigma_t F, the target is sigma_t x_0 - a_t z, and epsilon =
/// sigma_t x_t - a_t F. Levels are those of the schedule; t is drawn so that log s_t has the moments of \p levels.
/// \p frame outlives the result. \throw InvalidInput if no level has a chance.
[[nodiscard]] std::unique_ptr<DiffusionObjective> make_edm_objective(const DiffusionFrame& frame,
                                                                     const EdmLevels& levels);

/// Chances of t = 1 … T under \p levels: the normal mass between the middles of neighbouring log levels, divided by
/// their sum. The outermost cells end half a cell beyond s_1 and s_T.
[[nodiscard]] std::vector<double> level_chances(const NoiseSchedule& schedule, const EdmLevels& levels);

/// Settings: level_mean, level_deviation, and those of make_diffusion_model, of which other defaults are schedule =
/// geometric with timesteps = 400 up to largest_level = 80, time_input = level, features = 32, ema = .9995, sampler =
/// sde, sampler_grid = karras and sampler_steps = 64. A published level is continuous; here it is rounded to one of the
/// schedule's, 2 % apart for s_min = .01. The levels of a batch are stratified.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_edm(Settings& settings);

}  // namespace onmanifold
