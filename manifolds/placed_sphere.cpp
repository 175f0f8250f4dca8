// SPDX-License-Identifier: Apache-2.0
#include "manifolds/placed_sphere.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "manifolds/normal_lift.hpp"
#include "manifolds/random_frame.hpp"
#include "manifolds/safe_norm.hpp"

namespace onmanifold {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Coordinates of column \p j of \p x in columns begin … end - 1 of \p frame.
void coordinates(const Points& frame, const PointsRef& x, Index j, Index begin, Index end, double* result) {
  for (Index k = begin; k < end; ++k) {
    double value = 0;
    for (Index i = 0; i < x.rows(); ++i) value += frame(i, k) * x(i, j);
    result[k - begin] = value;
  }
}

}  // namespace

PlacedSphere::PlacedSphere(Index dimension, Index ambient) : dimension_(dimension) {
  if (dimension < 1 || dimension >= ambient) {
    throw InvalidInput(fmt::format("sphere_in: dim = {} must be from 1 to ambient - 1 = {}", dimension, ambient - 1));
  }
  frame_ = random_frame(ambient);
}

std::string PlacedSphere::do_spec() const {
  return fmt::format("sphere_in:dim={},ambient={}", dimension_, ambient_dimension());
}

Points PlacedSphere::embed(const PointsRef& u) const {
  check_dimension(u, dimension_ + 1, "points of the sphere");
  Points result(ambient_dimension(), u.cols());
  for (Index j = 0; j < u.cols(); ++j) {
    for (Index i = 0; i < result.rows(); ++i) {
      double value = 0;
      for (Index k = 0; k <= dimension_; ++k) value += frame_(i, k) * u(k, j);
      result(i, j) = value;
    }
  }
  return result;
}

Points PlacedSphere::parameters(const PointsRef& x) const {
  check_dimension(x, ambient_dimension(), "parameters");
  Points result(dimension_ + 1, x.cols());
  for (Index j = 0; j < x.cols(); ++j) coordinates(frame_, x, j, 0, dimension_ + 1, &result.coeffRef(0, j));
  return result;
}

Projection PlacedSphere::do_project(const PointsRef& x) const {
  Projection result{x, Vector(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  Vector u(dimension_ + 1);
  Vector moved(x.rows());
  for (Index j = 0; j < x.cols(); ++j) {
    coordinates(frame_, x, j, 0, u.size(), u.data());
    const double length = detail::safe_norm(u.data(), u.size());
    result.converged(j) = length > 0 && std::isfinite(length);
    result.distance(j) = nan;
    if (!result.converged(j)) continue;
    for (Index i = 0; i < x.rows(); ++i) {
      double value = 0;
      for (Index k = 0; k <= dimension_; ++k) value += frame_(i, k) * (u[k] / length);
      moved[i] = x(i, j) - value;
      result.points(i, j) = value;
    }
    result.distance(j) = detail::safe_norm(moved.data(), moved.size());
  }
  return result;
}

Points PlacedSphere::do_residual(const PointsRef& x) const {
  Points result(codimension(), x.cols());
  Vector u(dimension_ + 1);
  for (Index j = 0; j < x.cols(); ++j) {
    coordinates(frame_, x, j, 0, u.size(), u.data());
    coordinates(frame_, x, j, u.size(), x.rows(), &result.coeffRef(0, j) + 1);
    result(0, j) = detail::safe_norm(u.data(), u.size()) - 1;
  }
  return result;
}

Points PlacedSphere::do_normal_bases(const PointsRef& y) const {
  const Index k = codimension();
  Points result(y.rows(), k * y.cols());
  Vector u(dimension_ + 1);
  for (Index j = 0; j < y.cols(); ++j) {
    coordinates(frame_, y, j, 0, u.size(), u.data());
    const double length = detail::safe_norm(u.data(), u.size());
    for (Index i = 0; i < y.rows(); ++i) {
      double value = 0;
      for (Index c = 0; c <= dimension_; ++c) value += frame_(i, c) * (u[c] / length);
      result(i, k * j) = value;
      for (Index c = 1; c < k; ++c) result(i, k * j + c) = frame_(i, dimension_ + c);
    }
  }
  return result;
}

Points PlacedSphere::do_random_points(Index n, Stream stream) const {
  Points u = stream.normal(dimension_ + 1, n);
  for (Index j = 0; j < n; ++j) {
    const double length = detail::safe_norm(&u.coeffRef(0, j), u.rows());
    for (Index i = 0; i < u.rows(); ++i) u(i, j) /= length;
  }
  return embed(u);
}

std::optional<TubeFactor> PlacedSphere::do_mean_log_tube_factor(double sigma) const {
  return TubeFactor{static_cast<double>(dimension_) * mean_log_one_plus_normal(sigma), 0};
}

std::optional<double> PlacedSphere::do_flip_rate(double sigma) const {
  return sphere_flip_rate(1, sigma);
}

}  // namespace onmanifold
