// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the next residue of a protein is turned against the one before it: real rotations for tasks on SO(3).

#include "core/points.hpp"

namespace onmanifold {

/// Relative rotations of residue \p residue and the one after it, R_iᵀ R_{i+1}, as row-major 3×3 matrices,
/// 9×N. A frame R_i is Gram–Schmidt on the atoms of residue i: first column along CA→C, second along the part
/// of CA→N orthogonal to it, third their cross product; so moving the whole fragment changes nothing. \p
/// coordinates 9L×N as in BackboneFragments. \throw InvalidInput if a residue is not there or its atoms lie
/// on a line. O(N).
[[nodiscard]] Points relative_residue_rotations(const PointsRef& coordinates, Index residue);

}  // namespace onmanifold
