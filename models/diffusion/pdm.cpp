// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/pdm.hpp"

#include "models/diffusion/diffusion_model.hpp"

namespace onmanifold {
namespace {

class ProjectedSampling final : public DiffusionObjective {
 public:
  ProjectedSampling(const DiffusionFrame& frame, bool signal) : DiffusionObjective(frame), signal_(signal) {}

  void after_step(Points& x, Index t, const BlockDenoiser&, const Stream&) const override {
    const Index time = signal_ ? t : 0;  // a_0 = 1
    x = frame().to_state(frame().manifold->project(frame().to_data(x, time)).points, time);
  }

 private:
  bool signal_;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_pdm(Settings& settings) {
  const bool signal =
      settings.choice("project", "state", {"state", "signal"},
                      "what is projected after a sampling step: the state, or the estimate of the data point") ==
      "signal";
  return make_diffusion_model(settings,
                              [signal](const DiffusionFrame& frame) { return make_pdm_objective(frame, signal); });
}

std::unique_ptr<DiffusionObjective> make_pdm_objective(const DiffusionFrame& frame, bool signal) {
  return std::make_unique<ProjectedSampling>(frame, signal);
}

}  // namespace onmanifold
