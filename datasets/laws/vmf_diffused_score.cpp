// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/math/quadrature.hpp"
#include "datasets/laws/radial_panels.hpp"
#include "datasets/laws/vector3.hpp"
#include "datasets/laws/vmf_mixture.hpp"

namespace onmanifold {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The modes with what does not depend on x.
struct Modes {
  explicit Modes(const VmfMixture& mixture) {
    for (const VmfMixture::Mode& mode : mixture.modes()) {
      vectors.push_back(mode.kappa * mode.mean);
      kappas.push_back(mode.kappa);
      constants.push_back(std::log(mode.weight) + vmf_log_normaliser(mode.kappa));
    }
    for (const double kappa : kappas) largest_kappa = std::max(largest_kappa, kappa);
    for (const double constant : constants) largest_constant = std::max(largest_constant, constant);
  }
  [[nodiscard]] std::size_t size() const { return kappas.size(); }

  std::vector<Eigen::Vector3d> vectors;  // κ μ
  std::vector<double> kappas;
  std::vector<double> constants;  // log w C(κ)
  double largest_kappa = 0;
  double largest_constant = -infinity;
};

/// For k >= 0: mass = 2 e^{-k} sinh(k)/k, which is e^{-k}/(2π C(k)), and pull = mass·A(k)/k, which multiplies
/// v where mass·A(k) would multiply v/|v|. Below 0.3 by series, since the difference in pull cancels there.
template <class Lanes>
void vmf_factors(const Lanes& k, Lanes& mass, Lanes& pull) {
  if ((k > 20).all()) {  // e^{-2k} < 5e-18
    const Lanes inverse = 1 / k;
    mass = inverse;
    pull = inverse * inverse * (1 - inverse);
    return;
  }
  const Lanes decay = (-2 * k).exp();
  const Lanes inverse = 1 / k.max(0.3);
  const Lanes square = k * k;
  const Lanes damp = 2 * (-k).exp();
  const Lanes series_mass =
      damp * (1 + square / 6 * (1 + square / 20 * (1 + square / 42 * (1 + square / 72 * (1 + square / 110)))));
  const Lanes series_pull =
      damp * (1.0 / 3) *
      (1 + square / 10 * (1 + square / 28 * (1 + square / 54 * (1 + square / 88 * (1 + square / 130)))));
  const Eigen::Array<bool, Lanes::RowsAtCompileTime, 1> small = k < 0.3;
  mass = small.select(series_mass, (1 - decay) * inverse);
  pull = small.select(series_pull, inverse * inverse * ((1 + decay) - (1 - decay) * inverse));
}

/// Unlifted, or lifted isotropically.
class DiffusedVmf final : public DiffusedScore {
 public:
  DiffusedVmf(const VmfMixture& mixture, double isotropic) : modes_(mixture), isotropic_(isotropic) {}

  [[nodiscard]] Index dimension() const override { return 3; }

 private:
  // Columns worked on together; short blocks are padded, so that the bits of a column do not depend on the
  // batch.
  static constexpr Index block = 128;
  using Lane = Eigen::Array<double, block, 1>;

  void do_evaluate(const PointsRef& points, double a, double sigma, Points* score, Vector* log_density) const override {
    const double variance = sigma * sigma + a * a * isotropic_ * isotropic_;
    const double gain = a / variance;
    std::array<Lane, 3> x;
    std::array<Lane, 3> pulls;
    std::vector<Lane, Eigen::aligned_allocator<Lane>> exponents(modes_.size());
    std::vector<Lane, Eigen::aligned_allocator<Lane>> lengths(modes_.size());
    for (Index begin = 0; begin < points.cols(); begin += block) {
      const Index count = std::min(block, points.cols() - begin);
      for (std::size_t i = 0; i < 3; ++i) {
        x[i].setZero();
        x[i].head(count) = points.row(static_cast<Index>(i)).segment(begin, count).transpose().array();
      }
      const Lane radius = (x[0].square() + x[1].square() + x[2].square()).sqrt();
      const Lane t = gain * radius;
      Lane largest = Lane::Constant(-infinity);
      for (std::size_t m = 0; m < modes_.size(); ++m) {
        const Eigen::Vector3d& q = modes_.vectors[m];
        const double kappa = modes_.kappas[m];
        const Lane cross = 2 * gain * (q[0] * x[0] + q[1] * x[1] + q[2] * x[2]);
        lengths[m] = (kappa * kappa + cross + t * t).max(0.0).sqrt();
        // |v| - a|x|/σ² without the difference of large numbers
        exponents[m] = modes_.constants[m] + (kappa * kappa + cross) / (lengths[m] + t);
        largest = largest.max(exponents[m]);
      }
      Lane total = Lane::Zero();
      for (Lane& pull : pulls) pull.setZero();
      Lane pull_total = Lane::Zero();
      for (std::size_t m = 0; m < modes_.size(); ++m) {
        Lane mass;
        Lane pull;
        vmf_factors(lengths[m], mass, pull);
        const Lane weight = (exponents[m] - largest).exp();
        total += weight * mass;
        pull *= weight;
        pull_total += pull;
        for (std::size_t i = 0; i < 3; ++i) pulls[i] += pull * modes_.vectors[m][static_cast<Index>(i)];
      }
      if (score != nullptr) {
        for (std::size_t i = 0; i < 3; ++i) {
          const Lane mean = (pulls[i] + gain * pull_total * x[i]) / total;
          const Lane value = (a * mean - x[i]) / variance;
          score->row(static_cast<Index>(i)).segment(begin, count) = value.head(count).matrix().transpose();
        }
      }
      if (log_density != nullptr) {
        const Lane value = largest + total.log() + std::log(2 * M_PI) - 1.5 * std::log(2 * M_PI * variance) -
                           (radius - a).square() * (0.5 / variance);
        log_density->segment(begin, count) = value.head(count).matrix();
      }
    }
  }

