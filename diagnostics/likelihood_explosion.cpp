// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/likelihood_explosion.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/summation.hpp"
#include "manifolds/affine.hpp"
#include "manifolds/finite_set.hpp"
#include "manifolds/placed_sphere.hpp"
#include "manifolds/product.hpp"
#include "manifolds/rotation_group.hpp"
#include "manifolds/sphere.hpp"
#include "manifolds/torus.hpp"

namespace onmanifold {
namespace {

constexpr Index rotation_pairs = 200000;

/// prod_{i<j} (a_i + a_j)/2 = det((tr A) I - A)/8 for the eigenvalues a of A = I + S.
double log_rotation_factor(const Eigen::Matrix3d& s) {
  const Eigen::Matrix3d a = Eigen::Matrix3d::Identity() + s;
  const Eigen::Matrix3d sums = a.trace() * Eigen::Matrix3d::Identity() - a;
  return std::log(std::abs(sums.determinant()) / 8);
}

TubeFactor rotation_tube_factor(double sigma) {
  // Normal noise: the entries of sym(E), variance sigma² on the diagonal and sigma²/2 off it.
  const Points draws = Stream(0, "tube factor of rotations").normal(6, rotation_pairs);
  const double off = sigma / std::numbers::sqrt2;
  Vector values(rotation_pairs);
  for (Index j = 0; j < rotation_pairs; ++j) {
    Eigen::Matrix3d s;
    s << sigma * draws(0, j), off * draws(3, j), off * draws(4, j),  //
        off * draws(3, j), sigma * draws(1, j), off * draws(5, j),   //
        off * draws(4, j), off * draws(5, j), sigma * draws(2, j);
    values[j] = (log_rotation_factor(s) + log_rotation_factor(-s)) / 2;
  }
  return {mean(values), standard_error(values)};
}

/// The integral of log|1 + a x| phi(x) over [from, from + length] × direction, where 1 + a from is 0: in the
/// variable t with x = from ± length t^8, which flattens the logarithm.
double singular_panel(double a, double from, double length, double direction) {
  const QuadratureRule rule = gauss_legendre(64, 0, 1);
  return tree_sum_over(rule.nodes.size(), [&](Index i) {
    const double t = rule.nodes[i];
    const double step = length * std::pow(t, 8);
    const double x = from + direction * step;
    return rule.weights[i] * 8 * length * std::pow(t, 7) * std::log(a * step) * std::exp(-x * x / 2);
  });
}

}  // namespace

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

double mean_log_one_plus_normal(double a) {
  if (a == 0) return 0;
  // phi(12) = 2e-32. Panels of length 1 at least 1 away from the zero of 1 + a x: 32 nodes leave nothing.
  constexpr double end = 12;
  const double zero = -1 / a;
  const auto regular = [&](double low, double high) {
    const auto panels = static_cast<Index>(std::ceil(high - low));
    double sum = 0;
    for (Index p = 0; p < panels; ++p) {
      const double width = (high - low) / static_cast<double>(panels);
      const QuadratureRule rule =
          gauss_legendre(32, low + static_cast<double>(p) * width, low + static_cast<double>(p + 1) * width);
      sum += tree_sum_over(rule.nodes.size(), [&](Index i) {
        const double x = rule.nodes[i];
        return rule.weights[i] * std::log(std::abs(1 + a * x)) * std::exp(-x * x / 2);
      });
    }
    return sum;
  };
  double sum = 0;
  if (zero < -end - 1) {
    sum = regular(-end, end);
  } else {
    if (zero - 1 > -end) sum += regular(-end, zero - 1);
    sum += singular_panel(a, zero, 1, -1) + singular_panel(a, zero, 1, 1) + regular(zero + 1, end);
  }
  return sum / std::sqrt(2 * std::numbers::pi);
}

std::optional<TubeFactor> mean_log_tube_factor(const Manifold& manifold, double sigma) {
  if (!(sigma > 0) || !std::isfinite(sigma)) throw InvalidInput(fmt::format("tube factor: lift {}", sigma));
  if (dynamic_cast<const Affine*>(&manifold) != nullptr || dynamic_cast<const FiniteSet*>(&manifold) != nullptr) {
    return TubeFactor{};
  }
  const auto d = static_cast<double>(manifold.dimension());
  if (const auto* sphere = dynamic_cast<const Sphere*>(&manifold)) {
    return TubeFactor{d * mean_log_one_plus_normal(sigma / sphere->radius()), 0};
  }
  if (dynamic_cast<const PlacedSphere*>(&manifold) != nullptr || dynamic_cast<const Torus*>(&manifold) != nullptr) {
    return TubeFactor{d * mean_log_one_plus_normal(sigma), 0};
  }
  if (dynamic_cast<const RotationGroup*>(&manifold) != nullptr) return rotation_tube_factor(sigma);
  if (const auto* product = dynamic_cast<const Product*>(&manifold)) {
    TubeFactor sum;
    for (const auto& factor : product->factors()) {
      const std::optional<TubeFactor> one = mean_log_tube_factor(*factor, sigma);
      if (!one) return std::nullopt;
      sum.value += one->value;
      // Equal factors share the fixed stream, so their errors add.
      sum.se += one->se;
    }
    return sum;
  }
  return std::nullopt;
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
