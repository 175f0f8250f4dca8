// SPDX-License-Identifier: Apache-2.0
// Claims of "Manifold Aware Denoising Score Matching" \cite levyjurgenson2026.
#include <cmath>

#include <fmt/format.h>

#include "claims/claim_numbers.hpp"
#include "claims/experiments.hpp"
#include "claims/papers.hpp"

namespace onmanifold {
namespace {

namespace names = claim_numbers;

const Configuration aware = {"mad"};

void lower_loss(Evidence& e) {
  // Without the theory behind it a lower loss would say nothing: s^2 E|g|^2 of the target is d, or 0 on atoms.
  const std::vector<std::pair<std::string, double>> dimensions = {
      {"sphere-vmf6", 2}, {"so3-fisher", 3}, {"two-points", 0}};
  std::vector<Series> in_effects;
  for (const auto& [task, d] : dimensions) {
    const Series plain = e.number(task, unlifted, names::training, names::final_loss);
    const Series loss = e.number(task, aware, names::training, names::final_loss);
    if (plain.empty() || loss.empty()) continue;
    const double unit = 0.1 * mean(values_of(plain));
    Series& effects = in_effects.emplace_back();
    if (!(unit > 0)) continue;
    const Series differences = plain - loss;
    for (const auto& [seed, value] : differences) effects[seed] = value / unit;
    e.note(task, "loss of ddpm - loss of mad", differences, at_least(unit));
  }
  for (const auto& [task, d] : dimensions) {
    const Series targets = e.number(task, oracle, names::target_variance, names::mad_s2);
    e.note(task, "s^2 E|g|^2 of the target of mad", targets);
    if (targets.empty()) continue;
    const double off = std::abs(mean(values_of(targets)) - d);
    if (!(off <= (d > 0 ? 0.05 * d : 1e-3)))
      e.block(fmt::format("s^2 E|g|^2 of the target of mad is off by {:.3g} on {}", off, task));
  }
  e.add(mean_over_tasks(in_effects), superiority);
}

}  // namespace

std::vector<Claim> mad_claims() {
  const std::string source = "levyjurgenson2026";
  const auto better = [](const std::vector<Endpoint>& ends) {
    return [=](Evidence& e) { e.add(e.paired(ends, aware, unlifted, unlifted), superiority); };
  };
  return {
      {"C23", source, "The manifold-aware target has a lower training loss",
       "sphere-vmf6, so3-fisher, two-points: mad against ddpm",
       "mean over the last tenth of the training loss; s^2 E|g|^2 of the target must be d within 5 %, at most .001 on "
       "atoms",
       superiority_rule, lower_loss},
      {"C24", source, "The manifold-aware target gives better rotations at equal budget",
       "so3-mixture16, -32, -64: mad against ddpm", "energy of rotations after projection", superiority_rule,
       better({{"so3-mixture16", "energy"}, {"so3-mixture32", "energy"}, {"so3-mixture64", "energy"}})},
      {"C25", source, "The manifold-aware target helps on discrete sets and the sphere",
       "two-points, finite16, sphere-vmf6: mad against ddpm", "tvd after projection", superiority_rule,
       better({{"two-points"}, {"finite16"}, {"sphere-vmf6"}})},
  };
}

}  // namespace onmanifold
