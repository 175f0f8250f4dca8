// SPDX-License-Identifier: Apache-2.0
#pragma once
// The sphere S^d of any radius and centre in R^{d+1}.

#include <string>

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// M = {x in R^{d+1} : |x - c| = R}, k = 1.
///
/// Pi(x) = c + R (x - c) / |x - c|. The centre has no unique nearest point: a column equal to it, or with a
/// NaN or an infinity, does not converge. h(x) = |x - c| - R, signed. The normal is (y - c) / |y - c|,
/// outward. Reach and scale R, constraint tolerance 1e-12 R. Cost O(D) a point, tangent bases O(D^2).
class Sphere : public Manifold {
 public:
  /// S^d of \p radius R around \p centre (d + 1 numbers; empty: the origin).
  /// \throw InvalidInput unless \p dimension >= 1 and R > 0, all finite.
  explicit Sphere(Index dimension, double radius = 1.0, Vector centre = {});

  [[nodiscard]] double radius() const { return radius_; }
  [[nodiscard]] const Vector& centre() const { return centre_; }

 private:
  [[nodiscard]] Index do_ambient_dimension() const override { return centre_.size(); }
  [[nodiscard]] Index do_dimension() const override { return centre_.size() - 1; }
  [[nodiscard]] double do_reach() const override { return radius_; }
  [[nodiscard]] double do_scale() const override { return radius_; }
  [[nodiscard]] double do_constraint_tolerance() const override;
  [[nodiscard]] std::string do_spec() const override;
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_normal_component(const PointsRef& y, const PointsRef& v) const override;
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;
  [[nodiscard]] std::unique_ptr<Geodesics> do_geodesics() const override;
  [[nodiscard]] std::unique_ptr<UniformPosterior> do_uniform_posterior() const override;
  [[nodiscard]] std::vector<HeatFactor> do_heat_factors() const override;
  [[nodiscard]] std::optional<TubeFactor> do_mean_log_tube_factor(double sigma) const override;
  [[nodiscard]] std::optional<double> do_flip_rate(double sigma) const override;
  [[nodiscard]] std::optional<double> do_great_circle_radius() const override { return radius_; }

  double radius_;
  Vector centre_;
};

}  // namespace onmanifold
