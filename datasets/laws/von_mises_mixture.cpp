// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/von_mises_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/scaled_bessel.hpp"
#include "core/math/summation.hpp"
#include "datasets/laws/radial_panels.hpp"

namespace onmanifold {
namespace {

/// log(2 pi I_0(kappa)).
double log_normaliser(double kappa) {
  return portable::log(2 * M_PI) + kappa + portable::log(scaled_bessel_i0(kappa));
}

/// I_1/I_0: length of the mean of a von Mises law.
double mean_length(double kappa) {
  return scaled_bessel_i1(kappa) / scaled_bessel_i0(kappa);
}

/// An angle of the von Mises law around 0.
double draw_von_mises(double kappa, Stream& stream) {
  if (kappa < 1e-8) return M_PI * (2 * stream.uniform() - 1);
  // rho = (tau - sqrt(2 tau))/(2 kappa), without the difference of near numbers at small kappa.
  const double tau = 1 + std::sqrt(1 + 4 * kappa * kappa);
  const double rho = 2 * kappa / (tau + std::sqrt(2 * tau));
  const double r = (1 + rho * rho) / (2 * rho);
  for (;;) {
    const double z = portable::cos(M_PI * stream.uniform());
    const double f = (1 + r * z) / (r + z);
    const double c = kappa * (r - f);
    const double u = stream.uniform();
    if (c * (2 - c) <= u && portable::log(c / u) + 1 - c < 0) continue;
    const double angle = portable::acos(std::clamp(f, -1.0, 1.0));
    return stream.uniform() < 0.5 ? -angle : angle;
  }
}

class DiffusedVonMises final : public DiffusedScore {
 public:
  DiffusedVonMises(const VonMisesMixture& mixture, double isotropic)
      : modes_(mixture.modes()), angles_(mixture.angles()), isotropic_(isotropic) {
    for (const VonMisesMixture::Mode& mode : modes_) {
      double constant = std::log(mode.weight);
      for (const double kappa : mode.kappas) constant -= kappa + std::log(scaled_bessel_i0(kappa));
      constants_.push_back(constant);
    }
  }

  [[nodiscard]] Index dimension() const override { return 2 * angles_; }

 private:
  void do_evaluate(const PointsRef& points, double a, double sigma, Points* score, Vector* log_density) const override {
    const double variance = sigma * sigma + a * a * isotropic_ * isotropic_;
    const std::size_t count = modes_.size();
    std::vector<double> exponents(count);
    std::vector<Vector> means(count, Vector(2 * angles_));
    Vector mean(2 * angles_);
    for (Index j = 0; j < points.cols(); ++j) {
      double largest = -std::numeric_limits<double>::infinity();
      // log I_0(|v|) - (|x_i|² + a²)/2 variance, pair by pair: |v| - a|x_i|/variance without a difference of
      // large numbers.
      for (std::size_t m = 0; m < count; ++m) {
        exponents[m] = constants_[m];
        for (Index i = 0; i < angles_; ++i) {
          const auto k = static_cast<std::size_t>(i);
          const double x0 = points(2 * i, j);
          const double x1 = points(2 * i + 1, j);
          const double kappa = modes_[m].kappas[k];
          const double k0 = kappa * std::cos(modes_[m].means[k]);
          const double k1 = kappa * std::sin(modes_[m].means[k]);
          const double gain = a / variance;
          const double radius = std::hypot(x0, x1);
          const double length = std::hypot(k0 + gain * x0, k1 + gain * x1);
          const double tail = kappa * kappa + 2 * gain * (k0 * x0 + k1 * x1);
          const double sum = length + gain * radius;
          exponents[m] += (sum > 0 ? tail / sum : 0) - (radius - a) * (radius - a) / (2 * variance) +
                          std::log(scaled_bessel_i0(length));
          const double pull = length > 0 ? mean_length(length) / length : 0.5;
          means[m][2 * i] = pull * (k0 + gain * x0);
          means[m][2 * i + 1] = pull * (k1 + gain * x1);
        }
        largest = std::max(largest, exponents[m]);
      }
      double total = 0;
      mean.setZero();
      for (std::size_t m = 0; m < count; ++m) {
        const double share = std::exp(exponents[m] - largest);
        total += share;
        mean += share * means[m];
      }
      if (score != nullptr) score->col(j) = (a / total * mean - points.col(j)) / variance;
      if (log_density != nullptr) {
        (*log_density)[j] = largest + std::log(total) - static_cast<double>(angles_) * std::log(2 * M_PI * variance);
      }
    }
  }

