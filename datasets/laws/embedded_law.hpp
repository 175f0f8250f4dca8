// SPDX-License-Identifier: Apache-2.0
#pragma once
// A law on a circle or sphere carried over to its isometric image in R^D: density, entropy and masses are
// unchanged.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "contracts/distribution.hpp"
#include "contracts/partition.hpp"
#include "core/points.hpp"

namespace onmanifold {

/// An isometry f of the sphere S^d into R^D: any manifold with embed() and parameters() of the nearest
/// points.
struct Embedding {
  template <class Manifold>
  Embedding(std::shared_ptr<const Manifold> manifold)  // NOLINT(google-explicit-constructor)
      : ambient_dimension(manifold->ambient_dimension()),
        embed([manifold](const PointsRef& u) { return manifold->embed(u); }),
        parameters([manifold](const PointsRef& x) { return manifold->parameters(x); }) {}

  Index ambient_dimension;
  std::function<Points(const PointsRef&)> embed;
  std::function<Points(const PointsRef&)> parameters;
};

/// x = f(u), u from a law on the sphere S^d.
class EmbeddedLaw final : public Sampler, public Density {
 public:
  EmbeddedLaw(Embedding embedding, std::shared_ptr<const Sampler> sampler, std::shared_ptr<const Density> density)
      : embedding_(std::move(embedding)), sampler_(std::move(sampler)), density_(std::move(density)) {}

  [[nodiscard]] Index dimension() const override { return embedding_.ambient_dimension; }
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  /// At the parameters of the nearest points.
  [[nodiscard]] Vector log_density(const PointsRef& points) const override;
  [[nodiscard]] std::optional<double> entropy() const override { return density_->entropy(); }

 private:
  Embedding embedding_;
  std::shared_ptr<const Sampler> sampler_;
  std::shared_ptr<const Density> density_;
};

/// The cells of a partition of the sphere, under the parameters of the nearest points. A finite point without
/// a nearest one counts as the parameter 0.
class EmbeddedPartition final : public Partition {
 public:
  EmbeddedPartition(Embedding embedding, std::shared_ptr<const Partition> cells)
      : embedding_(std::move(embedding)), cells_(std::move(cells)) {}

  [[nodiscard]] Index size() const override { return cells_->size(); }
  [[nodiscard]] Eigen::VectorXi assign(const PointsRef& points) const override;
  [[nodiscard]] std::string description() const override;

 private:
  Embedding embedding_;
  std::shared_ptr<const Partition> cells_;
};

}  // namespace onmanifold
