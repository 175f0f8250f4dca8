// SPDX-License-Identifier: Apache-2.0
#pragma once
// Ancestral sampling of a discrete diffusion, in blocks of columns that stay in the cache through all steps.

#include <functional>

#include "core/points.hpp"
#include "core/stream.hpp"
#include "models/diffusion/noise_schedule.hpp"

namespace onmanifold {

/// Writes the predicted noise epsilon(x_t, t) of the columns of \p x (D×n, n <= sampling_block) to \p epsilon
/// (D×n). Called from one thread; may keep scratch memory.
using BlockDenoiser = std::function<void(const Points& x, Index t, Points& epsilon)>;

/// Columns of a block: 3 layers of 128 floats for 512 columns take 0.5 MB, half of a second-level cache.
inline constexpr Index sampling_block = 512;

/// Draws x_T ~ N(0, I), then for t = T … 1 \cite ho2020
///   x_(t-1) = (x_t - beta_t / sigma_t · epsilon(x_t, t)) / sqrt(1 - beta_t) + tau_t z,   no noise at t = 1,
/// tau_t^2 = beta_t (`beta`) or the posterior variance (`posterior`). D×n, in the units of the diffusion. \p
/// epsilon is called for one block at a time, with t from T down to 1.
///
/// `beta` is exact for unit-normal data, `posterior` for one point. With the exact score and T = 100 (cosine,
/// s_1 = .01) a direction of standard deviation v comes out wide by 5.6 % (v = .034), 2.3 % (.15), 1.4 %
/// (.3), 0 (1) with `beta` and narrow by 16.1 %, 5.4 %, 3.3 %, 2.1 % with `posterior`: hence the default
/// `beta`. The state is double. Noise of block b: stream.at(b).at(t), its x_T: stream.at(b).at(0).
[[nodiscard]] Points ancestral_sample(const NoiseSchedule& schedule, const std::string& variance,
                                      const BlockDenoiser& epsilon, Index dimension, Index n,
                                      const Stream& stream);

/// Standard deviation that ancestral_sample gives, with the exact epsilon, to a direction in which the data
/// are normal with standard deviation \p v: the discretisation error of the sampler in closed form.
[[nodiscard]] double sampled_deviation(const NoiseSchedule& schedule, const std::string& variance, double v);

}  // namespace onmanifold
