// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/matrix_fisher.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/scaled_bessel.hpp"
#include "core/math/summation.hpp"
#include "datasets/laws/first_column_partition.hpp"
#include "manifolds/fisher_moments.hpp"
#include "manifolds/rotation_group.hpp"

namespace onmanifold {
namespace {

using Eigen::Matrix3d;

double inner(const Matrix3d& a, const Matrix3d& b) {
  double sum = 0;
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) sum += a(i, j) * b(i, j);
  }
  return sum;
}

/// The density of the first column u on S²: the second one runs over a circle, on which the exponent is a
/// cosine.
class ColumnDensity final : public Density {
 public:
  ColumnDensity(const std::vector<FisherMixture::Mode>& modes, const std::vector<double>& log_normalisers)
      : modes_(modes), log_normalisers_(log_normalisers) {}
  [[nodiscard]] Vector log_density(const PointsRef& points) const override {
    Vector result(points.cols());
    for (Index j = 0; j < points.cols(); ++j) {
      const std::array<double, 3> u = {points(0, j), points(1, j), points(2, j)};
      double sum = 0;
      for (std::size_t m = 0; m < modes_.size(); ++m) {
        const Matrix3d& f = modes_[m].parameter;
        double along = 0;   // f1·u
        double second = 0;  // f2·u
        for (std::size_t i = 0; i < 3; ++i) {
          along += f(static_cast<Index>(i), 0) * u[i];
          second += f(static_cast<Index>(i), 1) * u[i];
        }
        double square = 0;  // |f2 - (f2·u) u + f3 × u|²
        for (std::size_t i = 0; i < 3; ++i) {
          const std::size_t a = (i + 1) % 3;
          const std::size_t b = (i + 2) % 3;
          const double part = f(static_cast<Index>(i), 1) - second * u[i] + f(static_cast<Index>(a), 2) * u[b] -
                              f(static_cast<Index>(b), 2) * u[a];
          square += part * part;
        }
        const double amplitude = std::sqrt(square);
        sum += modes_[m].weight * portable::exp(along + amplitude - log_normalisers_[m]) * scaled_bessel_i0(amplitude);
      }
      result[j] = portable::log(sum / (4 * M_PI));
    }
    return result;
  }

 private:
  const std::vector<FisherMixture::Mode>& modes_;
  const std::vector<double>& log_normalisers_;
};

class DiffusedFisher final : public DiffusedScore {
 public:
  DiffusedFisher(const FisherMixture& mixture, double isotropic) : isotropic_(isotropic) {
    for (const FisherMixture::Mode& mode : mixture.modes()) {
      parameters_.push_back(mode.parameter);
      constants_.push_back(std::log(mode.weight) - fisher_moments(mode.parameter).log_normaliser);
    }
  }

  [[nodiscard]] Index dimension() const override { return 9; }

 private:
  void do_evaluate(const PointsRef& points, double a, double sigma, Points* score, Vector* log_density) const override {
    const double variance = sigma * sigma + a * a * isotropic_ * isotropic_;
    std::vector<double> exponents(parameters_.size());
    std::vector<Matrix3d> means(parameters_.size());
    for (Index j = 0; j < points.cols(); ++j) {
      const Matrix3d x = rotation_matrix(points.col(j));
      if (!x.allFinite()) {
        if (score != nullptr) score->col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
        if (log_density != nullptr) (*log_density)[j] = std::numeric_limits<double>::quiet_NaN();
        continue;
      }
      double largest = -std::numeric_limits<double>::infinity();
      for (std::size_t m = 0; m < parameters_.size(); ++m) {
        const Matrix3d g = parameters_[m] + (a / variance) * x;
        const FisherMoments moments = fisher_moments(g);
        exponents[m] = constants_[m] + moments.log_normaliser;
        means[m] = moments.mean;
        largest = std::max(largest, exponents[m]);
      }
      double total = 0;
      Matrix3d mean = Matrix3d::Zero();
      for (std::size_t m = 0; m < parameters_.size(); ++m) {
        const double share = std::exp(exponents[m] - largest);
        total += share;
        mean += share * means[m];
      }
      mean /= total;
      if (score != nullptr) set_rotation(*score, j, (a * mean - x) / variance);
      if (log_density != nullptr) {
        (*log_density)[j] = largest + std::log(total) - 4.5 * std::log(2 * M_PI * variance) -
                            (inner(x, x) + 3 * a * a) / (2 * variance);
      }
    }
  }

  std::vector<Matrix3d> parameters_;
  std::vector<double> constants_;
  double isotropic_;
};

}  // namespace

FisherMixture::FisherMixture(std::vector<Mode> modes) : modes_(std::move(modes)) {
  double total = 0;
  for (const Mode& mode : modes_) {
    if (!mode.parameter.allFinite() || !(mode.weight > 0)) {
      throw InvalidInput(fmt::format("matrix Fisher mode with weight {}", mode.weight));
    }
    total += mode.weight;
    log_normalisers_.push_back(portable_fisher_moments(mode.parameter).log_normaliser);
  }
  if (!(std::abs(total - 1) <= 1e-12)) {
    throw InvalidInput(fmt::format("matrix Fisher weights sum to {}", total));
  }
  // Euler angles about z, y, z: the product rule is exact for polynomials of degree 95 in the entries of R.
  constexpr Index bands = 48;
  const QuadratureRule z = gauss_legendre(bands);
  TreeSum entropy;
  Points rotations(9, 2 * bands);
  for (Index i = 0; i < bands; ++i) {
    const double tilt = portable::acos(z.nodes[i]);
    for (Index j = 0; j < 2 * bands; ++j) {
      const double turn = M_PI * static_cast<double>(j) / static_cast<double>(bands);
      const Matrix3d frame = rotation_exp({0, 0, turn}) * rotation_exp({0, tilt, 0});
      for (Index k = 0; k < 2 * bands; ++k) {
        const double angle = M_PI * static_cast<double>(k) / static_cast<double>(bands);
        set_rotation(rotations, k, frame * rotation_exp({0, 0, angle}));
      }
      const Vector log_p = log_density_haar(rotations);
      const double weight = z.weights[i] / 2 / static_cast<double>(4 * bands * bands);
      for (Index k = 0; k < 2 * bands; ++k) entropy.add(-weight * portable::exp(log_p[k]) * log_p[k]);
    }
  }
  entropy_ = entropy.sum() + log_volume_of_rotations();
}