  std::vector<VonMisesMixture::Mode> modes_;
  Index angles_;
  double isotropic_;
  std::vector<double> constants_;
};

/// Lifted along the normals: the radius r_i of every circle is N(1, lift²), and may be negative. The pairs
/// are independent given the mode, and the angle of one integrates to a Bessel function, so that one integral
/// over r is left for each mode and pair:
///   F_mi(x_i) = ∫ N(r; 1, lift²) exp(-(|x_i|² + a² r²)/2σ²)/(2πσ²) I_0(|v|)/I_0(κ) dr,
///   v = κ μ + a r x_i/σ²; E[r y | x_i, m] weighs r I_1(|v|)/I_0(|v|) v/|v| by the integrand.
class LiftedVonMises final : public DiffusedScore {
 public:
  LiftedVonMises(const VonMisesMixture& mixture, double lift)
      : modes_(mixture.modes()), angles_(mixture.angles()), lift_(lift), rule_(gauss_legendre(radial_nodes)) {}

  [[nodiscard]] Index dimension() const override { return 2 * angles_; }

 private:
  static_assert(radial_nodes == bessel_lane);
  static constexpr double negligible = 40.0;  // nats below the largest exponent found so far

  /// log F_mi without its constants, and E[r y | x_i, m].
  struct Factor {
    double log_density;
    Eigen::Vector2d mean;
  };

  [[nodiscard]] Factor integrate(const Eigen::Vector2d& mode, const Eigen::Vector2d& x, double a, double sigma,
                                 std::vector<RadialPanel>& panels) const {
    const double v = 1 / (1 / (lift_ * lift_) + a * a / (sigma * sigma));
    const double gain = a / (sigma * sigma);
    const double radius = std::hypot(x[0], x[1]);
    const double kappa = std::hypot(mode[0], mode[1]);
    const double cosine = radius > 0 ? (mode[0] * x[0] + mode[1] * x[1]) / radius : 0;  // κ μ·x/|x|
    const double plus = v * (1 / (lift_ * lift_) + gain * radius);
    const double minus = v * (1 / (lift_ * lift_) - gain * radius);
    // Exponent of the integrand without the von Mises part, which adds κ at most; largest at m±.
    const auto level = [&](double r) {
      const double along = (r - 1) / lift_;
      const double off = (radius - a * std::abs(r)) / sigma;
      return -0.5 * (along * along + off * off);
    };
    list_radial_panels(minus, plus, std::sqrt(v), gain * radius, kappa, panels);

    const Eigen::Map<const BesselLane> nodes(rule_.nodes.data());
    const Eigen::Map<const BesselLane> weights(rule_.weights.data());
    double shift = -std::numeric_limits<double>::infinity();  // every sum below is scaled by exp(-shift)
    double total = 0;
    double pull_mode = 0;    // of E[r y] along κ μ
    double pull_radius = 0;  // and along a x/σ²
    BesselLane i0;
    BesselLane i1;
    for (const RadialPanel& panel : panels) {
      double bound = -std::numeric_limits<double>::infinity();
      if (panel.high > 0) bound = level(std::clamp(plus, std::max(panel.low, 0.0), panel.high));
      if (panel.low < 0) {
        bound = std::max(bound, level(std::clamp(minus, panel.low, std::min(panel.high, 0.0))));
      }
      if (bound + kappa < shift - negligible) continue;

      const double half = (panel.high - panel.low) / 2;
      const BesselLane r = (panel.low + panel.high) / 2 + half * nodes;
      const BesselLane t = gain * radius * r;
      const BesselLane tail = kappa * kappa + 2 * cosine * t;
      const BesselLane length = (tail + t * t).max(0.0).sqrt();
      const BesselLane sum = length + t.abs();
      // |v| - |t| without the difference of large numbers
      const BesselLane exponent = (sum > 0).select(tail / sum, 0) -
                                  0.5 * (((r - 1) / lift_).square() + ((radius - a * r.abs()) / sigma).square());
      const double top = exponent.maxCoeff();
      if (top > shift) {
        const double scale = std::exp(shift - top);
        total *= scale;
        pull_mode *= scale;
        pull_radius *= scale;
        shift = top;
      }
      scaled_bessel(length, i0, i1);
      const BesselLane weight = half * weights * (exponent - shift).exp();
      const BesselLane pull = (length > 0).select(i1 / length, 0.5) * weight * r;
      total += (weight * i0).sum();
      pull_mode += pull.sum();
      pull_radius += (pull * r).sum();
    }
    return {shift + std::log(total), (pull_mode * mode + gain * pull_radius * x) / total};
  }

