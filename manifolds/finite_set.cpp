// SPDX-License-Identifier: Apache-2.0
#include "manifolds/finite_set.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "manifolds/normal_lift.hpp"
#include "manifolds/safe_norm.hpp"
#include "manifolds/uniform_posterior.hpp"

namespace onmanifold {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double squared_distance(const Points& atoms, Index a, const Vector& x) {
  double sum = 0;
  for (Index i = 0; i < x.size(); ++i) sum += (atoms(i, a) - x[i]) * (atoms(i, a) - x[i]);
  return sum;
}

class SignCubePosterior final : public UniformPosterior {
 public:
  explicit SignCubePosterior(Index dimension) : dimension_(dimension) {}
  [[nodiscard]] Index dimension() const override { return dimension_; }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double sigma) const override {
    return (a / (sigma * sigma) * x).array().tanh();
  }
  Index dimension_;
};

class AtomPosterior final : public UniformPosterior {
 public:
  explicit AtomPosterior(const FiniteSet& set) : atoms_(set.ambient_dimension(), set.atom_count()) {
    for (Index k = 0; k < atoms_.cols(); ++k) atoms_.col(k) = set.atom(k);
  }
  [[nodiscard]] Index dimension() const override { return atoms_.rows(); }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double sigma) const override {
    Points result(x.rows(), x.cols());
    const double factor = a / (sigma * sigma);
    const Vector offset = 0.5 * a * factor * atoms_.colwise().squaredNorm().transpose();
    Vector weight(atoms_.cols());
    for (Index j = 0; j < x.cols(); ++j) {
      weight.noalias() = factor * (atoms_.transpose() * x.col(j)) - offset;
      weight = (weight.array() - weight.maxCoeff()).exp();
      result.col(j).noalias() = atoms_ * weight / weight.sum();
      if (!x.col(j).allFinite()) result.col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
    }
    return result;
  }
  Points atoms_;
};

}  // namespace

FiniteSet::FiniteSet(Points atoms) : atoms_(std::move(atoms)) {
  if (atoms_.size() == 0) throw InvalidInput("finite set: there is no atom");
  check_finite(atoms_, "atoms of a finite set");
  double smallest = infinity;
  for (Index j = 0; j < atoms_.cols(); ++j) {
    const Vector atom = atoms_.col(j);
    for (Index i = 0; i < j; ++i) {
      const double square = squared_distance(atoms_, i, atom);
      if (!(square > 0)) throw InvalidInput(fmt::format("finite set: atoms {} and {} are the same", i, j));
      smallest = std::min(smallest, square);
    }
  }
  reach_ = 0.5 * std::sqrt(smallest);
  scale_ = std::sqrt(atoms_.colwise().squaredNorm().maxCoeff());
  if (scale_ == 0) scale_ = 1;
}

std::vector<Index> FiniteSet::nearest(const PointsRef& x) const {
  check_dimension(x, ambient_dimension(), "nearest atom");
  std::vector<Index> result(static_cast<std::size_t>(x.cols()), -1);
  Vector point(x.rows());
  for (Index j = 0; j < x.cols(); ++j) {
    point = x.col(j);
    if (point.allFinite()) result[static_cast<std::size_t>(j)] = do_nearest(point);
  }
  return result;
}

Index FiniteSet::do_nearest(const Vector& x) const {
  Index best = 0;
  double least = infinity;
  for (Index a = 0; a < atoms_.cols(); ++a) {
    const double square = squared_distance(atoms_, a, x);
    if (square < least) {
      least = square;
      best = a;
    }
  }
  return best;
}

std::string FiniteSet::do_spec() const {
  std::string text = "finite:atoms=";
  for (Index j = 0; j < atoms_.cols(); ++j) {
    if (j > 0) text += '/';
    text += fmt::format("{}", fmt::join(atoms_.col(j).begin(), atoms_.col(j).end(), ":"));
  }
  return text;
}

Projection FiniteSet::do_project(const PointsRef& x) const {
  Projection result{x, Vector(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  const std::vector<Index> numbers = nearest(x);
  for (Index j = 0; j < x.cols(); ++j) {
    const Index number = numbers[static_cast<std::size_t>(j)];
    const Vector place = number < 0 ? Vector(x.col(j)) : do_atom(number);
    const Vector moved = x.col(j) - place;
    const double distance = number < 0 ? infinity : detail::safe_norm(moved.data(), moved.size());
    result.converged(j) = std::isfinite(distance);
    result.distance(j) = result.converged(j) ? distance : std::numeric_limits<double>::quiet_NaN();
    if (result.converged(j)) result.points.col(j) = place;
  }
  return result;
}

Points FiniteSet::do_residual(const PointsRef& x) const {
  Points result(x.rows(), x.cols());
  const std::vector<Index> numbers = nearest(x);
  for (Index j = 0; j < x.cols(); ++j) {
    const Index number = numbers[static_cast<std::size_t>(j)];
    if (number < 0) {
      result.col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
    } else {
      result.col(j) = x.col(j) - do_atom(number);
    }
  }
  return result;
}

Points FiniteSet::do_normal_bases(const PointsRef& y) const {
  return Points::Identity(y.rows(), y.rows()).replicate(1, y.cols());
}

Points FiniteSet::do_tangent_bases(const PointsRef& y) const {
  return {y.rows(), 0};
}

Points FiniteSet::do_normal_component(const PointsRef& /*y*/, const PointsRef& v) const {
  return v;
}

Points FiniteSet::do_random_points(Index n, Stream stream) const {
  Points result(ambient_dimension(), n);
  const auto count = static_cast<std::uint64_t>(atom_count());
  for (Index j = 0; j < n; ++j) result.col(j) = do_atom(static_cast<Index>(stream.integer(count)));
  return result;
}

OneHot::OneHot(Index classes) : classes_(classes) {
  if (classes < 2) throw InvalidInput(fmt::format("one_hot: classes = {} must be at least 2", classes));
}

Index OneHot::do_nearest(const Vector& x) const {
  Index best = 0;
  for (Index i = 1; i < classes_; ++i) {
    if (x[i] > x[best]) best = i;
  }
  return best;
}

double OneHot::do_reach() const {
  return std::sqrt(0.5);
}

std::string OneHot::do_spec() const {
  return fmt::format("one_hot:classes={}", classes_);
}

SignCube::SignCube(Index dimension) : dimension_(dimension) {
  if (dimension < 1 || dimension > 62) {
    throw InvalidInput(fmt::format("cube: dim = {} must be 1 to 62", dimension));
  }
}

Vector SignCube::do_atom(Index number) const {
  Vector result(dimension_);
  for (Index i = 0; i < dimension_; ++i) result[i] = ((number >> i) & 1) != 0 ? 1 : -1;
  return result;
}

Index SignCube::do_nearest(const Vector& x) const {
  Index number = 0;
  for (Index i = 0; i < dimension_; ++i) {
    if (x[i] > 0) number |= Index{1} << i;
  }
  return number;
}

std::string SignCube::do_spec() const {
  return fmt::format("cube:dim={}", dimension_);
}

std::unique_ptr<UniformPosterior> FiniteSet::do_uniform_posterior() const {
  return std::make_unique<AtomPosterior>(*this);
}

std::optional<TubeFactor> FiniteSet::do_mean_log_tube_factor(double /*sigma*/) const {
  return TubeFactor{};
}

std::unique_ptr<UniformPosterior> SignCube::do_uniform_posterior() const {
  return std::make_unique<SignCubePosterior>(dimension_);
}

}  // namespace onmanifold
