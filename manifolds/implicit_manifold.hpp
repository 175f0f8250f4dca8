// SPDX-License-Identifier: Apache-2.0
#pragma once
// Manifolds given by equations h(x) = 0: Gauss–Newton projection, and the true nearest point by Newton's
// method on the equations of Karush, Kuhn and Tucker.

#include <memory>
#include <string>

#include <Eigen/Core>

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// A smooth map h: R^D -> R^k, 0 < k < D, with a Jacobian of full rank near its zero set.
class ImplicitFunction {
 public:
  virtual ~ImplicitFunction() = default;
  [[nodiscard]] virtual Index ambient_dimension() const = 0;  ///< D
  [[nodiscard]] virtual Index codimension() const = 0;        ///< k
  /// h(x), k numbers.
  [[nodiscard]] virtual Vector value(const Vector& x) const = 0;
  /// The Jacobian at x, k×D.
  [[nodiscard]] virtual Eigen::MatrixXd jacobian(const Vector& x) const = 0;
  /// sum_i weights_i · Hessian of h_i at x, D×D, symmetric. Default: central differences of the Jacobian with
  /// step 1e-6 max(1, |x|), good to about 1e-9: enough for quadratic convergence down to it, linear below.
  [[nodiscard]] virtual Eigen::MatrixXd weighted_hessian(const Vector& x, const Vector& weights) const;
};

/// What an iteration did, column by column.
struct ImplicitProjection {
  Points points;                                    ///< D×N; a column that did not converge is the input
  Eigen::Array<bool, Eigen::Dynamic, 1> converged;  ///< N
  Eigen::ArrayXi iterations;  ///< N: Gauss–Newton steps (gauss_newton) or Newton steps along M (nearest)
  Vector constraint;          ///< N: |J^+ h| at the result, the distance from M to first order
  Vector tangential;          ///< N: |P_T (x - result)|; 0 for a nearest point
  /// N: the distance moved is smaller than the reach, which proves the result to be THE nearest point of M: a
  /// critical point that near is unique. Elsewhere it is a local minimum of the distance.
  Eigen::Array<bool, Eigen::Dynamic, 1> certified;
};

/// M = {x : h(x) = 0}, d = D - k.
///
/// gauss_newton: x <- x - J^+ h(x), until a step is below 1e-9 · scale, that step included (convergence is
/// quadratic); at most 50 steps, else not converged. Lands on M, |n|^2 away from the nearest point (to first
/// order).
///
/// nearest: from there, Newton steps t in the tangent space for the distance on M, H t = -g, g = P_T(p - x),
/// H = P_T (I
/// + sum lambda_i Hess h_i) P_T with the multipliers lambda of least squares, brought back on M by
/// Gauss–Newton; steepest descent where H is not positive definite; halved until the distance falls (Armijo,
/// 1e-4). At most 100 steps. Ends when |g| is at rounding. A column with a NaN or an infinity, at a singular
/// point of h, or that does not end, does not converge. Near the cut locus H is nearly singular and the
/// nearest point is as badly determined as it says.
///
/// project is nearest. h in length units: coordinates of x - Pi(x) in the normal space at Pi(x), plus J^+
/// h(Pi(x)), so that neither a projection that stops short nor one that leaves M can hide; to first order J^+
/// h(x) where the projection does not converge. Normals: QR of J^T with positive diagonal, so the first one
/// points along grad h_1. O(D^3) a step.
class ImplicitManifold : public Manifold {
 public:
  /// \p reach 0 if not known; \p scale as of Manifold; \p spec what spec() gives. \throw InvalidInput for a
  /// null function, k outside 1 … D-1, or a scale that is not positive.
  ImplicitManifold(std::shared_ptr<const ImplicitFunction> function, double reach, double scale, std::string spec);

  /// \throw InvalidInput unless \p x has D rows.
  [[nodiscard]] ImplicitProjection gauss_newton(const PointsRef& x) const;
  [[nodiscard]] ImplicitProjection nearest(const PointsRef& x) const;
  [[nodiscard]] const ImplicitFunction& function() const { return *function_; }

 private:
  [[nodiscard]] Index do_ambient_dimension() const override { return function_->ambient_dimension(); }
  [[nodiscard]] Index do_dimension() const override { return ambient_dimension() - function_->codimension(); }
  [[nodiscard]] double do_reach() const override { return reach_; }
  [[nodiscard]] double do_scale() const override { return scale_; }
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-12 * scale_; }
  [[nodiscard]] std::string do_spec() const override { return spec_; }
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_tangent_bases(const PointsRef& y) const override;
  /// Gaussian points of the scale, projected: NOT uniform. Overridden where something better is known.
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;

  std::shared_ptr<const ImplicitFunction> function_;
  double reach_;
  double scale_;
  std::string spec_;
};

/// {x in R^D : sum (x_i/a_i)^2 = 1}, an example with a known, small reach: (min a)^2 / max a, the least
/// radius of curvature, at the ends of the longest axis; the narrowest bottleneck, min a, is no smaller. Scale max a.
///
/// Pi(x)_i = a_i^2 x_i / (a_i^2 + t) with the largest root t of a convex, decreasing function of one variable, by
/// Newton's method from the side on which it cannot overshoot: THE nearest point, also far beyond the reach. Columns
/// with several nearest points, with a NaN, an infinity or beyond 1e140 axes do not converge. h(x) is the signed
/// distance, positive outside. O(D) a step; 6 to 20 steps.
class Ellipsoid final : public ImplicitManifold {
 public:
  /// \p axes: the D >= 2 semi-axes. \throw InvalidInput unless positive and finite.
  explicit Ellipsoid(const Vector& axes);
  [[nodiscard]] const Vector& axes() const { return axes_; }

 private:
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  /// The nearest point, one of them if there are several; false then and where none was found (\p y is not set).
  [[nodiscard]] bool foot(const Vector& x, Vector& y, bool& unique) const;
  /// Uniform by area: a uniform direction u, accepted with probability |A^-1 u| min a, stretched to A u.
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;

  Vector axes_;
};

}  // namespace onmanifold
