// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/training_settings.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "models/networks/fourier_mlp.hpp"
#include "models/networks/unet.hpp"
#include "models/preset.hpp"

namespace onmanifold {

TrainingSettings TrainingSettings::read(Settings& settings, const TrainingSettings& usual) {
  TrainingSettings result = usual;
  AdamOptions& adam = result.adam;
  adam.learning_rate = usual.former ? read_learning_rate(settings, tuned_learning_rate, adam.learning_rate)
                                    : settings.number("learning_rate", adam.learning_rate, 0, 1e6, "step size of Adam");
  adam.steps = settings.integer("steps", adam.steps, 1, 100'000'000, "training steps");
  adam.warmup =
      settings.integer("warmup", adam.warmup, 0, 100'000'000, "training steps over which the step size rises from 0");
  adam.ema = settings.number("ema", adam.ema, 0, 0.9999999,
                             "decay of the moving average of the weights that samples come from; 0: none");
  adam.clip = settings.number("clip", adam.clip, 0, 1e30, "largest norm of the gradient; 0: no limit");
  result.batch = settings.integer("batch", result.batch, 1, 1'000'000, "training points a step");
  result.network = settings.choice("network", result.network, {"auto", "mlp", "unet"},
                                   "auto: unet where the points are images, mlp elsewhere");
  result.shape.width =
      settings.integer("width", result.shape.width, 32, 65536, "units of a hidden layer, a multiple of 32");
  result.shape.depth = settings.integer("depth", result.shape.depth, 1, 100, "hidden layers");
  result.shape.residual =
      settings.boolean("residual", result.shape.residual, "whether hidden layers add to their input");
  result.features = settings.integer("features", result.features, 0, 4096,
                                     "random Fourier features of the points that the mlp sees, a multiple of 32");
  result.feature_scale = settings.number("feature_scale", result.feature_scale, 1e-3, 1e3,
                                         "deviation of the features' phases for points of unit variance");
  if (result.features % 32 != 0) throw InvalidInput(settings.locate("features") + ": must be a multiple of 32");
  if (result.shape.width % 32 != 0) throw InvalidInput(settings.locate("width") + ": must be a multiple of 32");
  return result;
}

std::unique_ptr<Network> TrainingSettings::make_network(const FitContext& context) const {
  if (network == "unet" && context.image == nullptr) {
    throw Unsupported("network = \"unet\" needs a task whose points are images");
  }
  std::unique_ptr<Network> result;
  if (context.image != nullptr && network != "mlp") {
    result = std::make_unique<Unet>(*context.image);
  } else {
    MlpShape sized = shape;
    sized.data = context.training->dimension();
    if (features > 0) {
      result = std::make_unique<FourierMlp>(sized, features, feature_scale);
    } else {
      result = std::make_unique<Mlp>(sized);
    }
  }
  if (result->data_size() != context.training->dimension()) {
    throw InvalidInput(fmt::format("training points: {} coordinates, but the image has {} pixels",
                                   context.training->dimension(), result->data_size()));
  }
  return result;
}

}  // namespace onmanifold
