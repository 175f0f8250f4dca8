// SPDX-License-Identifier: Apache-2.0
#pragma once
// Meshes whose closest points, areas and topology are known, generated on the spot.

#include "core/points.hpp"

namespace onmanifold::test {

struct MeshArrays {
  Points vertices;        ///< 3×V
  Eigen::MatrixXi faces;  ///< 3×F, outward
};

/// Regular tetrahedron with vertices (±1, ±1, ±1), edge 2 sqrt 2.
[[nodiscard]] MeshArrays tetrahedron();
/// [-1, 1]^3, 12 faces.
[[nodiscard]] MeshArrays cube();
/// Box of the given half-widths, 12 faces: a thin sheet if one is small.
[[nodiscard]] MeshArrays box(double x, double y, double z);
/// Octahedron divided \p levels times and pushed to the unit sphere: 8·4^levels faces.
[[nodiscard]] MeshArrays octasphere(int levels);
/// Torus of radii R > r about the z axis, grid of \p rings × \p sides quads, each cut in two.
[[nodiscard]] MeshArrays torus(double big, double small, int rings, int sides);

}  // namespace onmanifold::test
