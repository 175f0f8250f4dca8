// SPDX-License-Identifier: Apache-2.0
#pragma once
// The simplex {x >= 0, sum x = total}: fixed flux with pixels that cannot be negative.

#include <string>

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// M = {x in R^D : x_i >= 0, x_1 + … + x_D = F}, F > 0. d = D - 1, k = 1, with boundary: the faces where
/// pixels are 0.
///
/// Pi(x)_i = max(x_i - theta, 0) with the theta that makes the sum F, from the sorted coordinates \cite
/// duchi2008. x + c·1 has the nearest point of x, so a normal lift of any size is undone; what a model makes
/// negative is clipped, which moves mass to the boundary. M is convex: reach infinity. Columns with a NaN, an
/// infinity, or numbers that overflow when added do not converge. h(x) = ((sum x - F)/sqrt(D), distance of
/// the hyperplane's projection from M): two numbers with |h(x)| = |x - M|. The normal is that of the
/// hyperplane, 1/sqrt(D), also on the boundary. Scale F, constraint tolerance 1e-12 F (1e-12 for small F).
/// O(D log D) a point.
class Simplex : public Manifold {
 public:
  /// \throw InvalidInput unless \p dimension >= 2 and \p total > 0, finite.
  Simplex(Index dimension, double total);

 private:
  [[nodiscard]] Index do_ambient_dimension() const override { return size_; }
  [[nodiscard]] Index do_dimension() const override { return size_ - 1; }
  [[nodiscard]] double do_reach() const override;
  [[nodiscard]] double do_scale() const override { return total_; }
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-12 * std::max(1.0, total_); }
  /// "flux:dim=…,total=…,nonnegative=true".
  [[nodiscard]] std::string do_spec() const override;
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_tangent_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_normal_component(const PointsRef& y, const PointsRef& v) const override;
  /// Uniform: exponential numbers, rescaled.
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;

  Index size_;
  double total_;
};

}  // namespace onmanifold