  void do_evaluate(const PointsRef& points, double a, double sigma, Points* score, Vector* log_density) const override {
    const std::size_t count = modes_.size();
    std::vector<double> exponents(count);
    std::vector<Vector> means(count, Vector(2 * angles_));
    Vector mean(2 * angles_);
    std::vector<RadialPanel> panels;
    for (Index j = 0; j < points.cols(); ++j) {
      if (!std::isfinite(points.col(j).norm())) {
        if (score != nullptr) score->col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
        if (log_density != nullptr) (*log_density)[j] = std::numeric_limits<double>::quiet_NaN();
        continue;
      }
      double largest = -std::numeric_limits<double>::infinity();
      for (std::size_t m = 0; m < count; ++m) {
        exponents[m] = std::log(modes_[m].weight);
        for (Index i = 0; i < angles_; ++i) {
          const auto k = static_cast<std::size_t>(i);
          const double kappa = modes_[m].kappas[k];
          const Eigen::Vector2d mode(kappa * std::cos(modes_[m].means[k]), kappa * std::sin(modes_[m].means[k]));
          const Factor factor = integrate(mode, points.col(j).segment<2>(2 * i), a, sigma, panels);
          exponents[m] += factor.log_density - kappa - std::log(scaled_bessel_i0(kappa));
          means[m].segment<2>(2 * i) = factor.mean;
        }
        largest = std::max(largest, exponents[m]);
      }
      double total = 0;
      mean.setZero();
      for (std::size_t m = 0; m < count; ++m) {
        const double share = std::exp(exponents[m] - largest);
        total += share;
        mean += share * means[m];
      }
      if (score != nullptr) score->col(j) = (a / total * mean - points.col(j)) / (sigma * sigma);
      if (log_density != nullptr) {
        (*log_density)[j] = largest + std::log(total) -
                            static_cast<double>(angles_) *
                                (std::log(2 * M_PI * sigma * sigma) + 0.5 * std::log(2 * M_PI * lift_ * lift_));
      }
    }
  }

