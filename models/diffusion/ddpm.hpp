// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `ddpm`: denoising diffusion, blind to the manifold \cite ho2020.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// Settings: prediction (epsilon | signal) and those of make_diffusion_model.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_ddpm(Settings& settings);

}  // namespace onmanifold
