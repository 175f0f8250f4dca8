// SPDX-License-Identifier: Apache-2.0
#pragma once
// Cells for laws on SO(3): where a rotation takes the first axis. The law of that image has a density on S²
// whose integrals are exact, which no cells of all three angles offer at that cost.

#include "contracts/partition.hpp"
#include "datasets/laws/sphere_partition.hpp"

namespace onmanifold {

/// The equal-area cells of S² under the first column (x_0, x_3, x_6) of row-major 3×3 matrices; off SO(3) its
/// direction counts. Blind to the angle about that column: `energy` sees all of the law.
class FirstColumnPartition final : public Partition {
 public:
  FirstColumnPartition(Index bands, Index sectors) : sphere_(bands, sectors) {}

  [[nodiscard]] Index size() const override { return sphere_.size(); }
  [[nodiscard]] Eigen::VectorXi assign(const PointsRef& points) const override;
  [[nodiscard]] std::string description() const override;
  [[nodiscard]] const SpherePartition& sphere() const { return sphere_; }

 private:
  SpherePartition sphere_;
};

/// log of the ratio of the Riemannian volume of SO(3) in R^9 to that of rotation vectors, 1.5 log 2: arc
/// length is sqrt(2) times the angle.
[[nodiscard]] double log_volume_ratio_of_rotations();
/// log of the Riemannian volume of SO(3), log(8 pi^2) + 1.5 log 2.
[[nodiscard]] double log_volume_of_rotations();

}  // namespace onmanifold
