// SPDX-License-Identifier: Apache-2.0
#include "models/registry.hpp"

#include "models/units.hpp"

namespace onmanifold {
namespace {

/// A learner that uses the manifold at \p place, and is blind \p base elsewhere.
MethodInfo varies(Place place, const char* base, std::vector<Need> needs = {}) {
  needs.push_back(Need::training);
  return {.role = MethodRole::learner, .place = place, .varies = base, .needs = std::move(needs)};
}

/// A learner that does not know of the manifold.
MethodInfo blind() {
  return {.role = MethodRole::learner, .place = Place::nowhere, .varies = {}, .needs = {Need::training}};
}

/// A program that nothing is known of but what a suite states.
MethodInfo foreign() {
  MethodInfo info = blind();
  info.foreign = true;
  return info;
}

MethodInfo of_role(MethodRole role, std::vector<Need> needs) {
  return {.role = role, .place = Place::nowhere, .varies = {}, .needs = std::move(needs)};
}

MethodInfo floor_control() {
  MethodInfo info = of_role(MethodRole::control, {Need::training});
  info.floor = true;
  return info;
}

}  // namespace

const MethodRegistry& method_registry() {
  static const MethodRegistry registry = [] {
    MethodRegistry methods("method");
    methods.add("ddpm", "denoising diffusion, blind to the manifold", make_ddpm, blind());
    methods.add("edm", "preconditioned denoising diffusion sampled with a little noise, blind to the manifold",
                make_edm, blind());
    methods.add("pdm", "in the sampler: ddpm, projected after every step", make_pdm,
                varies(Place::sampling, "ddpm", {Need::manifold}));
    methods.add("pidm", "in the loss: ddpm with the distance of its x0 prediction to the manifold as a penalty",
                make_pidm, varies(Place::penalty, "ddpm", {Need::manifold}));
    methods.add("niso", "in the noise: ddpm with more noise along normals and the score of all of it as target",
                make_niso, varies(Place::noise, "ddpm", {Need::manifold}));
    methods.add("tango", "in the loss: ddpm that learns the tangential score only at small noise", make_tango,
                varies(Place::loss, "ddpm", {Need::manifold}));
    methods.add("mad", "in the target: ddpm that learns what the score of the uniform law leaves", make_mad,
                varies(Place::target, "ddpm", {Need::manifold}));
    methods.add("flow_matching", "straight paths from noise to data, blind to the manifold", make_flow_matching,
                blind());
    methods.add("realnvp", "affine coupling flow with exact likelihood, blind to the manifold", make_realnvp, blind());
    methods.add("spline_flow", "spline coupling flow with exact likelihood, blind to the manifold", make_spline_flow,
                blind());
    methods.add("riemannian_flow_matching", "intrinsic: flow matching along geodesics", make_riemannian_flow_matching,
                varies(Place::intrinsic, "flow_matching", {Need::geodesics}));
    methods.add("rsgm", "intrinsic: score of Brownian motion on the manifold, reversed by geodesic steps", make_rsgm,
                varies(Place::intrinsic, "ddpm", {Need::geodesics}));
    methods.add("vae", "variational autoencoder with one learned decoder scale", make_vae, blind());
    methods.add("autoencoder_ddpm", "in two steps: ddpm on the latent points of an autoencoder", make_autoencoder_ddpm,
                varies(Place::two_steps, "ddpm"));
    methods.add("vae_ddpm", "in two steps: ddpm on the latent points of a variational autoencoder", make_vae_ddpm,
                varies(Place::two_steps, "vae"));
    methods.add("vae_flow", "in two steps: spline_flow on the latent points of a variational autoencoder",
                make_vae_flow, varies(Place::two_steps, "spline_flow"));
    methods.add("ebm", "energy-based model trained against its Langevin chains", make_ebm, blind());
    methods.add("external", "a program in any language: command = \"… {train} {samples} {n} {seed}\"", make_external,
                foreign());
    methods.add("exact_score", "the sampler of ddpm driven by the analytic score of the noised (lifted) law",
                make_exact_score, of_role(MethodRole::analytic, {Need::diffused_score}));
    methods.add("oracle", "control: fresh draws of the target (ceiling)", make_oracle,
                of_role(MethodRole::oracle, {Need::sampler}));
    methods.add("gaussian", "control: normal law with the mean and covariance of the training data (floor)",
                make_gaussian, floor_control());
    methods.add("memorizer", "control: clean training points again (train_copy_rate must catch it)", make_memorizer,
                of_role(MethodRole::control, {Need::training}));
    methods.add("kde", "control: clean training points with noise of the likeliest width (what N points allow)",
                make_kde, of_role(MethodRole::control, {Need::training, Need::manifold}));
    return methods;
  }();
  return registry;
}

}  // namespace onmanifold
