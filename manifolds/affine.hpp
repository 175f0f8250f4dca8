// SPDX-License-Identifier: Apache-2.0
#pragma once
// Affine subspaces M = {x : A x = b}: planes, hyperplanes of constant sum (fixed flux), and their
// intersections.

#include <string>

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// M = {x in R^D : A x = b}, A m×D of full row rank, so k = m and d = D - m. Kept as orthonormal normals U_N
/// (D×m) and offsets c with M = {x : U_N^T x = c}.
///
/// Pi(x) = x - U_N (U_N^T x - c), applied twice, so that the rounding error of the first pass is removed. A
/// column with a NaN, an infinity, or coordinates so large that the products overflow does not converge. h(x)
/// = U_N^T x - c, m numbers, |h(x)| = |x - M|. For m = 1 it is the signed distance, positive on the side to
/// which the normal points. Reach infinity, scale 1, constraint tolerance 1e-12 · max(1, |origin|).
/// Coordinates above about 1e3 times that cannot hold the tolerance: they are rounded to more than it. Cost
/// O(D m) a point. Every column is computed by itself: batch and position do not change a bit.
class Affine : public Manifold {
 public:
  /// \p a m×D, 0 < m < D, \p b m numbers. \throw InvalidInput unless finite and of full row rank (relative
  /// threshold 1e-10 on the pivots of a QR with pivoting).
  Affine(const Points& a, const Vector& b);

  /// The hyperplane {x : n·x = offset}, n = normal / |normal|: \p offset is a length, counted AFTER
  /// normalising.
  [[nodiscard]] static Affine plane(const Vector& normal, double offset);
  /// The d-dimensional affine subspace along the first d columns of random_frame(\p ambient) through its next column,
  /// a point at distance 1 from 0. \throw InvalidInput unless 0 < \p dimension < \p ambient <= 256.
  [[nodiscard]] static Affine subspace(Index dimension, Index ambient);
  /// The hyperplane {x in R^dimension : x_1 + … + x_D = total}.
  [[nodiscard]] static Affine flux(Index dimension, double total);

  /// Orthonormal tangent basis U_T, D×d, the same at every point.
  [[nodiscard]] const Points& basis() const { return basis_; }
  /// Orthonormal normals U_N, D×k; for a hyperplane the normalised normal.
  [[nodiscard]] const Points& normals() const { return normals_; }
  /// c = U_N^T x for x on M, k numbers.
  [[nodiscard]] const Vector& offsets() const { return offsets_; }
  /// The point of M nearest to 0, U_N c, D numbers.
  [[nodiscard]] const Vector& origin() const { return origin_; }

 private:
  Affine(const Points& a, const Vector& b, std::string spec);

  [[nodiscard]] Index do_ambient_dimension() const override { return normals_.rows(); }
  [[nodiscard]] Index do_dimension() const override { return basis_.cols(); }
  [[nodiscard]] double do_reach() const override;
  [[nodiscard]] double do_scale() const override { return 1.0; }
  [[nodiscard]] double do_constraint_tolerance() const override;
  [[nodiscard]] std::string do_spec() const override { return spec_; }
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_tangent_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_normal_component(const PointsRef& y, const PointsRef& v) const override;
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;
  [[nodiscard]] std::unique_ptr<UniformPosterior> do_uniform_posterior() const override;
  [[nodiscard]] std::optional<TubeFactor> do_mean_log_tube_factor(double sigma) const override;
  [[nodiscard]] std::optional<double> do_flip_rate(double sigma) const override;

  std::string spec_;
  Points normals_;
  Points basis_;
  Vector offsets_;
  Vector origin_;
};

}  // namespace onmanifold
