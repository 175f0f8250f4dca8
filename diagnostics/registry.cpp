// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/units.hpp"

namespace onmanifold {

const DiagnosticRegistry& diagnostic_registry() {
  static const DiagnosticRegistry registry = [] {
    DiagnosticRegistry all("diagnostic");
    all.add("score_norm",
            "normal part of the score against the noise level: explosion without a lift, a plateau with one",
            make_score_norm, DiagnosticInfo{{Need::score, Need::manifold}});
    all.add("target_variance", "size of what a network regresses on, for four ways of training", make_target_variance,
            DiagnosticInfo{{Need::manifold}});
    all.add("intrinsic_dimension", "dimension by FLIPD and by the normal bundle", make_intrinsic_dimension,
            DiagnosticInfo{{Need::score}});
    all.add("support_robustness", "where errors of the drift move samples: off the manifold or along it",
            make_support_robustness, DiagnosticInfo{{Need::score, Need::manifold}});
    all.add("lyapunov", "which directions survive the way from noise to data: spectral gap, alignment with tangents",
            make_lyapunov, DiagnosticInfo{{Need::score, Need::manifold}});
    all.add("density_error", "whether the first order says what a learned score does to the density",
            make_density_error, DiagnosticInfo{{Need::score, Need::diffused_score}});
    all.add("lift_geometry", "how often projection does not undo a lift, against the reach", make_lift_geometry,
            DiagnosticInfo{{Need::manifold}});
    all.add("likelihood_explosion", "likelihood of a flow against its thickness, and against the floor under a lift",
            make_likelihood_explosion, DiagnosticInfo{{Need::density, Need::manifold}});
    all.add("two_step_bound", "what an autoencoder and its latent model can get wrong together, and how loose that is",
            make_two_step_bound);
    all.add("training", "loss and gradients at the end of the training", make_training_record);
    return all;
  }();
  return registry;
}

}  // namespace onmanifold
