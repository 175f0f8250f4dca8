// SPDX-License-Identifier: Apache-2.0
#include "manifolds/torus.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "manifolds/geodesics.hpp"
#include "manifolds/heat_kernel.hpp"
#include "manifolds/normal_lift.hpp"
#include "manifolds/uniform_posterior.hpp"

namespace onmanifold {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Offset of a point from the core circle: its length and direction.
struct TubeOffset {
  Eigen::Vector3d core;
  Eigen::Vector3d direction;
  double length;
  bool unique;
};

TubeOffset tube_offset(const PointsRef& x, Index j, double major) {
  TubeOffset result{};
  const double radius = std::hypot(x(0, j), x(1, j));
  // On the axis every point of a circle is as near; any of them gives the right distance.
  const double cosine = radius > 0 ? x(0, j) / radius : 1;
  const double sine = radius > 0 ? x(1, j) / radius : 0;
  result.core = {major * cosine, major * sine, 0};
  const double outward = radius - major;
  result.length = std::hypot(outward, x(2, j));
  result.unique = radius > 0 && result.length > 0 && std::isfinite(result.length);
  result.direction = {outward / result.length * cosine, outward / result.length * sine, x(2, j) / result.length};
  return result;
}

class TorusGeodesics final : public Geodesics {
 public:
  explicit TorusGeodesics(const Torus& torus) : Geodesics(torus) {}
  [[nodiscard]] double log_volume() const override {
    return static_cast<double>(manifold().dimension()) * std::log(2 * std::numbers::pi);
  }

 private:
  [[nodiscard]] Points do_exp(const PointsRef& y, const PointsRef& v) const override {
    Points result(y.rows(), y.cols());
    for (Index j = 0; j < y.cols(); ++j) {
      for (Index i = 0; i < y.rows(); i += 2) {
        const double angle = y(i, j) * v(i + 1, j) - y(i + 1, j) * v(i, j);
        const double c = std::cos(angle);
        const double s = std::sin(angle);
        result(i, j) = c * y(i, j) - s * y(i + 1, j);
        result(i + 1, j) = s * y(i, j) + c * y(i + 1, j);
      }
    }
    return result;
  }
  [[nodiscard]] Points do_log(const PointsRef& y, const PointsRef& z) const override {
    Points result(y.rows(), y.cols());
    for (Index j = 0; j < y.cols(); ++j) {
      for (Index i = 0; i < y.rows(); i += 2) {
        const double angle =
            std::atan2(y(i, j) * z(i + 1, j) - y(i + 1, j) * z(i, j), y(i, j) * z(i, j) + y(i + 1, j) * z(i + 1, j));
        result(i, j) = -angle * y(i + 1, j);
        result(i + 1, j) = angle * y(i, j);
      }
    }
    return result;
  }
  [[nodiscard]] Points do_mean_curvature(const PointsRef& y) const override { return -y; }
};

class TorusPosterior final : public UniformPosterior {
 public:
  explicit TorusPosterior(Index ambient) : ambient_(ambient) {}
  [[nodiscard]] Index dimension() const override { return ambient_; }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double sigma) const override {
    Points result = x;
    const double factor = a / (sigma * sigma);
    for (Index j = 0; j < x.cols(); ++j) {
      for (Index i = 0; i < ambient_; i += 2) {
        const double length = std::hypot(x(i, j), x(i + 1, j));
        const double pull = length > 0 ? mean_resultant_length(2, factor * length) / length : 0;
        result(i, j) *= pull;
        result(i + 1, j) *= pull;
      }
    }
    return result;
  }
  Index ambient_;
};

}  // namespace

Torus::Torus(Index dimension) : dimension_(dimension) {
  if (dimension < 1) throw InvalidInput(fmt::format("torus: dim = {} must be at least 1", dimension));
}

std::string Torus::do_spec() const {
  return fmt::format("torus:dim={}", dimension_);
}