Points FisherMixture::sample(Index n, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("sample: n = {} is negative", n));
  struct Envelope {
    SignedSvd svd;
    std::array<double, 4> decay;      // of exp(-sum decay_i q_i²)
    std::array<double, 4> deviation;  // of the Gaussian behind the envelope
    double b;
  };
  std::vector<Envelope> envelopes;
  for (const Mode& mode : modes_) {
    Envelope e{SignedSvd(mode.parameter), {}, {}, 0};
    const auto& s = e.svd.s;
    e.decay = {0, 2 * (s[1] + s[2]), 2 * (s[0] + s[2]), 2 * (s[0] + s[1])};
    // b solves sum 1/(b + 2 decay_i) = 1; it lies in (0, 4], and the sum falls with b.
    double low = 0;
    double high = 4;
    for (int i = 0; i < 100; ++i) {
      const double middle = 0.5 * (low + high);
      double sum = 0;
      for (const double d : e.decay) sum += 1 / (middle + 2 * d);
      (sum > 1 ? low : high) = middle;
    }
    e.b = high;
    for (std::size_t i = 0; i < 4; ++i) e.deviation[i] = 1 / std::sqrt(1 + 2 * e.decay[i] / e.b);
    envelopes.push_back(e);
  }
  Points result(9, n);
  for (Index j = 0; j < n; ++j) {
    Stream draws = stream.at(static_cast<std::uint64_t>(j));
    std::size_t m = 0;
    double rest = draws.uniform() - modes_[0].weight;
    while (rest >= 0 && m + 1 < modes_.size()) rest -= modes_[++m].weight;
    const Envelope& e = envelopes[m];
    Eigen::Vector4d q;
    for (;;) {
      const Points z = draws.normal(4, 1);
      double square = 0;
      for (Index i = 0; i < 4; ++i) {
        q[i] = e.deviation[static_cast<std::size_t>(i)] * z(i, 0);
        square += q[i] * q[i];
      }
      double exponent = 0;
      double envelope = 0;
      for (Index i = 0; i < 4; ++i) {
        const double share = q[i] * q[i] / square;
        exponent += e.decay[static_cast<std::size_t>(i)] * share;
        envelope += share / (e.deviation[static_cast<std::size_t>(i)] * e.deviation[static_cast<std::size_t>(i)]);
      }
      const double log_ratio = -exponent + 2 * portable::log(envelope) + (4 - e.b) / 2 - 2 * portable::log(4 / e.b);
      if (portable::log(draws.uniform()) <= log_ratio) break;
    }
    set_rotation(result, j, e.svd.u * rotation_from_quaternion(q) * e.svd.v.transpose());
  }
  return result;
}

Vector FisherMixture::log_density_haar(const PointsRef& points) const {
  check_dimension(points, 9, "points");
  Vector result(points.cols());
  std::vector<double> exponents(modes_.size());
  for (Index j = 0; j < points.cols(); ++j) {
    const Matrix3d r = rotation_matrix(points.col(j));
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t m = 0; m < modes_.size(); ++m) {
      exponents[m] = portable::log(modes_[m].weight) + inner(modes_[m].parameter, r) - log_normalisers_[m];
      largest = std::max(largest, exponents[m]);
    }
    double sum = 0;
    for (const double exponent : exponents) sum += portable::exp(exponent - largest);
    result[j] = largest + portable::log(sum);
  }
  return result;
}

Vector FisherMixture::log_density(const PointsRef& points) const {
  return log_density_haar(points).array() - log_volume_of_rotations();
}

double FisherMixture::entropy_haar() const {
  return entropy_ - log_volume_of_rotations();
}

double FisherMixture::entropy_of_rotation_vectors() const {
  return entropy_ - log_volume_ratio_of_rotations();
}

Vector FisherMixture::first_column_masses(const SpherePartition& partition) const {
  const Index nodes = partition.bands() >= 12 && partition.sectors() >= 24 ? 24 : 96;
  return integrate_on_sphere(ColumnDensity(modes_, log_normalisers_), partition, nodes).masses;
}

double FisherMixture::standard_deviation() const {
  Matrix3d mean = Matrix3d::Zero();
  for (const Mode& mode : modes_) mean += mode.weight * portable_fisher_moments(mode.parameter).mean;
  return std::sqrt((3 - inner(mean, mean)) / 9);
}

std::shared_ptr<const DiffusedScore> make_diffused_fisher_mixture(const FisherMixture& mixture, const Lift& lift) {
  if (lift.type == LiftType::none || lift.sigma == 0) return std::make_shared<DiffusedFisher>(mixture, 0.0);
  if (lift.type == LiftType::isotropic) return std::make_shared<DiffusedFisher>(mixture, lift.sigma);
  return nullptr;
}

}  // namespace onmanifold
