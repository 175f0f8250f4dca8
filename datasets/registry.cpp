// SPDX-License-Identifier: Apache-2.0
#include "datasets/task.hpp"
#include "datasets/task_settings.hpp"

namespace onmanifold {

const Registry<TaskFactory>& task_registry() {
  static const Registry<TaskFactory> registry = [] {
    Registry<TaskFactory> r("task");
    r.add("plane-gmm9", "3x3 grid of Gaussians in a plane of R^3", make_plane_gmm9);
    r.add("plane-smiley", "circle, eyes and mouth in a plane of R^3, with a jitter of 0.02 inside the plane",
          make_plane_smiley);
    r.add("sphere-vmf6", "six von Mises-Fisher modes on S2, no two of them antipodal", make_sphere_vmf6);
    r.add("sphere-vmf2", "two von Mises-Fisher modes on S2", make_sphere_vmf2);
    r.add("bunny-eigen", "mixture of clamped Laplacian eigenfunctions on the Stanford Bunny",
          make_bunny_eigen);
    r.add("backbone-8", "real protein backbone fragments of 8 residues, ideal bonds and angles", make_backbone_8);
    r.add("backbone-16", "real protein backbone fragments of 16 residues, ideal bonds and angles",
          make_backbone_16);
    r.add("backbone-synthetic", "protein backbones from a closed-form mixture over the Ramachandran plot",
          make_backbone_synthetic);
    r.add("flux-mnist", "MNIST digits of 28x28 pixels rescaled to a total flux of 100 (scripts/fetch-data.sh)",
          make_flux_mnist);
    r.add("flux-mnist14", "the same, pooled to 14x14 pixels (scripts/fetch-data.sh)", make_flux_mnist14);
    return r;
  }();
  return registry;
}

}  // namespace onmanifold
