// SPDX-License-Identifier: Apache-2.0
#include "manifolds/geodesics.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

Points Geodesics::exp(const PointsRef& y, const PointsRef& v) const {
  check_dimension(y, manifold_.ambient_dimension(), "points");
  check_dimension(v, manifold_.ambient_dimension(), "velocities");
  if (y.cols() != v.cols()) throw InvalidInput(fmt::format("exp: {} points, {} velocities", y.cols(), v.cols()));
  return do_exp(y, v);
}

Points Geodesics::log(const PointsRef& y, const PointsRef& z) const {
  check_dimension(y, manifold_.ambient_dimension(), "points");
  check_dimension(z, manifold_.ambient_dimension(), "points");
  if (y.cols() != z.cols()) throw InvalidInput(fmt::format("log: {} points, {} points", y.cols(), z.cols()));
  return do_log(y, z);
}

Points Geodesics::mean_curvature(const PointsRef& y) const {
  check_dimension(y, manifold_.ambient_dimension(), "points");
  return do_mean_curvature(y);
}

Points Geodesics::uniform_from_normals(const PointsRef& z) const {
  check_dimension(z, manifold_.ambient_dimension(), "normals");
  return do_uniform_from_normals(z);
}

Points Geodesics::do_uniform_from_normals(const PointsRef& z) const {
  return manifold_.project(z).points;
}

}  // namespace onmanifold