  std::vector<VonMisesMixture::Mode> modes_;
  Index angles_;
  double lift_;
  QuadratureRule rule_;
};

}  // namespace

TorusPartition::TorusPartition(Index angles, Index bins) : angles_(angles), bins_(bins), size_(1) {
  bool possible = angles >= 1 && bins >= 1;
  for (Index i = 0; i < angles && possible; ++i) {
    size_ *= bins;
    possible = size_ <= (Index{1} << 24);
  }
  if (!possible) throw InvalidInput(fmt::format("torus partition: {} angles with {} bins each", angles, bins));
}

Eigen::VectorXi TorusPartition::assign(const PointsRef& points) const {
  check_dimension(points, 2 * angles_, "points");
  Eigen::VectorXi cells(points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    if (!points.col(j).allFinite()) {
      cells[j] = -1;
      continue;
    }
    Index cell = 0;
    for (Index i = angles_ - 1; i >= 0; --i) {
      const double turn = (portable::atan2(points(2 * i + 1, j), points(2 * i, j)) + M_PI) / (2 * M_PI);
      cell = cell * bins_ + std::clamp<Index>(static_cast<Index>(turn * static_cast<double>(bins_)), 0, bins_ - 1);
    }
    cells[j] = static_cast<int>(cell);
  }
  return cells;
}

std::string TorusPartition::description() const {
  std::string text = fmt::format("{}", bins_);
  for (Index i = 1; i < angles_; ++i) text += fmt::format("×{}", bins_);
  return text + (angles_ == 1 ? " arcs" : " angle bins");
}

VonMisesMixture::VonMisesMixture(std::vector<Mode> modes) : modes_(std::move(modes)) {
  double total = 0;
  for (const Mode& mode : modes_) {
    bool good = mode.weight > 0 && !mode.means.empty() && mode.means.size() == modes_[0].means.size() &&
                mode.kappas.size() == mode.means.size();
    for (const double kappa : mode.kappas) good = good && kappa >= 0 && std::isfinite(kappa);
    for (const double mean : mode.means) good = good && std::isfinite(mean);
    if (!good) throw InvalidInput(fmt::format("von Mises mode with weight {}", mode.weight));
    total += mode.weight;
  }
  if (!(std::abs(total - 1) <= 1e-12)) throw InvalidInput(fmt::format("von Mises weights sum to {}", total));
  angles_ = static_cast<Index>(modes_[0].means.size());
}

Points VonMisesMixture::sample(Index n, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("sample: n = {} is negative", n));
  Points result(2 * angles_, n);
  for (Index j = 0; j < n; ++j) {
    Stream draws = stream.at(static_cast<std::uint64_t>(j));
    std::size_t m = 0;
    double rest = draws.uniform() - modes_[0].weight;
    while (rest >= 0 && m + 1 < modes_.size()) rest -= modes_[++m].weight;
    for (Index i = 0; i < angles_; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double angle = modes_[m].means[k] + draw_von_mises(modes_[m].kappas[k], draws);
      result(2 * i, j) = portable::cos(angle);
      result(2 * i + 1, j) = portable::sin(angle);
    }
  }
  return result;
}

Vector VonMisesMixture::log_density(const PointsRef& points) const {
  check_dimension(points, 2 * angles_, "points");
  const std::size_t count = modes_.size();
  std::vector<double> constants;
  Points vectors(2 * angles_, static_cast<Index>(count));  // kappa mu
  for (std::size_t m = 0; m < count; ++m) {
    double constant = portable::log(modes_[m].weight);
    for (Index i = 0; i < angles_; ++i) {
      const auto k = static_cast<std::size_t>(i);
      constant -= log_normaliser(modes_[m].kappas[k]);
      vectors(2 * i, static_cast<Index>(m)) = modes_[m].kappas[k] * portable::cos(modes_[m].means[k]);
      vectors(2 * i + 1, static_cast<Index>(m)) = modes_[m].kappas[k] * portable::sin(modes_[m].means[k]);
    }
    constants.push_back(constant);
  }
  Vector result(points.cols());
  std::vector<double> exponents(count);
  for (Index j = 0; j < points.cols(); ++j) {
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t m = 0; m < count; ++m) {
      exponents[m] = constants[m];
      for (Index i = 0; i < 2 * angles_; ++i) exponents[m] += vectors(i, static_cast<Index>(m)) * points(i, j);
      largest = std::max(largest, exponents[m]);
    }
    double sum = 0;
    for (const double exponent : exponents) sum += portable::exp(exponent - largest);
    result[j] = largest + portable::log(sum);
  }
  return result;
}

