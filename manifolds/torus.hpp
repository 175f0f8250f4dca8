// SPDX-License-Identifier: Apache-2.0
#pragma once
// The flat torus (S^1)^n in R^{2n}, and the torus of revolution in R^3.

#include <string>

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// M = {x in R^{2n} : x_{2i}^2 + x_{2i+1}^2 = 1 for every pair}: n angles as pairs (cos, sin), counted from
/// 0. D = 2n, d = k = n.
///
/// Pi divides every pair by its length. A column with a pair (0, 0), a NaN or an infinity does not converge.
/// h_i(x) = |pair i| - 1, signed; |h(x)| = |x - M|. Normals: the n unit pairs. Reach and scale 1, constraint
/// tolerance 1e-12. O(n) a point.
class Torus : public Manifold {
 public:
  /// \throw InvalidInput unless \p dimension >= 1.
  explicit Torus(Index dimension);

 private:
  [[nodiscard]] Index do_ambient_dimension() const override { return 2 * dimension_; }
  [[nodiscard]] Index do_dimension() const override { return dimension_; }
  [[nodiscard]] double do_reach() const override { return 1; }
  [[nodiscard]] double do_scale() const override { return 1; }
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-12; }
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

  Index dimension_;
};

/// M = {((R + r cos v) cos u, (R + r cos v) sin u, r sin v)}, the donut around the x3 axis with 0 < r < R. D
/// = 3, d = 2, k = 1.
///
/// Pi(x) = c + r (x - c)/|x - c|, c the nearest point of the core circle of radius R. Columns on the axis or
/// on the core circle, with a NaN or an infinity do not converge. h(x) = |x - c| - r, signed; the normal (y -
/// c)/|y - c| points outward. Reach min(r, R - r), scale R + r, constraint tolerance 1e-12 (R + r). O(1) a
/// point.
class Donut : public Manifold {
 public:
  /// \throw InvalidInput unless 0 < \p minor < \p major, both finite.
  Donut(double major, double minor);

 private:
  [[nodiscard]] Index do_ambient_dimension() const override { return 3; }
  [[nodiscard]] Index do_dimension() const override { return 2; }
  [[nodiscard]] double do_reach() const override { return std::min(minor_, major_ - minor_); }
  [[nodiscard]] double do_scale() const override { return major_ + minor_; }
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-12 * (major_ + minor_); }
  [[nodiscard]] std::string do_spec() const override;
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  /// Uniform by area: u uniform, v accepted with probability (R + r cos v)/(R + r).
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;

  double major_;
  double minor_;
};

}  // namespace onmanifold
