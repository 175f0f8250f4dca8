// SPDX-License-Identifier: Apache-2.0
#pragma once
// Low eigenfunctions of the Laplace–Beltrami operator of a mesh.

#include "datasets/laws/mesh_laplacian.hpp"

namespace onmanifold {

struct Eigenfunctions {
  Vector values;     ///< ascending, the first one 0 (constant)
  Points functions;  ///< V×count, phi' M phi = 1, positive at the vertex of largest |phi|
};

/// The \p count lowest eigenpairs of L φ = λ M φ through the symmetric M^-1/2 L M^-1/2, inverted around -0.05
/// (ARPACK). \throw InvalidInput unless 1 <= \p count < V, NumericalFailure if it does not converge.
[[nodiscard]] Eigenfunctions lowest_eigenfunctions(const MeshLaplacian& laplacian, Index count);

}  // namespace onmanifold
