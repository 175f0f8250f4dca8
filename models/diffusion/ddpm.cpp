// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/ddpm.hpp"

#include "models/diffusion/diffusion_model.hpp"

namespace onmanifold {

std::unique_ptr<GenerativeModel> make_ddpm(Settings& settings) {
  const bool signal = settings.choice("prediction", "epsilon", {"epsilon", "signal"},
                                      "what the network predicts: the noise, or the data point") == "signal";
  const SignalWeight weight = signal ? read_signal_weight(settings, SignalWeight::one) : SignalWeight::one;
  return make_diffusion_model(settings,
                              [signal, weight](const DiffusionFrame& frame) -> std::unique_ptr<DiffusionObjective> {
                                if (signal) return std::make_unique<SignalPrediction>(frame, weight);
                                return std::make_unique<DiffusionObjective>(frame);
                              });
}

}  // namespace onmanifold