Projection Torus::do_project(const PointsRef& x) const {
  Projection result{x, Vector(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  Vector point(x.rows());
  for (Index j = 0; j < x.cols(); ++j) {
    bool unique = true;
    double square = 0;
    for (Index i = 0; i < dimension_; ++i) {
      const double length = std::hypot(x(2 * i, j), x(2 * i + 1, j));
      unique = unique && length > 0 && std::isfinite(length);
      point(2 * i) = x(2 * i, j) / length;
      point(2 * i + 1) = x(2 * i + 1, j) / length;
      square += (length - 1) * (length - 1);
    }
    result.converged(j) = unique;
    result.distance(j) = unique ? std::sqrt(square) : nan;
    if (unique) result.points.col(j) = point;
  }
  return result;
}

Points Torus::do_residual(const PointsRef& x) const {
  Points result(dimension_, x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    for (Index i = 0; i < dimension_; ++i) result(i, j) = std::hypot(x(2 * i, j), x(2 * i + 1, j)) - 1;
  }
  return result;
}

Points Torus::do_normal_bases(const PointsRef& y) const {
  Points result = Points::Zero(y.rows(), dimension_ * y.cols());
  for (Index j = 0; j < y.cols(); ++j) {
    for (Index i = 0; i < dimension_; ++i) {
      const double length = std::hypot(y(2 * i, j), y(2 * i + 1, j));
      result(2 * i, dimension_ * j + i) = y(2 * i, j) / length;
      result(2 * i + 1, dimension_ * j + i) = y(2 * i + 1, j) / length;
    }
  }
  return result;
}

Points Torus::do_tangent_bases(const PointsRef& y) const {
  Points result = Points::Zero(y.rows(), dimension_ * y.cols());
  for (Index j = 0; j < y.cols(); ++j) {
    for (Index i = 0; i < dimension_; ++i) {
      const double length = std::hypot(y(2 * i, j), y(2 * i + 1, j));
      result(2 * i, dimension_ * j + i) = -y(2 * i + 1, j) / length;
      result(2 * i + 1, dimension_ * j + i) = y(2 * i, j) / length;
    }
  }
  return result;
}

Points Torus::do_normal_component(const PointsRef& y, const PointsRef& v) const {
  Points result(y.rows(), y.cols());
  for (Index j = 0; j < y.cols(); ++j) {
    for (Index i = 0; i < dimension_; ++i) {
      const double length = std::hypot(y(2 * i, j), y(2 * i + 1, j));
      const double cosine = y(2 * i, j) / length;
      const double sine = y(2 * i + 1, j) / length;
      const double along = cosine * v(2 * i, j) + sine * v(2 * i + 1, j);
      result(2 * i, j) = along * cosine;
      result(2 * i + 1, j) = along * sine;
    }
  }
  return result;
}

Points Torus::do_random_points(Index n, Stream stream) const {
  const Points turns = stream.uniform(dimension_, n);
  Points result(2 * dimension_, n);
  for (Index j = 0; j < n; ++j) {
    for (Index i = 0; i < dimension_; ++i) {
      const double angle = 2 * M_PI * turns(i, j);
      result(2 * i, j) = portable::cos(angle);
      result(2 * i + 1, j) = portable::sin(angle);
    }
  }
  return result;
}

Donut::Donut(double major, double minor) : major_(major), minor_(minor) {
  if (!(minor > 0) || !(minor < major) || !std::isfinite(major)) {
    throw InvalidInput(fmt::format("donut: major = {}, minor = {}, expected 0 < minor < major", major, minor));
  }
}

std::string Donut::do_spec() const {
  return fmt::format("donut:major={},minor={}", major_, minor_);
}

Projection Donut::do_project(const PointsRef& x) const {
  Projection result{x, Vector(x.cols()), Eigen::Array<bool, Eigen::Dynamic, 1>(x.cols())};
  for (Index j = 0; j < x.cols(); ++j) {
    const TubeOffset offset = tube_offset(x, j, major_);
    result.converged(j) = offset.unique;
    result.distance(j) = offset.unique ? std::abs(offset.length - minor_) : nan;
    for (Index i = 0; i < 3 && offset.unique; ++i) {
      result.points(i, j) = offset.core[i] + minor_ * offset.direction[i];
    }
  }
  return result;
}

Points Donut::do_residual(const PointsRef& x) const {
  Points result(1, x.cols());
  for (Index j = 0; j < x.cols(); ++j) result(0, j) = tube_offset(x, j, major_).length - minor_;
  return result;
}

Points Donut::do_normal_bases(const PointsRef& y) const {
  Points result(3, y.cols());
  for (Index j = 0; j < y.cols(); ++j) {
    const TubeOffset offset = tube_offset(y, j, major_);
    for (Index i = 0; i < 3; ++i) result(i, j) = offset.direction[i];
  }
  return result;
}

Points Donut::do_random_points(Index n, Stream stream) const {
  Points result(3, n);
  for (Index j = 0; j < n; ++j) {
    Stream point = stream.at(static_cast<std::uint64_t>(j));
    const double u = 2 * M_PI * point.uniform();
    double v = 0;
    do {
      v = 2 * M_PI * point.uniform();
    } while (point.uniform() * (major_ + minor_) > major_ + minor_ * portable::cos(v));
    const double radius = major_ + minor_ * portable::cos(v);
    result(0, j) = radius * portable::cos(u);
    result(1, j) = radius * portable::sin(u);
    result(2, j) = minor_ * portable::sin(v);
  }
  return result;
}

std::unique_ptr<Geodesics> Torus::do_geodesics() const {
  return std::make_unique<TorusGeodesics>(*this);
}

std::unique_ptr<UniformPosterior> Torus::do_uniform_posterior() const {
  return std::make_unique<TorusPosterior>(ambient_dimension());
}

std::vector<HeatFactor> Torus::do_heat_factors() const {
  std::vector<HeatFactor> circles;
  for (Index i = 0; i < dimension_; ++i) circles.push_back(circle_factor(2 * i, 1));
  return circles;
}

std::optional<TubeFactor> Torus::do_mean_log_tube_factor(double sigma) const {
  return TubeFactor{static_cast<double>(dimension_) * mean_log_one_plus_normal(sigma), 0};
}

std::optional<double> Torus::do_flip_rate(double sigma) const {
  return 1 - std::pow(1 - sphere_flip_rate(1, sigma), static_cast<double>(dimension_));
}

}  // namespace onmanifold
