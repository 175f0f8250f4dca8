// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/stretched_sphere.hpp"

#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "core/math/summation.hpp"
#include "datasets/laws/sphere_partition.hpp"
#include "datasets/laws/vector3.hpp"

namespace onmanifold {

StretchedSphereLaw::StretchedSphereLaw(std::shared_ptr<const Ellipsoid> ellipsoid,
                                       std::shared_ptr<const Sampler> sampler, std::shared_ptr<const Density> density)
    : ellipsoid_(std::move(ellipsoid)), sampler_(std::move(sampler)), density_(std::move(density)) {
  if (ellipsoid_->ambient_dimension() != 3) throw InvalidInput("stretched sphere: an ellipsoid of R^3 is needed");
  const SphereRule rule = sphere_rule(200);
  Vector mass = density_->log_density(rule.points);
  for (Index i = 0; i < mass.size(); ++i) mass[i] = portable::exp(mass[i]) * rule.weights[i];
  const Vector& axes = ellipsoid_->axes();
  if (density_->entropy()) {
    entropy_ = *density_->entropy() +
               tree_sum_over(mass.size(), [&](Index i) { return mass[i] * log_area_factor(rule.points.col(i)); });
  }
  double variance = 0;
  for (Index i = 0; i < 3; ++i) {
    const double mean = tree_sum_over(mass.size(), [&](Index j) { return mass[j] * rule.points(i, j); });
    const double square =
        tree_sum_over(mass.size(), [&](Index j) { return mass[j] * rule.points(i, j) * rule.points(i, j); });
    variance += axes[i] * axes[i] * (square - mean * mean);
  }
  standard_deviation_ = std::sqrt(variance / 3);
}

double StretchedSphereLaw::log_area_factor(const Eigen::Vector3d& u) const {
  const Vector& axes = ellipsoid_->axes();
  return portable::log(axes[0] * axes[1] * axes[2]) +
         portable::log(norm3(Eigen::Vector3d(u[0] / axes[0], u[1] / axes[1], u[2] / axes[2])));
}

Points StretchedSphereLaw::sample(Index n, Stream stream) const {
  Points result = sampler_->sample(n, stream);
  for (Index j = 0; j < n; ++j) {
    for (Index i = 0; i < 3; ++i) result(i, j) *= ellipsoid_->axes()[i];
  }
  return result;
}

Vector StretchedSphereLaw::log_density(const PointsRef& points) const {
  check_dimension(points, 3, "points");
  Points u(3, points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    Eigen::Vector3d direction;
    for (Index i = 0; i < 3; ++i) direction[i] = points(i, j) / ellipsoid_->axes()[i];
    set_column(u, j, direction / norm3(direction));
  }
  Vector result = density_->log_density(u);
  for (Index j = 0; j < points.cols(); ++j) result[j] -= log_area_factor(u.col(j));
  return result;
}

Eigen::VectorXi StretchedSpherePartition::assign(const PointsRef& points) const {
  const Projection projection = ellipsoid_->project(points);
  Points u(3, points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    for (Index i = 0; i < 3; ++i) {
      u(i, j) = (projection.converged(j) ? projection.points(i, j) : points(i, j)) / ellipsoid_->axes()[i];
    }
  }
  return cells_->assign(u);
}

std::string StretchedSpherePartition::description() const {
  return cells_->description() + " of the nearest point, on the unit sphere before stretching";
}

}  // namespace onmanifold
