// SPDX-License-Identifier: Apache-2.0
#include "manifolds/affine.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/math/decompositions.hpp"
#include "manifolds/normal_lift.hpp"
#include "manifolds/random_frame.hpp"
#include "manifolds/safe_norm.hpp"
#include "manifolds/uniform_posterior.hpp"

namespace onmanifold {
namespace {

std::string numbers(const Vector& values) {
  return fmt::format("{}", fmt::join(values.begin(), values.end(), ":"));
}

std::string affine_spec(const Points& a, const Vector& b) {
  std::string rows;
  for (Index i = 0; i < a.rows(); ++i) {
    const Vector row = a.row(i);
    if (i > 0) rows += '/';
    rows += numbers(row);
  }
  return fmt::format("affine:rows={},values={}", rows, numbers(b));
}

// The nearest representable value to the exact quotient needs no care for overflow at the sizes met here, but
// a norm that overflows or vanishes must not pass as a normal.
Points unit_row(const Vector& normal) {
  const double norm = detail::safe_norm(normal.data(), normal.size());
  if (normal.size() < 2 || !(norm > 0) || !std::isfinite(norm)) {
    throw InvalidInput(fmt::format("plane: the normal ({}) must have at least two numbers, be finite and not zero",
                                   fmt::join(normal.begin(), normal.end(), ", ")));
  }
  return (normal / norm).transpose();
}

Index checked_dimension(Index dimension) {
  if (dimension < 2) throw InvalidInput(fmt::format("flux: dim = {} must be at least 2", dimension));
  return dimension;
}

class AffinePosterior final : public UniformPosterior {
 public:
  explicit AffinePosterior(const Affine& affine) : affine_(affine) {}
  [[nodiscard]] Index dimension() const override { return affine_.ambient_dimension(); }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double) const override {
    if (a == 0) return affine_.project(Points::Zero(x.rows(), x.cols())).points;
    Projection projection = affine_.project(x / a);
    for (Index j = 0; j < x.cols(); ++j) {
      if (!projection.converged[j]) projection.points.col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
    }
    return std::move(projection.points);
  }
  const Affine& affine_;
};

}  // namespace

Affine::Affine(const Points& a, const Vector& b) : Affine(a, b, affine_spec(a, b)) {}

Affine Affine::plane(const Vector& normal, double offset) {
  return Affine(unit_row(normal), Vector::Constant(1, offset),
                fmt::format("plane:normal={},offset={}", numbers(normal), offset));
}

Affine Affine::subspace(Index dimension, Index ambient) {
  if (dimension < 1 || dimension >= ambient) {
    throw InvalidInput(fmt::format("subspace: dim = {} must be from 1 to ambient - 1 = {}", dimension, ambient - 1));
  }
  const Points normals = random_frame(ambient).rightCols(ambient - dimension);
  return Affine(normals.transpose(), Vector::Unit(ambient - dimension, 0),
                fmt::format("subspace:dim={},ambient={}", dimension, ambient));
}

Affine Affine::flux(Index dimension, double total) {
  return Affine(Points::Ones(1, checked_dimension(dimension)), Vector::Constant(1, total),
                fmt::format("flux:dim={},total={}", dimension, total));
}

Affine::Affine(const Points& a, const Vector& b, std::string spec) : spec_(std::move(spec)) {
  const Index m = a.rows();
  const Index dimension = a.cols();
  if (m < 1 || m >= dimension) {
    throw InvalidInput(fmt::format("affine: {} constraints in {} dimensions, expected 1 to D - 1", m, dimension));
  }
  if (b.size() != m) throw InvalidInput(fmt::format("affine: {} values for {} constraints", b.size(), m));
  if (!a.allFinite() || !b.allFinite()) throw InvalidInput("affine: a coefficient is not finite");

  if (const Index rank = pivoted_rank(a.transpose(), 1e-10); rank < m) {
    throw InvalidInput(fmt::format("affine: {} constraints of rank {}, expected full row rank", m, rank));
  }

  auto [q, r] = full_qr(a.transpose());
  // A positive diagonal of R makes the factorisation unique: the first normal points where the first row
  // does.
  for (Index i = 0; i < m; ++i) {
    if (r(i, i) >= 0) continue;
    r.row(i) *= -1;
    q.col(i) *= -1;
  }
  normals_ = q.leftCols(m);
  basis_ = q.rightCols(dimension - m);
  offsets_ = r.transpose().triangularView<Eigen::Lower>().solve(b);
  origin_ = normals_ * offsets_;
  if (!origin_.allFinite()) throw InvalidInput("affine: the values overflow after normalising");
}

double Affine::do_reach() const {
  return std::numeric_limits<double>::infinity();
}

double Affine::do_constraint_tolerance() const {
  return 1e-12 * std::max(1.0, origin_.norm());
}

Projection Affine::do_project(const PointsRef& x) const {
  Projection result{x, Vector(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  Vector point(x.rows());  // aligned alike for every column, so that no bit depends on the column's place
  Vector h(codimension());
  Vector moved(x.rows());
  for (Index j = 0; j < x.cols(); ++j) {
    point = x.col(j);
    for (int pass = 0; pass < 2; ++pass) {
      h.noalias() = normals_.transpose() * point;
      h -= offsets_;
      point.noalias() -= normals_ * h;
    }
    moved = x.col(j);
    moved -= point;
    const double distance = moved.norm();
    result.converged(j) = point.allFinite() && std::isfinite(distance);
    if (result.converged(j)) result.points.col(j) = point;
    result.distance(j) = result.converged(j) ? distance : std::numeric_limits<double>::quiet_NaN();
  }
  return result;
}

Points Affine::do_residual(const PointsRef& x) const {
  Points result(codimension(), x.cols());
  Vector point(x.rows());
  Vector h(codimension());
  for (Index j = 0; j < x.cols(); ++j) {
    point = x.col(j);
    h.noalias() = normals_.transpose() * point;
    result.col(j) = h - offsets_;
  }
  return result;
}

Points Affine::do_normal_bases(const PointsRef& y) const {
  return normals_.replicate(1, y.cols());
}

Points Affine::do_tangent_bases(const PointsRef& y) const {
  return basis_.replicate(1, y.cols());
}

Points Affine::do_normal_component(const PointsRef& /*y*/, const PointsRef& v) const {
  Points result(v.rows(), v.cols());
  Vector vector(v.rows());
  Vector coordinates(codimension());
  Vector component(v.rows());
  for (Index j = 0; j < v.cols(); ++j) {
    vector = v.col(j);
    coordinates.noalias() = normals_.transpose() * vector;
    component.noalias() = normals_ * coordinates;
    result.col(j) = component;
  }
  return result;
}

Points Affine::do_random_points(Index n, Stream stream) const {
  const Points coordinates = stream.normal(dimension(), n);
  Points result(ambient_dimension(), n);
  Vector column(dimension());
  Vector point(ambient_dimension());
  for (Index j = 0; j < n; ++j) {
    column = coordinates.col(j);
    point = origin_;
    point.noalias() += basis_ * column;
    result.col(j) = point;
  }
  return result;
}

std::unique_ptr<UniformPosterior> Affine::do_uniform_posterior() const {
  return std::make_unique<AffinePosterior>(*this);
}

std::optional<TubeFactor> Affine::do_mean_log_tube_factor(double /*sigma*/) const {
  return TubeFactor{};
}

std::optional<double> Affine::do_flip_rate(double /*sigma*/) const {
  return 0;
}

}  // namespace onmanifold
