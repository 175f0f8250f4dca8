// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Laplace–Beltrami operator of a triangle mesh: cotangent stiffness and Voronoi mass.

#include <Eigen/SparseCore>

#include "core/points.hpp"

namespace onmanifold {

/// Areas of the triangles \p faces (3×F) over \p vertices (3×V), F numbers.
[[nodiscard]] Vector face_areas(const PointsRef& vertices, const Eigen::MatrixXi& faces);

/// Stiffness and lumped mass of linear finite elements: L φ = λ M φ, L symmetric, positive semidefinite, L 1
/// = 0.
struct MeshLaplacian {
  Eigen::SparseMatrix<double> stiffness;  ///< V×V, L_ij = -(cot α_ij + cot β_ij)/2, rows sum to 0
  Vector mass;  ///< V: mixed Voronoi areas; a triangle with an obtuse angle gives that vertex half, the
                ///< others a quarter
};

/// \throw InvalidInput on a face index out of range or a triangle without area.
[[nodiscard]] MeshLaplacian mesh_laplacian(const PointsRef& vertices, const Eigen::MatrixXi& faces);

}  // namespace onmanifold
