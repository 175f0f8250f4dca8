// SPDX-License-Identifier: Apache-2.0
#pragma once
// Products of manifolds: M = M_1 × … × M_m, the coordinates of the factors one after the other.

#include <memory>
#include <string>
#include <vector>

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// M_1 × … × M_m in R^{D_1 + … + D_m}: sequences of tokens, several rotations, a rotation with a shift.
///
/// Everything goes factor by factor; distances add in quadrature. A column converges if it does in every
/// factor, else it is kept whole. h: the residuals of the factors one below the other. Normals: first those
/// of the first factor. Reach: the smallest of the factors'; scale: the largest; constraint tolerance: root
/// of the sum of squares. Streams of random_points: stream/"factor"/number.
class Product : public Manifold {
 public:
  /// \throw InvalidInput if there is no factor, or a null one.
  explicit Product(std::vector<std::shared_ptr<const Manifold>> factors);

  [[nodiscard]] const std::vector<std::shared_ptr<const Manifold>>& factors() const { return factors_; }

 private:
  [[nodiscard]] Index do_ambient_dimension() const override { return ambient_dimension_; }
  [[nodiscard]] Index do_dimension() const override { return dimension_; }
  [[nodiscard]] double do_reach() const override;
  [[nodiscard]] double do_scale() const override;
  [[nodiscard]] double do_constraint_tolerance() const override;
  /// "product:factors=SPEC*SPEC^3*…", equal neighbours gathered.
  [[nodiscard]] std::string do_spec() const override;
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_tangent_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_normal_component(const PointsRef& y, const PointsRef& v) const override;
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;
  [[nodiscard]] std::unique_ptr<Geodesics> do_geodesics() const override;
  [[nodiscard]] std::unique_ptr<UniformPosterior> do_uniform_posterior() const override;
  [[nodiscard]] std::vector<HeatFactor> do_heat_factors() const override;
  [[nodiscard]] std::optional<TubeFactor> do_mean_log_tube_factor(double sigma) const override;
  [[nodiscard]] std::optional<double> do_flip_rate(double sigma) const override;

  std::vector<std::shared_ptr<const Manifold>> factors_;
  Index ambient_dimension_ = 0;
  Index dimension_ = 0;
};

}  // namespace onmanifold
