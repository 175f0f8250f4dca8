// SPDX-License-Identifier: Apache-2.0
#pragma once
// A law on S² carried to an ellipsoid by x = A u: the density changes by the exact factor of area.

#include <memory>
#include <optional>

#include "contracts/distribution.hpp"
#include "contracts/partition.hpp"
#include "manifolds/implicit_manifold.hpp"

namespace onmanifold {

/// x = A u with A = diag(axes), u from a law on S². A multiplies area at u by J(u) = a1 a2 a3 |A^-1 u|.
class StretchedSphereLaw final : public Sampler, public Density {
 public:
  /// \p ellipsoid of dimension 2.
  StretchedSphereLaw(std::shared_ptr<const Ellipsoid> ellipsoid, std::shared_ptr<const Sampler> sampler,
                     std::shared_ptr<const Density> density);

  [[nodiscard]] Index dimension() const override { return 3; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  /// log p(u) - log J(u) at the u of the points' own coordinates, scaled to length 1.
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  /// That of the law of u plus E log J(u), by sphere_rule(200): below 1e-12 for kappa <= 50 and axes (1, 1,
  /// q), q up to 8.
  [[nodiscard]] std::optional<double> entropy() const override { return entropy_; }
  /// Root of the mean variance over the three coordinates, by the same rule.
  [[nodiscard]] double standard_deviation() const { return standard_deviation_; }

 private:
  [[nodiscard]] double log_area_factor(const Eigen::Vector3d& u) const;

  std::shared_ptr<const Ellipsoid> ellipsoid_;
  std::shared_ptr<const Sampler> sampler_;
  std::shared_ptr<const Density> density_;
  std::optional<double> entropy_;
  double standard_deviation_ = 0;
};

/// The cells of a partition of S² under u = A^-1 Pi(x); of a point with several nearest points, under A^-1 x.
class StretchedSpherePartition final : public Partition {
 public:
  StretchedSpherePartition(std::shared_ptr<const Ellipsoid> ellipsoid, std::shared_ptr<const Partition> cells)
      : ellipsoid_(std::move(ellipsoid)), cells_(std::move(cells)) {}

  [[nodiscard]] Index size() const override { return cells_->size(); }
  [[nodiscard]] Eigen::VectorXi assign(const PointsRef& points) const override;
  [[nodiscard]] std::string description() const override;

 private:
  std::shared_ptr<const Ellipsoid> ellipsoid_;
  std::shared_ptr<const Partition> cells_;
};

}  // namespace onmanifold