std::optional<double> VonMisesMixture::entropy() const {
  if (modes_.size() == 1) {
    double result = 0;
    for (const double kappa : modes_[0].kappas) result += log_normaliser(kappa) - kappa * mean_length(kappa);
    return result;
  }
  if (angles_ > 2) return std::nullopt;
  constexpr Index steps = 512;
  const double step = 2 * M_PI / static_cast<double>(steps);
  TreeSum sum;
  Points row(2 * angles_, steps);
  const Index rows = angles_ == 2 ? steps : 1;
  for (Index r = 0; r < rows; ++r) {
    for (Index i = 0; i < steps; ++i) {
      row(0, i) = portable::cos(step * static_cast<double>(i));
      row(1, i) = portable::sin(step * static_cast<double>(i));
      if (angles_ == 1) continue;
      row(2, i) = portable::cos(step * static_cast<double>(r));
      row(3, i) = portable::sin(step * static_cast<double>(r));
    }
    const Vector log_p = log_density(row);
    for (Index i = 0; i < steps; ++i) sum.add(-portable::exp(log_p[i]) * log_p[i]);
  }
  return sum.sum() * portable::power(step, static_cast<int>(angles_));
}

Vector VonMisesMixture::masses(const TorusPartition& partition) const {
  if (partition.angles() != angles_) {
    throw InvalidInput(fmt::format("von Mises masses: {} angles, partition of {}", angles_, partition.angles()));
  }
  const Index bins = partition.bins();
  const double width = 2 * M_PI / static_cast<double>(bins);
  // Wide arcs are cut into parts no wider than 15 degrees.
  const auto parts = static_cast<Index>(std::ceil(width / (M_PI / 12) - 1e-9));
  Vector result = Vector::Zero(partition.size());
  for (const Mode& mode : modes_) {
    Vector product = Vector::Ones(1);
    for (Index i = 0; i < angles_; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double constant = log_normaliser(mode.kappas[k]);
      Vector arcs = Vector::Zero(bins);
      for (Index b = 0; b < bins * parts; ++b) {
        const double low = -M_PI + width * static_cast<double>(b) / static_cast<double>(parts);
        const QuadratureRule rule = gauss_legendre(24, low, low + width / static_cast<double>(parts));
        for (Index q = 0; q < rule.nodes.size(); ++q) {
          arcs[b / parts] +=
              rule.weights[q] * portable::exp(mode.kappas[k] * portable::cos(rule.nodes[q] - mode.means[k]) - constant);
        }
      }
      Vector next(product.size() * bins);
      for (Index b = 0; b < bins; ++b) next.segment(b * product.size(), product.size()) = arcs[b] * product;
      product = std::move(next);
    }
    result += mode.weight * product;
  }
  return result;
}

double VonMisesMixture::standard_deviation() const {
  Vector mean = Vector::Zero(2 * angles_);
  for (const Mode& mode : modes_) {
    for (Index i = 0; i < angles_; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double length = mode.weight * mean_length(mode.kappas[k]);
      mean[2 * i] += length * portable::cos(mode.means[k]);
      mean[2 * i + 1] += length * portable::sin(mode.means[k]);
    }
  }
  const auto n = static_cast<double>(angles_);
  const double square = tree_sum_over(mean.size(), [&](Index i) { return mean[i] * mean[i]; });
  return std::sqrt((n - square) / (2 * n));
}

std::shared_ptr<const DiffusedScore> make_diffused_von_mises(const VonMisesMixture& mixture, const Lift& lift) {
  if (lift.type == LiftType::none || lift.sigma == 0) return std::make_shared<DiffusedVonMises>(mixture, 0.0);
  if (lift.type == LiftType::isotropic) return std::make_shared<DiffusedVonMises>(mixture, lift.sigma);
  return std::make_shared<LiftedVonMises>(mixture, lift.sigma);
}

}  // namespace onmanifold