  Modes modes_;
  double isotropic_;
};

/// Lifted along the normal: an integral over the radius r of the lifted point, x0 = r y.
class LiftedVmf final : public DiffusedScore {
 public:
  LiftedVmf(const VmfMixture& mixture, double lift) : modes_(mixture), lift_(lift), rule_(gauss_legendre(nodes)) {}

  [[nodiscard]] Index dimension() const override { return 3; }

 private:
  static constexpr Index nodes = radial_nodes;
  static constexpr double negligible = 40.0;  // nats below the largest exponent found so far
  using Lane = Eigen::Array<double, nodes, 1>;

  void do_evaluate(const PointsRef& points, double a, double sigma, Points* score, Vector* log_density) const override {
    std::vector<RadialPanel> panels;
    std::vector<Lane, Eigen::aligned_allocator<Lane>> exponents(modes_.size());
    std::vector<Lane, Eigen::aligned_allocator<Lane>> lengths(modes_.size());
    const double v = 1 / (1 / (lift_ * lift_) + a * a / (sigma * sigma));
    const double width = std::sqrt(v);
    const double gain = a / (sigma * sigma);
    const Eigen::Map<const Lane> rule_nodes(rule_.nodes.data());
    const Eigen::Map<const Lane> rule_weights(rule_.weights.data());

    for (Index j = 0; j < points.cols(); ++j) {
      const Eigen::Vector3d x = points.col(j);
      const double radius = norm3(x);
      const double plus = v * (1 / (lift_ * lift_) + gain * radius);
      const double minus = v * (1 / (lift_ * lift_) - gain * radius);
      // Exponent of the integrand in r without the von Mises–Fisher part, for the sign of r; largest at m±.
      const auto level = [&](double r) {
        const double along = (r - 1) / lift_;
        const double off = (radius - a * std::abs(r)) / sigma;
        return -0.5 * (along * along + off * off);
      };
      if (!std::isfinite(radius)) {
        if (score != nullptr) score->col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
        if (log_density != nullptr) (*log_density)[j] = std::numeric_limits<double>::quiet_NaN();
        continue;
      }
      list_radial_panels(minus, plus, width, gain * radius, modes_.largest_kappa, panels);

      double shift = -infinity;  // every sum below is scaled by exp(-shift)
      double total = 0;
      double pull_radius = 0;  // Σ W r² pull: the part of E[r y] along x
      Eigen::Vector3d pull_modes = Eigen::Vector3d::Zero();
      for (const RadialPanel& panel : panels) {
        const double low = panel.low;
        const double high = panel.high;
        double bound = -infinity;
        if (high > 0) bound = level(std::clamp(plus, std::max(low, 0.0), high));
        if (low < 0) bound = std::max(bound, level(std::clamp(minus, low, std::min(high, 0.0))));
        if (bound + modes_.largest_constant + modes_.largest_kappa < shift - negligible) continue;

        const Lane r = (low + high) / 2 + (high - low) / 2 * rule_nodes;
        const Lane t = gain * radius * r;
        const Lane size = t.abs();
        const Lane base = -0.5 * (((r - 1) / lift_).square() + ((radius - a * r.abs()) / sigma).square());
        Lane largest = Lane::Constant(-infinity);
        for (std::size_t m = 0; m < modes_.size(); ++m) {
          const double kappa = modes_.kappas[m];
          const double cosine = radius > 0 ? dot3(modes_.vectors[m], x) / radius : 0;  // κ μ·u
          const Lane tail = kappa * kappa + 2 * cosine * t;
          lengths[m] = (tail + t * t).max(0.0).sqrt();
          exponents[m] = modes_.constants[m] + base + tail / (lengths[m] + size);
          largest = largest.max(exponents[m]);
        }
        const double top = largest.maxCoeff();
        if (top > shift) {
          const double scale = std::exp(shift - top);
          total *= scale;
          pull_radius *= scale;
          pull_modes *= scale;
          shift = top;
        }
        const double half = (high - low) / 2;
        for (std::size_t m = 0; m < modes_.size(); ++m) {
          if (exponents[m].maxCoeff() < shift - negligible) continue;
          Lane mass;
          Lane pull;
          vmf_factors(lengths[m], mass, pull);
          const Lane weight = half * rule_weights * (exponents[m] - shift).exp();
          total += (weight * mass).sum();
          pull *= weight * r;
          pull_modes += pull.sum() * modes_.vectors[m];
          pull_radius += (pull * r).sum();
        }
      }
      if (score != nullptr) {
        const Eigen::Vector3d mean = (pull_modes + gain * pull_radius * x) / total;  // E[r y | x]
        set_column(*score, j, (a * mean - x) / (sigma * sigma));
      }
      if (log_density != nullptr) {
        (*log_density)[j] = shift + std::log(total) + std::log(2 * M_PI) - 1.5 * std::log(2 * M_PI * sigma * sigma) -
                            0.5 * std::log(2 * M_PI * lift_ * lift_);
      }
    }
  }

  Modes modes_;
  double lift_;
  QuadratureRule rule_;
};

}  // namespace

std::shared_ptr<const DiffusedScore> make_diffused_vmf_mixture(const VmfMixture& mixture, const Lift& lift) {
  if (lift.type == LiftType::none || lift.sigma == 0) return std::make_shared<DiffusedVmf>(mixture, 0.0);
  if (lift.type == LiftType::isotropic) return std::make_shared<DiffusedVmf>(mixture, lift.sigma);
  return std::make_shared<LiftedVmf>(mixture, lift.sigma);
}

}  // namespace onmanifold
