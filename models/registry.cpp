// SPDX-License-Identifier: Apache-2.0
#include "models/registry.hpp"

#include "models/controls/gaussian.hpp"
#include "models/controls/memorizer.hpp"
#include "models/controls/oracle.hpp"
#include "models/diffusion/ddpm.hpp"
#include "models/diffusion/exact_score.hpp"

namespace onmanifold {

const Registry<MethodFactory>& method_registry() {
  static const Registry<MethodFactory> registry = [] {
    Registry<MethodFactory> methods("method");
    methods.add("ddpm", "denoising diffusion with noise prediction, blind to the manifold", make_ddpm);
    methods.add("exact_score", "the sampler of ddpm driven by the analytic score of the noised (lifted) law",
                make_exact_score);
    methods.add("oracle", "control: fresh draws of the target (ceiling)", make_oracle);
    methods.add("gaussian", "control: normal law with the mean and covariance of the training data (floor)",
                make_gaussian);
    methods.add("memorizer", "control: clean training points again (train_copy_rate must catch it)",
                make_memorizer);
    return methods;
  }();
  return registry;
}

}  // namespace onmanifold
