// SPDX-License-Identifier: Apache-2.0
#include "datasets/units.hpp"

namespace onmanifold {

const Registry<TaskFactory>& task_registry() {
  static const Registry<TaskFactory> registry = [] {
    Registry<TaskFactory> r("task");
    r.add("plane-gmm9", "3x3 grid of Gaussians in a plane of R^3", make_plane_gmm9);
    r.add("plane-smiley", "circle, eyes and mouth in a plane of R^3, with a jitter of 0.02 inside the plane",
          make_plane_smiley);
    r.add("sphere-vmf6", "six von Mises-Fisher modes on S2, no two of them antipodal", make_sphere_vmf6);
    r.add("sphere-vmf2", "two von Mises-Fisher modes on S2", make_sphere_vmf2);
    r.add("bunny-eigen", "mixture of clamped Laplacian eigenfunctions on the Stanford Bunny", make_bunny_eigen);
    r.add("bunny-eigen10", "clamped Laplacian eigenfunction 10 on the Stanford Bunny", make_bunny_eigen10);
    r.add("bunny-eigen50", "clamped Laplacian eigenfunction 50 on the Stanford Bunny", make_bunny_eigen50);
    r.add("bunny-eigen100", "clamped Laplacian eigenfunction 100 on the Stanford Bunny", make_bunny_eigen100);
    r.add("elephant-eigen", "mixture of clamped Laplacian eigenfunctions on an elephant of genus 3",
          make_elephant_eigen);
    r.add("mesh-eigen", "clamped Laplacian eigenfunctions on a closed mesh of yours (path = OFF, OBJ or PLY file)",
          make_mesh_eigen);
    r.add("backbone-8", "real protein backbone fragments of 8 residues, ideal bonds and angles", make_backbone_8);
    r.add("backbone-16", "real protein backbone fragments of 16 residues, ideal bonds and angles", make_backbone_16);
    r.add("backbone-synthetic", "protein backbones from a closed-form mixture over the Ramachandran plot",
          make_backbone_synthetic);
    r.add("so3-mixture16", "16 wrapped normals on the rotations, 3x3 matrices in R^9", make_so3_mixture16);
    r.add("so3-mixture32", "32 wrapped normals on the rotations", make_so3_mixture32);
    r.add("so3-mixture64", "64 wrapped normals on the rotations", make_so3_mixture64);
    r.add("so3-fisher", "four matrix Fisher laws on the rotations, with exact noised score", make_so3_fisher);
    r.add("so3-frames", "real rotations from one residue of a protein to the next", make_so3_frames);
    r.add("circle-vm", "a von Mises law on the unit circle of R^2", make_circle_vm);
    r.add("torus-vm", "four products of von Mises laws on the flat torus of R^4", make_torus_vm);
    r.add("torus-ramachandran", "(phi, psi) of real residues on the flat torus of R^4", make_torus_ramachandran);
    r.add("finite16", "16 one-hot vectors with random probabilities", make_finite16);
    r.add("two-points", "two points of R^2 with probabilities .1 and .9", make_two_points);
    r.add("discrete-cube", "64 corners of a cube with random probabilities", make_discrete_cube);
    r.add("discrete-tokens", "sequences of four one-hot tokens from a Markov chain", make_discrete_tokens);
    r.add("sphere-in-16d", "the law of sphere-vmf6 on an isometric sphere in R^16", make_sphere_in_16d);
    r.add("circle-in-16d", "three von Mises laws on an isometric circle in R^16", make_circle_in_16d);
    r.add("linear-64d", "Gaussian mixture along a plane of R^64, codimension 62", make_linear_64d);
    r.add("ellipsoid", "the law of sphere-vmf6 on an ellipsoid of axes 1, 1, q, reach 1/q", make_ellipsoid);
    r.add("sphere-sweep", "a known law on S^dim in R^ambient, exact noised score", make_sphere_sweep);
    r.add("earth-volcano", "volcanic eruptions on the globe (file of the user)", make_earth_volcano);
    r.add("earth-earthquake", "earthquakes on the globe (file of the user)", make_earth_earthquake);
    r.add("earth-flood", "floods on the globe (file of the user)", make_earth_flood);
    r.add("earth-fire", "fires on the globe (file of the user)", make_earth_fire);
    r.add("flux-mnist", "MNIST digits of 28x28 pixels rescaled to a total flux of 100 (scripts/fetch-data.sh)",
          make_flux_mnist);
    r.add("flux-mnist14", "the same, pooled to 14x14 pixels (scripts/fetch-data.sh)", make_flux_mnist14);
    return r;
  }();
  return registry;
}

}  // namespace onmanifold
