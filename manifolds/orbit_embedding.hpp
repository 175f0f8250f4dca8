// SPDX-License-Identifier: Apache-2.0
#pragma once
// Circle and sphere embedded in R^16 as orbits of a group, isometrically: curved manifolds of high
// codimension on which everything is known.

#include <string>

#include <Eigen/Core>

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// M = f(S^d) for a smooth f: S^d -> R^D of constant norm that keeps lengths (D f is an isometry) and whose
/// inner products depend on the angle only: <f(u), f(w)> = K(angle(u, w)).
///
/// |f| is constant, so the nearest point of x is the f(u) that maximises <f(u), x>, a polynomial in u: the
/// best point of a grid, and of the part of the grid far from it, then Newton's method on the sphere. Columns
/// that are not finite, or where the maximum is not strict (x = 0), do not converge. h(x) = x - Pi(x), D
/// numbers. Tangents: D f along the tangents of S^d; normals: their completion by QR. Reach: the smaller of
/// 1/sqrt(K''''(0)), the radius of curvature, and the minimum of |f(w) - f(u)|^2 / (2 dist(f(w) - f(u), T))
/// over the angle \cite federer1959. Scale |f|, constraint tolerance 1e-12. About 2 microseconds a point.
class OrbitEmbedding : public Manifold {
 public:
  /// f(u) for unit vectors \p u, (d+1)×N -> D×N. \throw InvalidInput on another number of rows.
  [[nodiscard]] Points embed(const PointsRef& u) const;
  /// The u of the point of M nearest to each column of \p x, D×N -> (d+1)×N, unit vectors; NaN where there is
  /// none.
  [[nodiscard]] Points parameters(const PointsRef& x) const;
  /// K(theta) = sum_m cosines_m cos(m theta), m from 0.
  [[nodiscard]] const Vector& kernel() const { return cosines_; }

 protected:
  /// \p grid: starting points on S^d, (d+1)×G; \p cosines as of kernel(); \p spread: angle beyond which a
  /// second maximum is looked for.
  OrbitEmbedding(Points grid, Vector cosines, double spread, std::string spec);
  /// Fills the table of starting values; to be called at the end of the constructor of a derived class.
  void tabulate();

 private:
  [[nodiscard]] virtual Vector do_embed(const Vector& u) const = 0;
  /// D f at u along the columns of an orthonormal basis of the tangents of S^d, D×d.
  [[nodiscard]] virtual Eigen::MatrixXd do_tangents(const Vector& u) const = 0;
  /// Newton ascent of <f(u), x> from \p u; false if it does not end at a strict maximum.
  [[nodiscard]] virtual bool do_ascend(const Vector& x, Vector& u) const = 0;

  [[nodiscard]] bool nearest(const Vector& x, Vector& u) const;

  [[nodiscard]] Index do_ambient_dimension() const override { return 16; }
  [[nodiscard]] Index do_dimension() const override { return grid_.rows() - 1; }
  [[nodiscard]] double do_reach() const override { return reach_; }
  [[nodiscard]] double do_scale() const override { return radius_; }
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-12; }
  [[nodiscard]] std::string do_spec() const override { return spec_; }
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_tangent_bases(const PointsRef& y) const override;
  /// Uniform by length or area.
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;

  Points grid_;
  Points table_;  // f at the grid, D×G
  Vector cosines_;
  double spread_;
  double radius_;
  double reach_;
  std::string spec_;
};

/// S^2 in R^16 by spherical harmonics: f(x) = O (a1 x; a2 Y2(x); a3 Y3(x); 0), a1^2 = 1/2, a2^2 = 1/12, a3^2
/// = 1/24, |Y_l| = 1 with 5 and 7 components, O = I - 11^T/8. d = 2, k = 14, |f| = sqrt(0.625), reach
/// 1/sqrt(3.625) = 0.52523.
class SphereIn16d final : public OrbitEmbedding {
 public:
  SphereIn16d();

 private:
  [[nodiscard]] Vector do_embed(const Vector& u) const override;
  [[nodiscard]] Eigen::MatrixXd do_tangents(const Vector& u) const override;
  [[nodiscard]] bool do_ascend(const Vector& x, Vector& u) const override;

  Eigen::MatrixXd coefficients_;  // 16×19, of the monomials of degree 1 to 3
};

/// S^1 in R^16 by Fourier modes: f(theta) = (b_m cos m theta, b_m sin m theta), m = 1 … 8, b_m^2 = 2^-m /
/// (m^2 (1 - 2^-8)). d = 1, k = 15, |f| = 0.76451, reach 0.42169. Parameters are (cos theta, sin theta).
class CircleIn16d final : public OrbitEmbedding {
 public:
  CircleIn16d();

 private:
  [[nodiscard]] Vector do_embed(const Vector& u) const override;
  [[nodiscard]] Eigen::MatrixXd do_tangents(const Vector& u) const override;
  [[nodiscard]] bool do_ascend(const Vector& x, Vector& u) const override;
};

}  // namespace onmanifold
