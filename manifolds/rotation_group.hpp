// SPDX-License-Identifier: Apache-2.0
#pragma once
// The rotations SO(3) as 3×3 matrices in R^9, and the exponential map between rotation vectors and rotations.

#include <string>

#include <Eigen/Core>

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// Row-major entries of a 3×3 matrix: x_{3i+j} = X_ij.
[[nodiscard]] Eigen::Matrix3d rotation_matrix(const VectorRef& x);
/// The inverse: writes \p matrix into column \p j of \p points (9×N).
void set_rotation(Points& points, Index j, const Eigen::Matrix3d& matrix);

/// The rotation about axis v/|v| by the angle |v| (rotation vector \p v, any length). Through the unit
/// quaternion (cos |v|/2, sin(|v|/2) v/|v|), so exact to a few ulp at 0 and at pi.
[[nodiscard]] Eigen::Matrix3d rotation_exp(const Eigen::Vector3d& v);
/// The rotation vector of \p rotation with angle in [0, pi]; at pi, where v and -v are one rotation, the one
/// whose first entry that is not zero is positive. Through the quaternion with its largest entry first:
/// accurate to a few ulp of the angle near 0 and to 1e-15 near pi. \pre a rotation to 1e-6
[[nodiscard]] Eigen::Vector3d rotation_log(const Eigen::Matrix3d& rotation);
/// |rotation_log(rotation)|, in [0, pi].
[[nodiscard]] double rotation_angle(const Eigen::Matrix3d& rotation);
/// The rotation of a quaternion (w, x, y, z) that is not zero; its length does not matter.
[[nodiscard]] Eigen::Matrix3d rotation_from_quaternion(const Eigen::Vector4d& q);
/// A unit quaternion (w, x, y, z) of \p rotation; the entry of largest size is positive.
[[nodiscard]] Eigen::Vector4d quaternion_from_rotation(const Eigen::Matrix3d& rotation);

/// M = {X in R^{3×3} : X^T X = I, det X = 1} with the Frobenius metric; D = 9, d = 3, k = 6. Points are nine
/// numbers, row-major. A rotation by theta has Frobenius distance 2 sqrt(2) sin(theta/2) from the identity,
/// and arc length sqrt(2) theta.
///
/// With X = U diag(s1 >= s2 >= s3) V^T and e = det(U V^T), Pi(X) = U diag(1, 1, e) V^T: the nearest rotation,
/// also for det X < 0. It is unique iff s2 + e s3 > 0; a column with s2 + e s3 <= 8 eps s1, a NaN or an
/// infinity does not converge. h(X) = (S11 - 1, S22 - 1, S33 - 1, sqrt(2) S12, sqrt(2) S13, sqrt(2) S23) with
/// S = Pi(X)^T X, which is symmetric: |h(X)| = |X - M|, and h is smooth where Pi is. Normal space at R: R
/// times the symmetric matrices; tangent space: R times the skew ones, in the order of the axes. Reach
/// sqrt(2), scale sqrt(3) (the norm of every point), constraint tolerance 1e-12. Two-sided Jacobi SVD: about
/// 1 microsecond a point.
class RotationGroup : public Manifold {
 private:
  [[nodiscard]] Index do_ambient_dimension() const override { return 9; }
  [[nodiscard]] Index do_dimension() const override { return 3; }
  [[nodiscard]] double do_reach() const override;
  [[nodiscard]] double do_scale() const override;
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-12; }
  [[nodiscard]] std::string do_spec() const override { return "so3"; }
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_tangent_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_normal_component(const PointsRef& y, const PointsRef& v) const override;
  /// Haar measure: a normal quaternion, normalised. A uniform rotation vector would NOT be.
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;
  [[nodiscard]] std::unique_ptr<Geodesics> do_geodesics() const override;
  [[nodiscard]] std::unique_ptr<UniformPosterior> do_uniform_posterior() const override;
  [[nodiscard]] std::vector<HeatFactor> do_heat_factors() const override;
  [[nodiscard]] std::optional<TubeFactor> do_mean_log_tube_factor(double sigma) const override;
};

}  // namespace onmanifold
