// SPDX-License-Identifier: Apache-2.0
#pragma once
// Protein backbones with fixed bond lengths and bond angles as a manifold in Cartesian coordinates.

#include <memory>
#include <string>

#include "manifolds/backbone_geometry.hpp"
#include "manifolds/chain_view.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// Which coordinates a backbone has.
enum class BackboneFrame {
  free,    ///< all atoms: D = 9L, k = 6L - 3, d = 3L + 3
  middle,  ///< in the frame of the middle residue, its nine constants left out: D = 9(L-1), k = 6L - 6, d =
           ///< 3L - 3
};

/// Whether the peptides are flat.
enum class BackboneOmega {
  free,    ///< omega is a torsion as the others
  planar,  ///< omega = 180 degrees, trans: L - 1 more constraints, k = 7L - 4 or 7L - 7, d = 2L + 4 or 2L - 2
};

/// What a projection did, column by column.
struct BackboneProjection {
  Projection projection;
  Eigen::VectorXi gauss_newton_steps;  ///< until max |h| <= 1e-10 Å² (or it gave up)
  Eigen::VectorXi refinement_steps;    ///< Newton steps towards the nearest point; 0 if there was no refinement
  Vector refinement_distance;          ///< |Pi_GN(x) - Pi(x)|, Å; NaN where it did not converge
  /// A proof that no other point of M is nearer: x minus Pi(x) has multipliers that make the Lagrangian
  /// convex.
  Eigen::Array<bool, Eigen::Dynamic, 1> certified;
};

/// Chains of L residues × (N, CA, C) whose 1–2 and 1–3 distances are those of a named geometry; the torsions
/// are free. Bond lengths and bond angles are fixed by h_c(x) = (|x_b - x_a|^2 - l_c^2) / (2 l_c), Å: the
/// error of the distance to first order.
///
/// Projection. Gauss–Newton, x <- x - J^T (J J^T)^-1 h, until max | |x_b - x_a|^2 - l^2 | <= 1e-10 Å²; J J^T
/// has half-bandwidth 4 in the order b0, d0, b1, d1, … and is factored as a band. It lands O(|n|^2) from the
/// nearest point, so Newton's method on M for min |x - y|^2 follows (truncated conjugate gradients in the
/// tangent space, exact Hessian, step halving, Gauss–Newton as the way back to M), until the tangential part
/// of x - Pi(x) is below 1e-10 of its length or rounding. The result is the nearest point for x within the
/// reach, and a strict local one beyond it unless `certified` says more. A column that does not get there
/// within 50 and 40 steps does not converge. All costs are O(L) a column and step; eight columns are done at
/// once, and the bits of a column do not depend on the others.
///
/// Planar omega. The 1–4 distance of CA and CA' is stationary at 180 degrees and cannot be a constraint; the
/// volume of the four atoms could, but vanishes at 0 degrees too. In a flat trans peptide of fixed bonds and
/// angles CA' = gamma CA + alpha C + beta N' with constants of sum 1: three linear equations, which also
/// imply the lengths of N'–CA' and C–CA' and replace them. Cis peptides do not satisfy them, so that no point
/// is ever projected to one. Left of the middle residue of its frame CA follows from C, N' and CA' instead.
/// h has for those equations the place of that atom minus where the other three put it, three numbers in Å;
/// the half-bandwidth is 9. All h stay quadratic or linear, and what is said here holds word by word.
///
/// Reach: a proven lower bound, and a small one, for a chain that is stretched out bends by second order in
/// its torsions. With h quadratic, Federer's formula reads reach = inf |w|^2 / |J^+ q(w)|, q_c = |w_b -
/// w_a|^2; the multipliers of a unit normal vector are bounded by equilibrium of forces and torques at every
/// cut of the chain \cite federer1959. Scale: 1 Å. Constraint tolerance 1e-10 Å. Chains farther than about
/// 1e5 Å from the origin have coordinates too coarse for that and do not converge.
///
/// Normal bases are U = J^T L^-T with J J^T = L L^T: orthonormal to rounding times the condition of J J^T
/// (1e3 for 16 residues with random torsions, growing like L^4 for stretched chains).
class Backbone : public Manifold, public ChainView {
 public:
  /// \throw InvalidInput unless 2 <= \p residues <= 10000.
  Backbone(Index residues, BackboneGeometry geometry, BackboneFrame frame = BackboneFrame::free,
           BackboneOmega omega = BackboneOmega::free);

  [[nodiscard]] Index residues() const override { return residues_; }
  [[nodiscard]] const BackboneGeometry& geometry() const override { return geometry_; }
  [[nodiscard]] BackboneFrame frame() const { return frame_; }
  [[nodiscard]] bool planar_omega() const { return omega_ == BackboneOmega::planar; }

  /// project() with its report. Without \p refine: where Gauss–Newton lands.
  [[nodiscard]] BackboneProjection project_with_report(const PointsRef& x, bool refine = true) const;

  /// All 9L coordinates of points in this manifold's coordinates, D×N -> 9L×N: puts the constants of the
  /// frame back.
  [[nodiscard]] Points full_coordinates(const PointsRef& points) const override;
  /// The reverse, 9L×N -> D×N: in the middle frame moves every chain there and leaves the nine coordinates
  /// out.
  [[nodiscard]] Points from_full_coordinates(const PointsRef& chains) const;
  /// Torsions of points near M, (3L-3)×N, as backbone_torsions.
  [[nodiscard]] Points torsions(const PointsRef& points) const override;

 private:
  [[nodiscard]] Index do_ambient_dimension() const override;
  [[nodiscard]] Index do_dimension() const override;
  [[nodiscard]] double do_reach() const override { return reach_; }
  [[nodiscard]] double do_scale() const override { return 1; }
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-10; }
  [[nodiscard]] std::string do_spec() const override;
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_normal_component(const PointsRef& y, const PointsRef& v) const override;
  [[nodiscard]] Points do_from_normal_coordinates(const PointsRef& y, const PointsRef& coordinates) const override;
  /// Torsions uniform (omega 180 degrees where it is planar); in the free frame turned at random, CA of the
  /// middle residue standard normal.
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;
  [[nodiscard]] const ChainView* do_chain_view() const override { return this; }

  Index residues_;
  BackboneGeometry geometry_;
  BackboneFrame frame_;
  BackboneOmega omega_;
  double reach_ = 0;
};

}  // namespace onmanifold
