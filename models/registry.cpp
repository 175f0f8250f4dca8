// SPDX-License-Identifier: Apache-2.0
#include "models/registry.hpp"

#include "models/controls/gaussian.hpp"
#include "models/controls/memorizer.hpp"
#include "models/controls/oracle.hpp"
#include "models/diffusion/ddpm.hpp"
#include "models/diffusion/exact_score.hpp"
#include "models/diffusion/mad.hpp"
#include "models/diffusion/niso.hpp"
#include "models/diffusion/pdm.hpp"
#include "models/diffusion/pidm.hpp"
#include "models/diffusion/tango.hpp"
#include "models/energy/ebm.hpp"
#include "models/external.hpp"
#include "models/flow_matching/flow_matching.hpp"
#include "models/flows/flow_model.hpp"
#include "models/riemannian/riemannian_flow_matching.hpp"
#include "models/riemannian/rsgm.hpp"
#include "models/two_step/two_step_model.hpp"

namespace onmanifold {

const Registry<MethodFactory>& method_registry() {
  static const Registry<MethodFactory> registry = [] {
    Registry<MethodFactory> methods("method");
    methods.add("ddpm", "denoising diffusion, blind to the manifold", make_ddpm);
    methods.add("pdm", "in the sampler: ddpm, projected after every step", make_pdm);
    methods.add("pidm", "in the loss: ddpm with the distance of its x0 prediction to the manifold as a penalty",
                make_pidm);
    methods.add("niso", "in the noise: ddpm with more noise along normals and the score of all of it as target",
                make_niso);
    methods.add("tango", "in the loss: ddpm that learns the tangential score only at small noise", make_tango);
    methods.add("mad", "in the target: ddpm that learns what the score of the uniform law leaves", make_mad);
    methods.add("flow_matching", "straight paths from noise to data, blind to the manifold", make_flow_matching);
    methods.add("realnvp", "affine coupling flow with exact likelihood, blind to the manifold", make_realnvp);
    methods.add("spline_flow", "spline coupling flow with exact likelihood, blind to the manifold", make_spline_flow);
    methods.add("riemannian_flow_matching", "intrinsic: flow matching along geodesics", make_riemannian_flow_matching);
    methods.add("rsgm", "intrinsic: score of Brownian motion on the manifold, reversed by geodesic steps", make_rsgm);
    methods.add("vae", "variational autoencoder with one learned decoder scale", make_vae);
    methods.add("autoencoder_ddpm", "in two steps: ddpm on the latent points of an autoencoder", make_autoencoder_ddpm);
    methods.add("vae_ddpm", "in two steps: ddpm on the latent points of a variational autoencoder", make_vae_ddpm);
    methods.add("vae_flow", "in two steps: spline_flow on the latent points of a variational autoencoder",
                make_vae_flow);
    methods.add("ebm", "energy-based model trained against its Langevin chains", make_ebm);
    methods.add("external", "a program in any language: command = \"… {train} {samples} {n} {seed}\"", make_external);
    methods.add("exact_score", "the sampler of ddpm driven by the analytic score of the noised (lifted) law",
                make_exact_score);
    methods.add("oracle", "control: fresh draws of the target (ceiling)", make_oracle);
    methods.add("gaussian", "control: normal law with the mean and covariance of the training data (floor)",
                make_gaussian);
    methods.add("memorizer", "control: clean training points again (train_copy_rate must catch it)", make_memorizer);
    return methods;
  }();
  return registry;
}

}  // namespace onmanifold
