// SPDX-License-Identifier: Apache-2.0
#include "manifolds/uniform_posterior.hpp"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <boost/math/tools/fraction.hpp>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/scaled_bessel.hpp"
#include "manifolds/affine.hpp"
#include "manifolds/finite_set.hpp"
#include "manifolds/fisher_moments.hpp"
#include "manifolds/product.hpp"
#include "manifolds/rotation_group.hpp"
#include "manifolds/safe_norm.hpp"
#include "manifolds/sphere.hpp"
#include "manifolds/torus.hpp"

namespace onmanifold {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// sqrt(2 pi x) exp(-x) I_order(x) by its asymptotic series. \pre x large against order^2
double asymptotic_bessel(double order, double x) {
  const double mu = 4 * order * order;
  double term = 1;
  double sum = 1;
  for (int k = 1; k <= 30; ++k) {
    const double next = term * -(mu - (2.0 * k - 1) * (2.0 * k - 1)) / (8.0 * k * x);
    if (std::abs(next) > std::abs(term)) break;
    term = next;
    sum += term;
  }
  return sum;
}

/// The denominators 2 (nu + j)/kappa of I_nu/I_{nu-1} = 1/(2 nu/kappa + 1/(2 (nu + 1)/kappa + …)).
struct BesselFraction {
  using result_type = std::pair<double, double>;
  double order;
  double kappa;
  result_type operator()() { return {1.0, 2 * (order++) / kappa}; }
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

class RotationPosterior final : public UniformPosterior {
 public:
  [[nodiscard]] Index dimension() const override { return 9; }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double sigma) const override {
    Points result(9, x.cols());
    for (Index j = 0; j < x.cols(); ++j) {
      const Eigen::Matrix3d f = a / (sigma * sigma) * rotation_matrix(x.col(j));
      if (f.allFinite()) {
        set_rotation(result, j, fisher_moments(f).mean);
      } else {
        result.col(j).setConstant(not_a_number);
      }
    }
    return result;
  }
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

class SignCubePosterior final : public UniformPosterior {
 public:
  explicit SignCubePosterior(Index dimension) : dimension_(dimension) {}
  [[nodiscard]] Index dimension() const override { return dimension_; }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double sigma) const override {
    return (a / (sigma * sigma) * x).array().tanh();
  }
  Index dimension_;
};

class AtomPosterior final : public UniformPosterior {
 public:
  explicit AtomPosterior(const FiniteSet& set) : atoms_(set.ambient_dimension(), set.atom_count()) {
    for (Index k = 0; k < atoms_.cols(); ++k) atoms_.col(k) = set.atom(k);
  }
  [[nodiscard]] Index dimension() const override { return atoms_.rows(); }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double sigma) const override {
    Points result(x.rows(), x.cols());
    const double factor = a / (sigma * sigma);
    const Vector offset = 0.5 * a * factor * atoms_.colwise().squaredNorm().transpose();
    Vector weight(atoms_.cols());
    for (Index j = 0; j < x.cols(); ++j) {
      weight.noalias() = factor * (atoms_.transpose() * x.col(j)) - offset;
      weight = (weight.array() - weight.maxCoeff()).exp();
      result.col(j).noalias() = atoms_ * weight / weight.sum();
      if (!x.col(j).allFinite()) result.col(j).setConstant(not_a_number);
    }
    return result;
  }
  Points atoms_;
};

class AffinePosterior final : public UniformPosterior {
 public:
  explicit AffinePosterior(const Affine& affine) : affine_(affine) {}
  [[nodiscard]] Index dimension() const override { return affine_.ambient_dimension(); }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double) const override {
    if (a == 0) return affine_.project(Points::Zero(x.rows(), x.cols())).points;
    Projection projection = affine_.project(x / a);
    for (Index j = 0; j < x.cols(); ++j) {
      if (!projection.converged[j]) projection.points.col(j).setConstant(not_a_number);
    }
    return std::move(projection.points);
  }
  const Affine& affine_;
};

class ProductPosterior final : public UniformPosterior {
 public:
  explicit ProductPosterior(std::vector<std::unique_ptr<UniformPosterior>> factors) : factors_(std::move(factors)) {}
  [[nodiscard]] Index dimension() const override {
    Index sum = 0;
    for (const auto& factor : factors_) sum += factor->dimension();
    return sum;
  }

 private:
  [[nodiscard]] Points do_mean(const PointsRef& x, double a, double sigma) const override {
    Points result(x.rows(), x.cols());
    Index first = 0;
    for (const auto& factor : factors_) {
      const Index rows = factor->dimension();
      result.middleRows(first, rows) = factor->mean(x.middleRows(first, rows), a, sigma);
      first += rows;
    }
    return result;
  }
  std::vector<std::unique_ptr<UniformPosterior>> factors_;
};

}  // namespace

double mean_resultant_length(Index ambient_dimension, double kappa) {
  if (ambient_dimension == 2) return scaled_bessel_i1(kappa) / scaled_bessel_i0(kappa);
  if (ambient_dimension == 3) {
    if (kappa < 0.2) {  // coth kappa - 1/kappa cancels here; the next term of its series is below 3e-15
      const double s = kappa * kappa;
      return kappa / 3 * (1 - s / 15 * (1 - s * 2 / 21 * (1 - s / 10 * (1 - s * 10 / 99 * (1 - s * 1382 / 13650)))));
    }
    return 1 / std::tanh(kappa) - 1 / kappa;
  }
  const double order = 0.5 * static_cast<double>(ambient_dimension);
  if (!(kappa > 0)) return kappa;  // 0, and NaN as it is
  if (kappa > 50 + 4 * order * order) return asymptotic_bessel(order, kappa) / asymptotic_bessel(order - 1, kappa);
  BesselFraction fraction{order, kappa};
  return boost::math::tools::continued_fraction_a(fraction, std::numeric_limits<double>::epsilon());
}

Points UniformPosterior::mean(const PointsRef& x, double a, double sigma) const {
  check_dimension(x, dimension(), "points");
  if (!(a >= 0 && std::isfinite(a) && sigma > 0 && std::isfinite(sigma))) {
    throw InvalidInput(fmt::format("uniform posterior: a = {}, sigma = {}", a, sigma));
  }
  return do_mean(x, a, sigma);
}

std::unique_ptr<UniformPosterior> make_uniform_posterior(const Manifold& manifold) {
  if (const auto* sphere = dynamic_cast<const Sphere*>(&manifold)) return std::make_unique<SpherePosterior>(*sphere);
  if (dynamic_cast<const RotationGroup*>(&manifold) != nullptr) return std::make_unique<RotationPosterior>();
  if (dynamic_cast<const Torus*>(&manifold) != nullptr) {
    return std::make_unique<TorusPosterior>(manifold.ambient_dimension());
  }
  if (dynamic_cast<const SignCube*>(&manifold) != nullptr) {
    return std::make_unique<SignCubePosterior>(manifold.ambient_dimension());
  }
  if (const auto* set = dynamic_cast<const FiniteSet*>(&manifold)) return std::make_unique<AtomPosterior>(*set);
  if (const auto* affine = dynamic_cast<const Affine*>(&manifold)) return std::make_unique<AffinePosterior>(*affine);
  if (const auto* product = dynamic_cast<const Product*>(&manifold)) {
    std::vector<std::unique_ptr<UniformPosterior>> factors;
    for (const auto& factor : product->factors()) {
      factors.push_back(make_uniform_posterior(*factor));
      if (factors.back() == nullptr) return nullptr;
    }
    return std::make_unique<ProductPosterior>(std::move(factors));
  }
  return nullptr;
}

}  // namespace onmanifold
