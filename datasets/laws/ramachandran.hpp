// SPDX-License-Identifier: Apache-2.0
#pragma once
// A closed-form law of backbones: independent residues, (phi, psi) from a mixture of wrapped normals, omega
// wrapped normal, ideal bonds and angles.

#include <memory>
#include <string>
#include <vector>

#include "contracts/distribution.hpp"
#include "contracts/partition.hpp"
#include "manifolds/backbone.hpp"

namespace onmanifold {

/// One region of the Ramachandran plot; angles in radians.
struct RamachandranRegion {
  double weight;
  double phi, psi;              ///< centre
  double phi_width, psi_width;  ///< standard deviations before wrapping
};

/// Draws chains and knows their density. The torsions have p(psi_0) prod_i p(phi_i, psi_i) p(phi_{L-1}) prod
/// p(omega_i): marginals of the same mixture at the ends. On a backbone with planar omega every omega is 180
/// degrees, whatever the law says, and p(omega_i) is left out.
class RamachandranLaw final : public Sampler, public Density {
 public:
  /// \throw InvalidInput unless there are regions, with weights that sum to 1 and positive widths.
  RamachandranLaw(std::shared_ptr<const Backbone> backbone, std::vector<RamachandranRegion> regions, double omega,
                  double omega_width);

  /// alpha (-63, -43), beta (-120, 130), polyproline II (-70, 145), left-handed (57, 40) degrees, weights .45
  /// .30 .20 .05, widths 10 to 20 degrees; omega 180 ± 5.8 degrees.
  [[nodiscard]] static std::shared_ptr<const RamachandranLaw> standard(std::shared_ptr<const Backbone> backbone);

  [[nodiscard]] Index dimension() const override { return backbone_->ambient_dimension(); }
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  [[nodiscard]] Points sample_torsions(Index n, Stream stream) const;
  /// With respect to the Riemannian volume: torsion density over the volume that the torsions span, the root
  /// of det G, G_jk = dx/dt_j · dx/dt_k. O(L^3) a point.
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  /// With respect to the torsions in radians that are free, (3L-3)×N: what torsion models are compared by.
  [[nodiscard]] Vector torsion_log_density(const PointsRef& torsions) const;
  /// All numbers of the law as text, for its hash.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] const std::vector<RamachandranRegion>& regions() const { return regions_; }
  [[nodiscard]] const Backbone& backbone() const { return *backbone_; }

 private:
  std::shared_ptr<const Backbone> backbone_;
  std::vector<RamachandranRegion> regions_;
  double omega_;
  double omega_width_;
};

/// log of the root of det G at points of \p backbone in the middle frame: the volume of a unit cell of
/// torsions, without omega where it is planar.
[[nodiscard]] Vector log_torsion_volume(const Backbone& backbone, const PointsRef& points);

/// (phi, psi) of the middle residue on a grid of \p bins × \p bins equal cells.
class RamachandranPartition final : public Partition {
 public:
  /// \throw InvalidInput unless \p bins >= 1 and the chain has at least 3 residues.
  RamachandranPartition(std::shared_ptr<const Backbone> backbone, Index bins);
  [[nodiscard]] Index size() const override { return bins_ * bins_; }
  [[nodiscard]] Eigen::VectorXi assign(const PointsRef& points) const override;
  [[nodiscard]] std::string description() const override;
  /// Exact masses of the cells under \p law: sums of normal probabilities.
  [[nodiscard]] Vector masses(const RamachandranLaw& law) const;

 private:
  std::shared_ptr<const Backbone> backbone_;
  Index bins_;
};

}  // namespace onmanifold
