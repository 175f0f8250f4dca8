// SPDX-License-Identifier: Apache-2.0
#include "manifolds/sphere.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include <boost/math/special_functions/gamma.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "manifolds/geodesics.hpp"
#include "manifolds/heat_kernel.hpp"
#include "manifolds/normal_lift.hpp"
#include "manifolds/safe_norm.hpp"
#include "manifolds/uniform_posterior.hpp"

namespace onmanifold {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

constexpr double pi = std::numbers::pi;

/// sin(x)/x.
double sinc(double x) {
  return std::abs(x) < 1e-4 ? 1 - x * x / 6 : std::sin(x) / x;
}

class SphereGeodesics final : public Geodesics {
 public:
  explicit SphereGeodesics(const Sphere& sphere) : Geodesics(sphere), sphere_(sphere) {}
  [[nodiscard]] double log_volume() const override {
    const double d = static_cast<double>(sphere_.ambient_dimension());  // of the ball; the sphere has D - 1
    return std::log(2.0) + d / 2 * std::log(pi) - boost::math::lgamma(d / 2) + (d - 1) * std::log(sphere_.radius());
  }

 private:
  [[nodiscard]] Points do_exp(const PointsRef& y, const PointsRef& v) const override {
    Points result(y.rows(), y.cols());
    for (Index j = 0; j < y.cols(); ++j) {
      const double angle = v.col(j).norm() / sphere_.radius();
      result.col(j) = sphere_.centre() + std::cos(angle) * (y.col(j) - sphere_.centre()) + sinc(angle) * v.col(j);
    }
    return result;
  }
  [[nodiscard]] Points do_log(const PointsRef& y, const PointsRef& z) const override {
    Points result(y.rows(), y.cols());
    const double radius = sphere_.radius();
    Vector u(y.rows());
    Vector w(y.rows());
    for (Index j = 0; j < y.cols(); ++j) {
      u = (y.col(j) - sphere_.centre()) / radius;
      w = (z.col(j) - sphere_.centre()) / radius;
      const double cosine = u.dot(w);
      const Vector along = w - cosine * u;
      const double sine = along.norm();
      const double angle = std::atan2(sine, cosine);
      // At the antipode (sine = 0, cosine < 0) every direction is as short; rounding has chosen one or none.
      result.col(j) = sine > 0 ? Vector(radius * angle / sine * along) : Vector::Zero(y.rows());
    }
    return result;
  }
  [[nodiscard]] Points do_mean_curvature(const PointsRef& y) const override {
    const double factor = -static_cast<double>(sphere_.dimension()) / (sphere_.radius() * sphere_.radius());
    return factor * (y.colwise() - sphere_.centre());
  }
  [[nodiscard]] Points do_uniform_from_normals(const PointsRef& z) const override {
    return sphere_.project(z.colwise() + sphere_.centre()).points;
  }
  const Sphere& sphere_;
};

class SpherePosterior final : public UniformPosterior {
 public:
  explicit SpherePosterior(const Sphere& sphere) : sphere_(sphere) {}
  [[nodiscard]] Index dimension() const override { return sphere_.ambient_dimension(); }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double sigma) const override {
    Points result = x.colwise() - a * sphere_.centre();
    const double factor = a * sphere_.radius() / (sigma * sigma);
    for (Index j = 0; j < x.cols(); ++j) {
      const double length = detail::safe_norm(result.col(j).data(), x.rows());
      // At the centre every direction is as likely: the mean is the centre.
      const double pull = length > 0 ? mean_resultant_length(x.rows(), factor * length) / length : 0;
      result.col(j) = sphere_.centre() + sphere_.radius() * pull * result.col(j);
    }
    return result;
  }
  const Sphere& sphere_;
};

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

std::unique_ptr<Geodesics> Sphere::do_geodesics() const {
  return std::make_unique<SphereGeodesics>(*this);
}

std::unique_ptr<UniformPosterior> Sphere::do_uniform_posterior() const {
  return std::make_unique<SpherePosterior>(*this);
}

std::vector<HeatFactor> Sphere::do_heat_factors() const {
  return {dimension() == 1 ? circle_factor(0, radius_) : sphere_factor(dimension(), radius_)};
}

std::optional<TubeFactor> Sphere::do_mean_log_tube_factor(double sigma) const {
  return TubeFactor{static_cast<double>(dimension()) * mean_log_one_plus_normal(sigma / radius_), 0};
}

std::optional<double> Sphere::do_flip_rate(double sigma) const {
  return sphere_flip_rate(radius_, sigma);
}

}  // namespace onmanifold
