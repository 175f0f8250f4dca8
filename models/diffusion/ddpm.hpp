// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `ddpm`: denoising diffusion with noise prediction \cite ho2020, blind to the manifold.

#include <memory>

#include "core/generative_model.hpp"
#include "core/settings.hpp"
#include "models/diffusion/ancestral_sampler.hpp"
#include "models/networks/network.hpp"

namespace onmanifold {

/// Settings: steps (7000), batch (256), learning_rate, warmup, ema, clip, network (auto), width (128), depth
/// (3), and those of DiffusionSettings. network: auto takes `unet` where the task's points are images, `mlp`
/// elsewhere; width and depth are those of the mlp, the U-Net has one size. Data are standardised by the mean
/// and ONE scale of the clean points. State: the averaged weights, as Network::to_state. fit throws
/// NumericalFailure "diverged: …" on a loss that is not finite.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_ddpm(Settings& settings);

/// The network as a denoiser of sampling blocks. References outlive the result.
[[nodiscard]] BlockDenoiser make_block_denoiser(const Network& network, const Eigen::VectorXf& parameters,
                                                Index timesteps);

}  // namespace onmanifold
