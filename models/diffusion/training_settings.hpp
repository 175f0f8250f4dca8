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
  Index features = 0;            ///< Fourier features of the points, beside them in the input of the mlp
  double feature_scale = 4;      ///< deviation of their phases for points of unit variance
  bool former = true;            ///< whether the learning rate was tuned, and there is a former one to go back to

  /// Reads preset (tuned; only where \p usual has former defaults), steps (7000), batch (256), learning_rate (5e-3, or
  /// as usual), warmup, ema, clip, network (auto | mlp | unet), width (128), depth (3), residual (false), features and
  /// feature_scale of the MLP; the U-Net has one size and no features. Defaults are those of \p usual.
  [[nodiscard]] static TrainingSettings read(Settings& settings, const TrainingSettings& usual);
  [[nodiscard]] static TrainingSettings read(Settings& settings) { return read(settings, {}); }
  /// \throw Unsupported for a U-Net on points that are no images.
  [[nodiscard]] std::unique_ptr<Network> make_network(const FitContext& context) const;
};

}  // namespace onmanifold
