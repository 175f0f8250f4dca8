// SPDX-License-Identifier: Apache-2.0
#pragma once
// Protein backbones as chains N, CA, C, N, CA, C, …: named ideal geometries, torsions, and the chain built
// from them. Lengths in Å, angles in radians. A chain of L residues is a column of 9L numbers: residue × (N,
// CA, C) × xyz.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "core/points.hpp"

namespace onmanifold {

/// Bond lengths and bond angles that all residues share.
struct BackboneGeometry {
  std::string name;
  std::string source;            ///< one line
  std::array<double, 3> bonds;   ///< Å: N–CA, CA–C, C–N
  std::array<double, 3> angles;  ///< radians: N–CA–C, CA–C–N, C–N–CA

  /// Bond \p i of a chain joins atoms i and i + 1.
  [[nodiscard]] double bond(Index i) const { return bonds[static_cast<std::size_t>(i % 3)]; }
  /// Angle \p i is the one at atom i + 1.
  [[nodiscard]] double angle(Index i) const { return angles[static_cast<std::size_t>(i % 3)]; }
  /// 1–3 distance of atoms i and i + 2, by the law of cosines.
  [[nodiscard]] double span(Index i) const;
};

/// engh-huber-1991, igfold, foldingdiff, int2cart, promod3.
[[nodiscard]] const std::vector<BackboneGeometry>& backbone_geometries();
/// \throw InvalidInput that lists the known names.
[[nodiscard]] const BackboneGeometry& backbone_geometry(std::string_view name);

/// Index of the residue whose N, CA and C are held in the frame of the middle residue: floor((L-1)/2).
[[nodiscard]] constexpr Index middle_residue(Index residues) {
  return (residues - 1) / 2;
}

/// Torsions in chain order, psi_0, omega_0, phi_1, psi_1, omega_1, …, phi_{L-1}, in (-pi, pi]: 9L×N ->
/// (3L-3)×N. Torsion j is that of the atoms j … j+3, IUPAC sign. phi_0, psi_{L-1} and omega_{L-1} do not
/// exist. \throw InvalidInput unless the rows are a multiple of 9.
[[nodiscard]] Points backbone_torsions(const PointsRef& chains);

/// Sets every omega of torsions in chain order to 180 degrees: rows 1, 4, 7, …
void flatten_omega(Points& torsions);

/// The chain with the given torsions and ideal bonds and angles (NeRF \cite parsons2005), built from the
/// middle residue outwards: CA at the origin, C on the positive first axis, N in the plane of the first two
/// with positive second coordinate. (3L-3)×N -> 9L×N. The inverse of backbone_torsions to about 1e-12 L.
/// \throw InvalidInput unless the rows are a positive multiple of 3.
[[nodiscard]] Points build_backbone(const PointsRef& torsions, const BackboneGeometry& geometry);

/// N, CA, C of the middle residue in its own frame, as build_backbone places them: 9 numbers.
[[nodiscard]] Vector middle_frame_atoms(const BackboneGeometry& geometry);

/// Each chain moved rigidly into the frame of its middle residue: CA at the origin, C on the positive first
/// axis, N in the upper half plane. 9L×N -> 9L×N.
[[nodiscard]] Points to_middle_frame(const PointsRef& chains);

}  // namespace onmanifold
