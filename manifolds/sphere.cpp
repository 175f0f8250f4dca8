// SPDX-License-Identifier: Apache-2.0
#include "manifolds/sphere.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "manifolds/safe_norm.hpp"

namespace onmanifold {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Sphere::Sphere(Index dimension, double radius, Vector centre) : radius_(radius), centre_(std::move(centre)) {
  if (dimension < 1) throw InvalidInput(fmt::format("sphere: dim = {} must be at least 1", dimension));
  if (!(radius > 0) || !std::isfinite(radius)) {
    throw InvalidInput(fmt::format("sphere: radius = {} must be positive and finite", radius));
  }
  if (centre_.size() == 0) centre_ = Vector::Zero(dimension + 1);
  if (centre_.size() != dimension + 1 || !centre_.allFinite()) {
    throw InvalidInput(fmt::format("sphere: the centre ({}) must be {} finite numbers",
                                   fmt::join(centre_.begin(), centre_.end(), ", "), dimension + 1));
  }
}

double Sphere::do_constraint_tolerance() const {
  return std::max(1e-12 * radius_, 16 * std::numeric_limits<double>::epsilon() * centre_.cwiseAbs().maxCoeff());
}

std::string Sphere::do_spec() const {
  std::string spec = fmt::format("sphere:dim={},radius={}", dimension(), radius_);
  if (!centre_.isZero(0)) spec += fmt::format(",centre={}", fmt::join(centre_.begin(), centre_.end(), ":"));
  return spec;
}

Projection Sphere::do_project(const PointsRef& x) const {
  const Index d = x.rows();
  Projection result{x, Vector(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  Vector offset(d);
  for (Index j = 0; j < x.cols(); ++j) {
    for (Index i = 0; i < d; ++i) offset(i) = x(i, j) - centre_(i);
    const double norm = detail::safe_norm(offset.data(), d);
    result.converged(j) = norm > 0 && std::isfinite(norm);
    result.distance(j) = result.converged(j) ? std::abs(norm - radius_) : nan;
    if (!result.converged(j)) continue;
    // Divide first: R / |x| overflows for the smallest |x|.
    for (Index i = 0; i < d; ++i) result.points(i, j) = centre_(i) + radius_ * (offset(i) / norm);
  }
  return result;
}

Points Sphere::do_residual(const PointsRef& x) const {
  Points result(1, x.cols());
  Vector offset(x.rows());
  for (Index j = 0; j < x.cols(); ++j) {
    for (Index i = 0; i < x.rows(); ++i) offset(i) = x(i, j) - centre_(i);
    result(0, j) = detail::safe_norm(offset.data(), x.rows()) - radius_;
  }
  return result;
}

Points Sphere::do_normal_bases(const PointsRef& y) const {
  Points result(y.rows(), y.cols());
  for (Index j = 0; j < y.cols(); ++j) {
    double* column = result.col(j).data();
    for (Index i = 0; i < y.rows(); ++i) column[i] = y(i, j) - centre_(i);
    const double norm = detail::safe_norm(column, y.rows());
    for (Index i = 0; i < y.rows(); ++i) column[i] /= norm;
  }
  return result;
}

Points Sphere::do_normal_component(const PointsRef& y, const PointsRef& v) const {
  Points result = normal_bases(y);
  for (Index j = 0; j < y.cols(); ++j) {
    double along = 0;
    for (Index i = 0; i < y.rows(); ++i) along += result(i, j) * v(i, j);
    for (Index i = 0; i < y.rows(); ++i) result(i, j) *= along;
  }
  return result;
}

Points Sphere::do_random_points(Index n, Stream stream) const {
  Points result = stream.normal(ambient_dimension(), n);
  for (Index j = 0; j < n; ++j) {
    double* column = result.col(j).data();
    const double norm = detail::safe_norm(column, result.rows());
    for (Index i = 0; i < result.rows(); ++i) column[i] = centre_(i) + radius_ * (column[i] / norm);
  }
  return result;
}

}  // namespace onmanifold
