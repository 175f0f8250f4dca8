// SPDX-License-Identifier: Apache-2.0
#include "manifolds/manifold.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/decompositions.hpp"
#include "manifolds/geodesics.hpp"
#include "manifolds/heat_kernel.hpp"
#include "manifolds/normal_lift.hpp"
#include "manifolds/uniform_posterior.hpp"

namespace onmanifold {
namespace {

void check_pair(const PointsRef& y, const PointsRef& v, Index dimension) {
  check_dimension(y, dimension, "base points");
  check_dimension(v, dimension, "vectors");
  if (y.cols() != v.cols()) {
    throw InvalidInput(fmt::format("{} base points for {} vectors", y.cols(), v.cols()));
  }
}

}  // namespace

Projection Manifold::project(const PointsRef& x) const {
  check_dimension(x, ambient_dimension(), "project");
  return do_project(x);
}

Points Manifold::residual(const PointsRef& x) const {
  check_dimension(x, ambient_dimension(), "residual");
  return do_residual(x);
}

Points Manifold::normal_bases(const PointsRef& y) const {
  check_dimension(y, ambient_dimension(), "normal_bases");
  return do_normal_bases(y);
}

Points Manifold::tangent_bases(const PointsRef& y) const {
  check_dimension(y, ambient_dimension(), "tangent_bases");
  return do_tangent_bases(y);
}

Points Manifold::from_normal_coordinates(const PointsRef& y, const PointsRef& coordinates) const {
  check_dimension(y, ambient_dimension(), "base points");
  check_dimension(coordinates, codimension(), "normal coordinates");
  if (y.cols() != coordinates.cols()) {
    throw InvalidInput(
        fmt::format("{} base points for {} columns of normal coordinates", y.cols(), coordinates.cols()));
  }
  return do_from_normal_coordinates(y, coordinates);
}

Points Manifold::normal_component(const PointsRef& y, const PointsRef& v) const {
  check_pair(y, v, ambient_dimension());
  return do_normal_component(y, v);
}

Points Manifold::tangent_component(const PointsRef& y, const PointsRef& v) const {
  return v - normal_component(y, v);
}

Points Manifold::random_points(Index n, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("random_points: n = {} is negative", n));
  return do_random_points(n, stream);
}

std::unique_ptr<Geodesics> Manifold::geodesics() const {
  return do_geodesics();
}

std::unique_ptr<UniformPosterior> Manifold::uniform_posterior() const {
  return do_uniform_posterior();
}

std::vector<HeatFactor> Manifold::heat_factors() const {
  return do_heat_factors();
}

std::optional<TubeFactor> Manifold::mean_log_tube_factor(double sigma) const {
  if (!(sigma > 0) || !std::isfinite(sigma)) throw InvalidInput(fmt::format("tube factor: lift {}", sigma));
  return do_mean_log_tube_factor(sigma);
}

std::optional<double> Manifold::flip_rate(double sigma) const {
  return do_flip_rate(sigma);
}

std::optional<double> Manifold::great_circle_radius() const {
  return do_great_circle_radius();
}

const ChainView* Manifold::chain_view() const {
  return do_chain_view();
}

Points Manifold::do_tangent_bases(const PointsRef& y) const {
  const Index k = codimension();
  const Index d = dimension();
  const Points normals = normal_bases(y);
  Points result(ambient_dimension(), d * y.cols());
  for (Index j = 0; j < y.cols(); ++j) {
    result.middleCols(d * j, d) = full_qr(normals.middleCols(k * j, k)).q.rightCols(d);
  }
  return result;
}

Points Manifold::do_from_normal_coordinates(const PointsRef& y, const PointsRef& coordinates) const {
  constexpr Index block = 1024;  // points whose bases are held at once
  const Index k = codimension();
  Points result = Points::Zero(y.rows(), y.cols());
  for (Index begin = 0; begin < y.cols(); begin += block) {
    const Index count = std::min(block, y.cols() - begin);
    const Points normals = normal_bases(y.middleCols(begin, count));
    for (Index j = 0; j < count; ++j) {
      for (Index i = 0; i < k; ++i) result.col(begin + j) += coordinates(i, begin + j) * normals.col(k * j + i);
    }
  }
  return result;
}

Points Manifold::do_normal_component(const PointsRef& y, const PointsRef& v) const {
  const Index k = codimension();
  const Points normals = normal_bases(y);
  Points result(v.rows(), v.cols());
  for (Index j = 0; j < v.cols(); ++j) {
    const auto basis = normals.middleCols(k * j, k);
    result.col(j).noalias() = basis * (basis.transpose() * v.col(j)).eval();
  }
  return result;
}

std::unique_ptr<Geodesics> Manifold::do_geodesics() const {
  return nullptr;
}

std::unique_ptr<UniformPosterior> Manifold::do_uniform_posterior() const {
  return nullptr;
}

std::vector<HeatFactor> Manifold::do_heat_factors() const {
  return {};
}

std::optional<TubeFactor> Manifold::do_mean_log_tube_factor(double /*sigma*/) const {
  return std::nullopt;
}

std::optional<double> Manifold::do_flip_rate(double /*sigma*/) const {
  return std::nullopt;
}

std::optional<double> Manifold::do_great_circle_radius() const {
  return std::nullopt;
}

const ChainView* Manifold::do_chain_view() const {
  return nullptr;
}

}  // namespace onmanifold
