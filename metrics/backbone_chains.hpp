// SPDX-License-Identifier: Apache-2.0
#pragma once
// Metrics on protein backbones in the words of the field: errors of bond lengths and angles, the radius of
// gyration and the Ramachandran plot. The manifold has to be a Backbone; else they are not applicable. Atoms
// of the frame of the middle residue are put back first, so that every bond of the chain counts.
//
// bond_length_error, bond_length_error_max: mean and largest | |x_b - x_a| - l | over chains and bonds, Å.
// bond_angle_error, bond_angle_error_max: mean and largest |angle - ideal angle| over chains and angles,
// degrees. Both against the geometry of the manifold; null: the reference's own value. radius_of_gyration_w1:
// the 1-Wasserstein distance between the radii of gyration of samples and reference, Å. Null: the limit law
// of the empirical process. ramachandran_tvd: total variation distance of the histograms of (phi, psi) over
// all inner residues of all chains. Setting: bins (36 an axis). Null: pairs of sets of chains drawn again
// from the reference, for the residues of one chain are not independent.

#include <memory>

#include "core/settings.hpp"
#include "manifolds/backbone_geometry.hpp"
#include "manifolds/chain_view.hpp"
#include "metrics/metric.hpp"
#include "metrics/support.hpp"

namespace onmanifold {

/// Absolute deviations of the bond lengths from those of the geometry, Å: 9L×N -> (3L-1)×N.
[[nodiscard]] Points bond_length_deviations(const PointsRef& chains, const BackboneGeometry& geometry);
/// Absolute deviations of the bond angles, degrees: 9L×N -> (3L-2)×N. NaN where two atoms coincide.
[[nodiscard]] Points bond_angle_deviations(const PointsRef& chains, const BackboneGeometry& geometry);
/// Root mean square distance of the atoms from their mean, all of one weight: 3A×N -> N.
[[nodiscard]] Vector radii_of_gyration(const PointsRef& chains);
/// Cells of (phi, psi) of the residues 1 … L-2 on a grid of \p bins × \p bins over (-180, 180] degrees, phi
/// first: (3L-3)×N torsions as backbone_torsions -> (L-2)×N. \throw InvalidInput for fewer than 3 residues.
[[nodiscard]] Eigen::MatrixXi ramachandran_cells(const PointsRef& torsions, Index bins);
/// Mean and spread of the 1-Wasserstein distance between \p n and \p m independent draws of one law on the
/// line, to first order: the integral of |B(F(x))| sqrt(1/n + 1/m), B a Brownian bridge, F the law of \p
/// values. Of more than 400 values, 400 quantiles stand for them. O(N log N).
[[nodiscard]] NullMoments line_transport_null(Vector values, Index n, Index m);

[[nodiscard]] std::unique_ptr<Metric> make_bond_length_error(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_bond_length_error_max(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_bond_angle_error(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_bond_angle_error_max(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_radius_of_gyration_w1(Settings& settings);
[[nodiscard]] std::unique_ptr<Metric> make_ramachandran_tvd(Settings& settings);

}  // namespace onmanifold
