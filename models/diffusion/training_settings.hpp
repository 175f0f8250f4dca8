// SPDX-License-Identifier: Apache-2.0
#pragma once
// Network and optimiser of the methods that train a denoiser or a velocity, as a suite states them.

#include <memory>
#include <string>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "models/networks/adam.hpp"
#include "models/networks/mlp.hpp"
#include "models/networks/network.hpp"

namespace onmanifold {

struct TrainingSettings {
  AdamOptions adam;
  Index batch = 256;
  std::string network = "auto";  ///< auto: unet where the points are images, mlp elsewhere
  MlpShape shape;                ///< of the mlp; its data size is set by make_network

  /// Reads steps (7000), batch (256), learning_rate, warmup, ema, clip (0 unless \p usual_clip says otherwise),
  /// network (auto | mlp | unet), width (128), depth (3) and residual (false) of the MLP; the U-Net has one size.
  [[nodiscard]] static TrainingSettings read(Settings& settings, double usual_clip = 0);
  /// \throw Unsupported for a U-Net on points that are no images.
  [[nodiscard]] std::unique_ptr<Network> make_network(const FitContext& context) const;
};

}  // namespace onmanifold
