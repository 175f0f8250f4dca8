// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/likelihood_explosion.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

LikelihoodExplosion likelihood_explosion(const VectorRef& log_thickness, const VectorRef& log_likelihood,
                                         Index dimension, Index ambient_dimension, double margin, double level) {
  if (dimension < 0 || dimension >= ambient_dimension || !(margin > 0)) {
    throw InvalidInput(
        fmt::format("likelihood explosion: dimension {} in {}, margin {}", dimension, ambient_dimension, margin));
  }
  LikelihoodExplosion result;
  result.line = fit_line(log_thickness, log_likelihood, level);
  result.expected = static_cast<double>(dimension - ambient_dimension);
  result.reproduced = result.line.slope_interval.low >= result.expected - margin &&
                      result.line.slope_interval.high <= result.expected + margin;
  return result;
}

std::vector<Index> thinner_half(const VectorRef& log_thickness) {
  std::vector<Index> thin;
  std::vector<Index> all;
  if (log_thickness.size() == 0) return all;
  const double middle = (log_thickness[0] + log_thickness.minCoeff()) / 2;
  for (Index i = 0; i < log_thickness.size(); ++i) {
    all.push_back(i);
    if (log_thickness[i] < middle) thin.push_back(i);
  }
  return thin.size() < 5 ? all : thin;
}

double lifted_nll_floor(double entropy, Index codimension, double sigma, double mean_log_factor) {
  if (!(sigma > 0) || codimension < 1) {
    throw InvalidInput(fmt::format("floor: lift {} in {} normal directions", sigma, codimension));
  }
  return entropy +
         static_cast<double>(codimension) / 2 * std::log(2 * std::numbers::pi * std::numbers::e * sigma * sigma) +
         mean_log_factor;
}

Points points_off_manifold(const Manifold& manifold, const PointsRef& x, double r, Stream stream) {
  if (!(r > 0) || manifold.codimension() == 0) {
    throw InvalidInput(fmt::format("points off the manifold: distance {}, {} normals", r, manifold.codimension()));
  }
  const Projection foot = manifold.project(x);
  Points coordinates = stream.normal(manifold.codimension(), x.cols());
  coordinates.colwise().normalize();
  Points result(x.rows(), x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    // Only points on M have normals.
    if (foot.converged[j]) {
      result.col(j) = foot.points.col(j) + r * manifold.from_normal_coordinates(foot.points.col(j), coordinates.col(j));
    } else {
      result.col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
    }
  }
  return result;
}

}  // namespace onmanifold
