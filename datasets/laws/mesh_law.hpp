// SPDX-License-Identifier: Apache-2.0
#pragma once
// Laws on a triangle mesh that are uniform within each face, and the partition of a mesh into patches.

#include <memory>
#include <string>

#include "contracts/distribution.hpp"
#include "contracts/partition.hpp"
#include "manifolds/triangle_mesh.hpp"

namespace onmanifold {

/// Face f with probability P_f, uniform inside.
class FaceLaw final : public Sampler, public Density {
 public:
  /// \p weights F numbers >= 0, not all 0; P = weights / sum.
  FaceLaw(std::shared_ptr<const TriangleMesh> mesh, const Vector& weights);

  [[nodiscard]] Index dimension() const override { return 3; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  /// log(P_f / A_f) of the nearest face; -infinity where P_f = 0. One nearest-point search a point.
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  /// -sum_f P_f log(P_f / A_f), exact.
  [[nodiscard]] std::optional<double> entropy() const override;
  /// Root of the mean variance over the three coordinates, exact.
  [[nodiscard]] double standard_deviation() const;
  [[nodiscard]] const Vector& probabilities() const { return probabilities_; }

 private:
  std::shared_ptr<const TriangleMesh> mesh_;
  Vector probabilities_;
};

/// Area-balanced patches. A set of faces for k patches is split at the area quantile ⌊k/2⌋/k along the
/// longest principal axis of its area-weighted centroids, the lower part for ⌊k/2⌋ patches, the upper for the
/// others. Faces are ordered by the coordinate on the axis, then by number; the lower part is the longest
/// beginning of this order whose area does not exceed the quantile. The largest component of an axis is
/// positive. Patches are numbered in the order of the recursion.
class MeshPatches final : public Partition {
 public:
  /// \throw InvalidInput unless 1 <= \p count <= number of faces. Cost O(F log F log count).
  MeshPatches(std::shared_ptr<const TriangleMesh> mesh, Index count);

  [[nodiscard]] Index size() const override { return count_; }
  /// Patch of the face with the nearest point.
  [[nodiscard]] Eigen::VectorXi assign(const PointsRef& points) const override;
  [[nodiscard]] std::string description() const override;

  /// Patch of every face, F numbers.
  [[nodiscard]] const Eigen::VectorXi& patches() const { return patches_; }
  /// SHA-256 over the patches as little-endian 32-bit integers.
  [[nodiscard]] const std::string& hash() const { return hash_; }
  /// Sums of \p face_values (F numbers) over the patches.
  [[nodiscard]] Vector sums(const VectorRef& face_values) const;

 private:
  std::shared_ptr<const TriangleMesh> mesh_;
  Index count_;
  Eigen::VectorXi patches_;
  std::string hash_;
};

}  // namespace onmanifold
