// SPDX-License-Identifier: Apache-2.0
#include "manifolds/geodesics.hpp"

#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include <boost/math/special_functions/gamma.hpp>
#include <fmt/format.h>

#include "core/error.hpp"
#include "manifolds/product.hpp"
#include "manifolds/rotation_group.hpp"
#include "manifolds/sphere.hpp"
#include "manifolds/torus.hpp"

namespace onmanifold {
namespace {

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

class RotationGeodesics final : public Geodesics {
 public:
  explicit RotationGeodesics(const Manifold& manifold) : Geodesics(manifold) {}
  /// 8 pi^2 in rotation vectors, whose lengths the metric of R^9 stretches by sqrt(2).
  [[nodiscard]] double log_volume() const override { return std::log(8 * pi * pi) + 1.5 * std::log(2.0); }

 private:
  [[nodiscard]] Points do_exp(const PointsRef& y, const PointsRef& v) const override {
    Points result(9, y.cols());
    for (Index j = 0; j < y.cols(); ++j) {
      const Eigen::Matrix3d r = rotation_matrix(y.col(j));
      const Eigen::Matrix3d a = r.transpose() * rotation_matrix(v.col(j));
      set_rotation(result, j,
                   r * rotation_exp(0.5 * Eigen::Vector3d(a(2, 1) - a(1, 2), a(0, 2) - a(2, 0), a(1, 0) - a(0, 1))));
    }
    return result;
  }
  [[nodiscard]] Points do_log(const PointsRef& y, const PointsRef& z) const override {
    Points result(9, y.cols());
    for (Index j = 0; j < y.cols(); ++j) {
      const Eigen::Matrix3d r = rotation_matrix(y.col(j));
      const Eigen::Vector3d w = rotation_log(r.transpose() * rotation_matrix(z.col(j)));
      Eigen::Matrix3d skew;
      skew << 0, -w[2], w[1], w[2], 0, -w[0], -w[1], w[0], 0;
      set_rotation(result, j, r * skew);
    }
    return result;
  }
  /// II(RA, RA) = R A^2, and the sum of A^2 over the three axes with |A| = 1 is -I.
  [[nodiscard]] Points do_mean_curvature(const PointsRef& y) const override { return -y; }
};

class TorusGeodesics final : public Geodesics {
 public:
  explicit TorusGeodesics(const Torus& torus) : Geodesics(torus) {}
  [[nodiscard]] double log_volume() const override {
    return static_cast<double>(manifold().dimension()) * std::log(2 * pi);
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

class ProductGeodesics final : public Geodesics {
 public:
  ProductGeodesics(const Manifold& product, std::vector<std::unique_ptr<Geodesics>> factors)
      : Geodesics(product), factors_(std::move(factors)) {}
  [[nodiscard]] double log_volume() const override {
    double sum = 0;
    for (const auto& factor : factors_) sum += factor->log_volume();
    return sum;
  }

 private:
  /// Applies \p part(factor, first row, rows) to every factor.
  template <class Part>
  [[nodiscard]] Points assemble(Index columns, const Part& part) const {
    Points result(manifold().ambient_dimension(), columns);
    Index first = 0;
    for (const auto& factor : factors_) {
      const Index rows = factor->manifold().ambient_dimension();
      result.middleRows(first, rows) = part(*factor, first, rows);
      first += rows;
    }
    return result;
  }
  [[nodiscard]] Points do_exp(const PointsRef& y, const PointsRef& v) const override {
    return assemble(y.cols(), [&](const Geodesics& factor, Index first, Index rows) {
      return factor.exp(y.middleRows(first, rows), v.middleRows(first, rows));
    });
  }
  [[nodiscard]] Points do_log(const PointsRef& y, const PointsRef& z) const override {
    return assemble(y.cols(), [&](const Geodesics& factor, Index first, Index rows) {
      return factor.log(y.middleRows(first, rows), z.middleRows(first, rows));
    });
  }
  [[nodiscard]] Points do_mean_curvature(const PointsRef& y) const override {
    return assemble(y.cols(), [&](const Geodesics& factor, Index first, Index rows) {
      return factor.mean_curvature(y.middleRows(first, rows));
    });
  }
  [[nodiscard]] Points do_uniform_from_normals(const PointsRef& z) const override {
    return assemble(z.cols(), [&](const Geodesics& factor, Index first, Index rows) {
      return factor.uniform_from_normals(z.middleRows(first, rows));
    });
  }
  std::vector<std::unique_ptr<Geodesics>> factors_;
};

}  // namespace

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

std::unique_ptr<Geodesics> make_geodesics(const Manifold& manifold) {
  if (const auto* sphere = dynamic_cast<const Sphere*>(&manifold)) return std::make_unique<SphereGeodesics>(*sphere);
  if (dynamic_cast<const RotationGroup*>(&manifold) != nullptr) return std::make_unique<RotationGeodesics>(manifold);
  if (const auto* torus = dynamic_cast<const Torus*>(&manifold)) return std::make_unique<TorusGeodesics>(*torus);
  if (const auto* product = dynamic_cast<const Product*>(&manifold)) {
    std::vector<std::unique_ptr<Geodesics>> factors;
    for (const auto& factor : product->factors()) {
      factors.push_back(make_geodesics(*factor));
      if (factors.back() == nullptr) return nullptr;
    }
    return std::make_unique<ProductGeodesics>(manifold, std::move(factors));
  }
  return nullptr;
}

}  // namespace onmanifold
