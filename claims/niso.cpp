// SPDX-License-Identifier: Apache-2.0
// The claim about "Improving the Euclidean Diffusion Generation of Manifold Data …" \cite liu2025.
#include "claims/experiments.hpp"
#include "claims/papers.hpp"

namespace onmanifold {

std::vector<Claim> niso_claims() {
  return {{"C26", "liu2025, keegan2026", "Lifting data or lifting noise gives equal marginals",
           "plane-gmm9, sphere-vmf6: ddpm_ve with lift normal against niso", "tvd after projection",
           "equivalence within d0: two one-sided sign-flip tests, Holm over claims", [](Evidence& e) {
             e.add(e.paired(plane_and_sphere, {"ddpm_ve", "normal"}, {"niso"}, {"ddpm_ve"}, {-1, 1}), equivalence);
           }}};
}

}  // namespace onmanifold
