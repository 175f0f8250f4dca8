// SPDX-License-Identifier: Apache-2.0
#pragma once
// Finite sets of points: any list of atoms, the one-hot vectors, the corners of a cube. They are manifolds of
// dimension 0: every direction is normal, and a normal lift is an isotropic one.

#include <string>
#include <vector>

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// What all finite sets share. d = 0, k = D. Pi(x) is the nearest atom; of several equally near ones, the one
/// with the lowest number, so every finite column converges. h(x) = x - Pi(x), D numbers. Normal bases: the
/// identity. Reach: half the smallest distance of two atoms. random_points: uniform over the atoms. O(atoms ·
/// D) a point.
class FiniteSet : public Manifold {
 public:
  /// \p atoms D×K, one a column, all different. \throw InvalidInput otherwise, or for no atom or numbers that
  /// are not finite.
  explicit FiniteSet(Points atoms);

  /// Number of the atom nearest to each column of \p x (D×N), or -1 for a column that is not finite.
  [[nodiscard]] std::vector<Index> nearest(const PointsRef& x) const;
  /// How many atoms there are.
  [[nodiscard]] Index atom_count() const { return do_atom_count(); }
  /// Atom \p number = 0 … atom_count() - 1, D numbers.
  [[nodiscard]] Vector atom(Index number) const { return do_atom(number); }

 protected:
  FiniteSet() = default;

 private:
  [[nodiscard]] virtual Index do_atom_count() const { return atoms_.cols(); }
  [[nodiscard]] virtual Vector do_atom(Index number) const { return atoms_.col(number); }
  [[nodiscard]] virtual Index do_nearest(const Vector& x) const;
  [[nodiscard]] Index do_ambient_dimension() const override { return atoms_.rows(); }
  [[nodiscard]] Index do_dimension() const override { return 0; }
  [[nodiscard]] double do_reach() const override { return reach_; }
  [[nodiscard]] double do_scale() const override { return scale_; }
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-12 * scale_; }
  [[nodiscard]] std::string do_spec() const override;
  [[nodiscard]] Projection do_project(const PointsRef& x) const override;
  [[nodiscard]] Points do_residual(const PointsRef& x) const override;
  [[nodiscard]] Points do_normal_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_tangent_bases(const PointsRef& y) const override;
  [[nodiscard]] Points do_normal_component(const PointsRef& y, const PointsRef& v) const override;
  [[nodiscard]] Points do_random_points(Index n, Stream stream) const override;
  [[nodiscard]] std::unique_ptr<UniformPosterior> do_uniform_posterior() const override;
  [[nodiscard]] std::optional<TubeFactor> do_mean_log_tube_factor(double sigma) const override;

  Points atoms_;
  double reach_ = 0;
  double scale_ = 1;  // largest norm of an atom
};

/// The K unit vectors of R^K: categories. Pi is the argmax, the first of several. Reach 1/sqrt(2). O(K) a
/// point.
class OneHot final : public FiniteSet {
 public:
  /// \throw InvalidInput unless \p classes >= 2.
  explicit OneHot(Index classes);

 private:
  [[nodiscard]] Index do_atom_count() const override { return classes_; }
  [[nodiscard]] Vector do_atom(Index number) const override { return Vector::Unit(classes_, number); }
  [[nodiscard]] Index do_nearest(const Vector& x) const override;
  [[nodiscard]] Index do_ambient_dimension() const override { return classes_; }
  [[nodiscard]] double do_reach() const override;
  [[nodiscard]] double do_scale() const override { return 1; }
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-12; }
  [[nodiscard]] std::string do_spec() const override;

  Index classes_;
};

/// The corners {-1, 1}^n. Pi takes the signs; 0 goes to -1, since atom 0 is (-1, …, -1) and coordinate i is
/// bit i of the number. Reach 1. O(n) a point.
class SignCube final : public FiniteSet {
 public:
  /// \throw InvalidInput unless 1 <= \p dimension <= 62 (atoms are numbered by an Index).
  explicit SignCube(Index dimension);

 private:
  [[nodiscard]] Index do_atom_count() const override { return Index{1} << dimension_; }
  [[nodiscard]] Vector do_atom(Index number) const override;
  [[nodiscard]] Index do_nearest(const Vector& x) const override;
  [[nodiscard]] Index do_ambient_dimension() const override { return dimension_; }
  [[nodiscard]] double do_reach() const override { return 1; }
  [[nodiscard]] double do_scale() const override { return 1; }
  [[nodiscard]] double do_constraint_tolerance() const override { return 1e-12; }
  [[nodiscard]] std::string do_spec() const override;
  [[nodiscard]] std::unique_ptr<UniformPosterior> do_uniform_posterior() const override;

  Index dimension_;
};

}  // namespace onmanifold
