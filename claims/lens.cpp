// SPDX-License-Identifier: Apache-2.0
// Claims of "Deep Generative Models through the Lens of the Manifold Hypothesis" \cite loaizaganem2024.
#include <algorithm>

#include <fmt/format.h>

#include "claims/claim_numbers.hpp"
#include "claims/experiments.hpp"
#include "claims/papers.hpp"

namespace onmanifold {
namespace {

namespace names = claim_numbers;

const std::string embedded = "sphere-in-16d";
const Configuration latent = {"autoencoder_ddpm"};

void overfitting(Evidence& e) {
  for (const char* density : {"spline_flow", "ebm"}) {
    e.add(e.paired({{"circle-vm"}}, unlifted, {density}, {density}), superiority);
  }
  e.need_tests(2);
}

void two_step_bound(Evidence& e) {
  const Series ratios = e.number(embedded, latent, names::two_step_bound, names::sides_ratio);
  if (ratios.empty()) return;
  e.note(embedded, "left side over right side", ratios, at_most(1));
  CaseDecision decision;
  decision.verdict = Verdict::theorem;
  decision.test.n = static_cast<int>(ratios.size());
  decision.test.statistic = mean(values_of(ratios));
  const auto vacuous = std::count_if(ratios.begin(), ratios.end(), [](const auto& one) { return one.second < 0.01; });
  decision.test.reason = fmt::format("left side over right side {:.3g} on average, vacuous (below .01) in {} of {}",
                                     decision.test.statistic, vacuous, ratios.size());
  e.decision = decision;
}

void latent_scores(Evidence& e) {
  const Series ambient = e.number(embedded, unlifted, names::score_norm, names::slope);
  const Series inside = e.number(embedded, latent, names::score_norm, names::slope);
  e.beyond(embedded, "slope of autoencoder_ddpm - slope of ddpm", inside - ambient, 0);
}

std::vector<CurveFigure> latent_curves(const ResultSet& results) {
  std::vector<CurveSource> sources;
  for (const Configuration& one : {unlifted, latent}) {
    sources.push_back({one.method, embedded, one, names::score_norm, "level", "normal_square"});
  }
  return figure_of({embedded, "noise level s", "mean of |P_N s|²", true, true}, results, sources);
}

}  // namespace

std::vector<Claim> lens_claims() {
  const std::string source = "loaizaganem2024";
  return {
      {"C15", source, "Density models overfit the manifold, diffusion does not",
       "circle-vm without lift: ddpm against spline_flow and ebm", "tvd after projection, against each",
       superiority_rule, overfitting},
      {"C16",
       source,
       "W(P, g#Q) <= reconstruction + Lip(g) W(f#P, Q)",
       "sphere-in-16d: autoencoder_ddpm",
       "left side over right side",
       "a theorem: no verdict; reported is where it is vacuous",
       two_step_bound,
       {},
       true},
      {"C17", source, "Two steps are better than a one-step likelihood model",
       "sphere-in-16d: vae_flow against spline_flow without lift", "tvd after projection", superiority_rule,
       [](Evidence& e) { e.add(e.paired({{embedded}}, {"vae_flow"}, {"spline_flow"}, {"spline_flow"}), superiority); }},
      {"C18", source, "Diffusion in a latent space has more stable scores", "sphere-in-16d: ddpm and autoencoder_ddpm",
       "slope of log |P_N s|^2 in log s, normals of the encoded manifold in the latent space: slope latent - slope "
       "ambient > 0",
       bound_rule, latent_scores, latent_curves},
  };
}

}  // namespace onmanifold
