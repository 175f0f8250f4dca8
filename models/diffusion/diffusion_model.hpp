// SPDX-License-Identifier: Apache-2.0
#pragma once
// The one model behind the methods of the diffusion family: settings, training, sampling, state. What differs
// between them is a DiffusionObjective.

#include <functional>
#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "models/diffusion/diffusion_objective.hpp"
#include "models/diffusion/training_settings.hpp"
#include "models/networks/network.hpp"

namespace onmanifold {

/// Makes the objective of a fit. May throw Unsupported for a manifold that it cannot serve.
using ObjectiveFactory = std::function<std::unique_ptr<DiffusionObjective>(const DiffusionFrame& frame)>;

/// What a method of the family starts from where a suite says nothing.
struct DiffusionDefaults {
  TrainingSettings training;
  DiffusionSettings diffusion;
  SamplerOptions sampler;
};

/// Reads TrainingSettings, DiffusionSettings, SamplerOptions and clip_denoised (auto: of images only | always | never;
/// by the range of the first pass of training points). Data are standardised by the mean and ONE scale of the clean
/// points. State: the averaged weights, as Network::to_state. fit throws NumericalFailure "diverged: …" on a loss that
/// is not finite.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_diffusion_model(Settings& settings, ObjectiveFactory objective,
                                                                    const DiffusionDefaults& usual = {});

/// The network's output as a function of sampling blocks. References outlive the result.
[[nodiscard]] BlockDenoiser make_block_denoiser(const Network& network, const Eigen::VectorXf& parameters,
                                                Eigen::MatrixXf times);

}  // namespace onmanifold
