// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/wrapped_normal_mixture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/summation.hpp"
#include "datasets/laws/first_column_partition.hpp"
#include "datasets/laws/vector3.hpp"
#include "manifolds/rotation_group.hpp"

namespace onmanifold {
namespace {

double dot4(const Eigen::Vector4d& a, const Eigen::Vector4d& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}

// The next three make entropies and densities, which are no data: the C library's functions are several times faster.

/// Squared rotation angle between unit quaternions with inner product w.
double squared_angle(double w) {
  const double c = std::min(std::abs(w), 1.0);
  const double angle = 2 * std::atan2(std::sqrt((1 - c) * (1 + c)), c);
  return angle * angle;
}

/// log of (2 sin(theta/2)/theta)^2 from theta^2: the volume of rotations in units of that of rotation
/// vectors.
double log_jacobian(double square) {
  if (square < 1e-4) return -square / 12 * (1 + square / 120);
  const double angle = std::sqrt(square);
  return 2 * std::log(2 * std::sin(angle / 2) / angle);
}

/// log N(theta; 0, s² I_3) - log_jacobian.
double log_component(double square, double s) {
  return -1.5 * std::log(2 * M_PI * s * s) - square / (2 * s * s) - log_jacobian(square);
}

/// Squared angle from the square of its chord: (2 asin(sqrt(c)/2))² = 2 sum c^n/(n² binomial(2n, n)), far faster than
/// asin and as exact as it on [0, 2], 90 degrees.
double squared_arc(double chord) {
  static const std::array<double, 48> coefficients = [] {
    std::array<double, 48> values{};
    double binomial = 1;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto n = static_cast<double>(i + 1);
      binomial *= (2 * n) * (2 * n - 1) / (n * n);
      values[i] = 2 / (n * n * binomial);
    }
    return values;
  }();
  std::size_t terms = chord < 0.5 ? 18 : coefficients.size();
  double sum = 0;
  while (terms > 0) sum = (sum + coefficients[--terms]) * chord;
  return sum;
}

/// Product of quaternions.
Eigen::Vector4d times(const Eigen::Vector4d& p, const Eigen::Vector4d& q) {
  return {p[0] * q[0] - p[1] * q[1] - p[2] * q[2] - p[3] * q[3], p[0] * q[1] + p[1] * q[0] + p[2] * q[3] - p[3] * q[2],
          p[0] * q[2] - p[1] * q[3] + p[2] * q[0] + p[3] * q[1], p[0] * q[3] + p[1] * q[2] - p[2] * q[1] + p[3] * q[0]};
}

/// Density on S² of the image of an axis under exp(v), as a function of the angle b from that axis: log g(b)
/// + b²/2s² is smooth in b², and interpolated at Chebyshev nodes on [0, (9 s)²].
class Bump {
 public:
  explicit Bump(double s) : s_(s), reach_(81 * s * s) {
    std::array<double, terms> values{};
    for (std::size_t i = 0; i < terms; ++i) {
      const double square = reach_ * (0.5 + 0.5 * portable::cos(M_PI * (static_cast<double>(i) + 0.5) / terms));
      values[i] = portable::log(profile(std::sqrt(square))) + square / (2 * s * s);
    }
    for (std::size_t k = 0; k < terms; ++k) {
      double sum = 0;
      for (std::size_t i = 0; i < terms; ++i) {
        sum += values[i] * portable::cos(M_PI * static_cast<double>(k) * (static_cast<double>(i) + 0.5) / terms);
      }
      coefficients_[k] = (k == 0 ? 1 : 2) * sum / terms;
    }
  }
  /// The squared angle where it ends; no square of a chord there is larger.
  [[nodiscard]] double reach() const { return reach_; }
  /// g at the squared angle; 0 beyond 9 s, where it is e^-40 of its maximum.
  [[nodiscard]] double operator()(double square) const {
    if (square >= reach_) return 0;
    const double t = 2 * square / reach_ - 1;
    double ahead = 0;
    double current = 0;
    for (std::size_t k = terms - 1; k > 0; --k) {
      const double next = 2 * t * current - ahead + coefficients_[k];
      ahead = current;
      current = next;
    }
    return portable::exp(t * current - ahead + coefficients_[0] - square / (2 * s_ * s_));
  }

 private:
  static constexpr std::size_t terms = 14;

  /// A turn by r about a uniform axis moves a fixed axis to cosine cos r + (1 - cos r) c², c uniform on [-1,
  /// 1]. So g(b) = 1/(2 pi) times the integral of p(r) / (2 sqrt((1 - cos r)(cos b - cos r))) over r > b; r =
  /// b + t² takes the root away.
  [[nodiscard]] double profile(double b) const {
    const double end = std::sqrt(std::min(M_PI, b + 11 * s_) - b);
    const QuadratureRule rule = gauss_legendre(96, 0, end);
    double sum = 0;
    for (Index i = 0; i < rule.nodes.size(); ++i) {
      const double t = rule.nodes[i];
      const double r = b + t * t;
      const double density =
          std::sqrt(2 / M_PI) * r * r / (s_ * s_ * s_) * portable::exp(-t * t * (r + b) / (2 * s_ * s_));
      const double root = portable::sin(r / 2) * std::sqrt(portable::sin((r + b) / 2) * portable::sin(t * t / 2));
      sum += rule.weights[i] * density * t / (2 * root);
    }
    // exp(-b²/2s²) was left out of the density, so that far angles do not underflow.
    return sum / (2 * M_PI) * portable::exp(-b * b / (2 * s_ * s_));
  }

  double s_;
  double reach_;
  std::array<double, terms> coefficients_{};
};

/// The density of the first column on S².
class ColumnDensity final : public Density {
 public:
  explicit ColumnDensity(const std::vector<WrappedNormalMixture::Mode>& modes) {
    for (const WrappedNormalMixture::Mode& mode : modes) {
      const Eigen::Matrix3d r = rotation_from_quaternion(mode.quaternion);
      axes_.push_back({r(0, 0), r(1, 0), r(2, 0)});
      bumps_.emplace_back(mode.deviation);
    }
  }
  [[nodiscard]] Vector log_density(const PointsRef& points) const override {
    Vector result(points.cols());
    for (Index j = 0; j < points.cols(); ++j) {
      double sum = 0;
      for (std::size_t m = 0; m < axes_.size(); ++m) {
        // |u - e|² = 4 sin²(b/2), accurate at small angles.
        double square = 0;
        for (std::size_t i = 0; i < 3; ++i) {
          const double d = points(static_cast<Index>(i), j) - axes_[m][i];
          square += d * d;
        }
        if (square > 2 || square >= bumps_[m].reach()) continue;  // 90 degrees is beyond every bump
        sum += bumps_[m](squared_arc(square));
      }
      result[j] = portable::log(sum / static_cast<double>(axes_.size()));
    }
    return result;
  }

 private:
  std::vector<std::array<double, 3>> axes_;
  std::vector<Bump> bumps_;
};

}  // namespace

WrappedNormalMixture::WrappedNormalMixture(std::vector<Mode> modes) : modes_(std::move(modes)) {
  if (modes_.empty()) throw InvalidInput("wrapped normal mixture: there is no mode");
  for (Mode& mode : modes_) {
    const double length = std::sqrt(dot4(mode.quaternion, mode.quaternion));
    if (!(length > 0) || !std::isfinite(length) || !(mode.deviation > 0) || !(mode.deviation <= 0.25)) {
      throw InvalidInput(
          fmt::format("wrapped normal mode with |quaternion| = {}, deviation = {}", length, mode.deviation));
    }
    mode.quaternion /= length;
  }
  // -log of a component at its own draws: 1.5 log(2 pi e s²) + E log_jacobian(theta²), theta = s r, r ~
  // chi_3.
  const QuadratureRule rule = gauss_legendre(64, 0, 10);
  TreeSum single;
  for (const Mode& mode : modes_) {
    const double s = mode.deviation;
    double jacobian = 0;
    for (Index i = 0; i < rule.nodes.size(); ++i) {
      const double r = rule.nodes[i];
      jacobian +=
          rule.weights[i] * std::sqrt(2 / M_PI) * r * r * portable::exp(-r * r / 2) * log_jacobian(s * s * r * r);
    }
    single.add(1.5 * portable::log(2 * M_PI * M_E * s * s) + jacobian);
  }
  const auto count = static_cast<double>(modes_.size());
  entropy_ = portable::log(count) + single.sum() / count - overlap(0.5) + log_volume_ratio_of_rotations();
}

std::vector<WrappedNormalMixture::Mode> WrappedNormalMixture::draw_modes(Index count, const Stream& stream) {
  const Points quaternions = stream.at("rotations").normal(4, count);
  const Points normals = stream.at("precisions").normal(200, count);
  std::vector<Mode> modes;
  for (Index m = 0; m < count; ++m) {
    Eigen::Vector4d q = quaternions.col(m);
    q /= std::sqrt(dot4(q, q));
    for (Index i = 0; i < 4; ++i) q[i] = std::round(q[i] * 1e12) / 1e12;
    // Gamma(100, 1) is half a chi-square with 200 degrees of freedom.
    const double precision = 0.5 * tree_sum_over(200, [&](Index i) { return normals(i, m) * normals(i, m); });
    modes.push_back({q, std::round(1e9 / std::sqrt(2 * precision)) / 1e9});
  }
  return modes;
}

Points WrappedNormalMixture::sample(Index n, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("sample: n = {} is negative", n));
  Stream picks = stream.at("mode");
  const Points noise = stream.at("noise").normal(3, n);
  std::vector<Eigen::Matrix3d> centres;
  for (const Mode& mode : modes_) centres.push_back(rotation_from_quaternion(mode.quaternion));
  Points result(9, n);
  for (Index j = 0; j < n; ++j) {
    const auto m = static_cast<std::size_t>(picks.integer(modes_.size()));
    const double s = modes_[m].deviation;
    const Eigen::Matrix3d turn = rotation_exp({s * noise(0, j), s * noise(1, j), s * noise(2, j)});
    Eigen::Matrix3d rotation;
    for (Index c = 0; c < 3; ++c) rotation.col(c) = times3(centres[m], turn.col(c));
    set_rotation(result, j, rotation);
  }
  return result;
}

Vector WrappedNormalMixture::log_density(const PointsRef& points) const {
  check_dimension(points, 9, "points");
  const std::size_t count = modes_.size();
  std::vector<double> exponents(count);
  Vector result(points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    const Eigen::Vector4d q = quaternion_from_rotation(rotation_matrix(points.col(j)));
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t m = 0; m < count; ++m) {
      exponents[m] = log_component(squared_angle(dot4(modes_[m].quaternion, q)), modes_[m].deviation);
      largest = std::max(largest, exponents[m]);
    }
    double sum = 0;
    for (const double exponent : exponents) sum += portable::exp(exponent - largest);
    result[j] = largest + portable::log(sum / static_cast<double>(count)) - log_volume_ratio_of_rotations();
  }
  return result;
}

double WrappedNormalMixture::entropy_of_rotation_vectors() const {
  return entropy_ - log_volume_ratio_of_rotations();
}

double WrappedNormalMixture::overlap(double step) const {
  constexpr double radius = 6.5;  // the Gaussian beyond carries 3e-9
  const auto half = static_cast<Index>(radius / step);
  TreeSum total;
  for (std::size_t m = 0; m < modes_.size(); ++m) {
    const double s = modes_[m].deviation;
    // Modes that are felt somewhere on the lattice.
    std::vector<std::pair<Eigen::Vector4d, double>> neighbours;  // R_l^T R_m and s_l
    for (std::size_t l = 0; l < modes_.size(); ++l) {
      if (l == m) continue;
      const Eigen::Vector4d& ql = modes_[l].quaternion;
      const double away = std::sqrt(squared_angle(dot4(ql, modes_[m].quaternion)));
      if (away > radius * s + 9 * modes_[l].deviation) continue;
      const Eigen::Vector4d inverse(ql[0], -ql[1], -ql[2], -ql[3]);
      neighbours.emplace_back(times(inverse, modes_[m].quaternion), modes_[l].deviation);
    }
    if (neighbours.empty()) continue;
    for (Index i = -half; i <= half; ++i) {
      for (Index j = -half; j <= half; ++j) {
        for (Index k = -half; k <= half; ++k) {
          const double x = step * static_cast<double>(i);
          const double y = step * static_cast<double>(j);
          const double z = step * static_cast<double>(k);
          const double square = x * x + y * y + z * z;
          if (square > radius * radius) continue;
          const double angle = s * std::sqrt(square);
          const double factor = angle > 0 ? s * std::sin(angle / 2) / angle : 0;
          const Eigen::Vector4d turn(std::cos(angle / 2), factor * x, factor * y, factor * z);
          const double own = log_component(angle * angle, s);
          double ratio = 0;
          for (const auto& [relative, deviation] : neighbours) {
            // The scalar part of the product is all that is needed.
            const double w =
                relative[0] * turn[0] - relative[1] * turn[1] - relative[2] * turn[2] - relative[3] * turn[3];
            ratio += std::exp(log_component(squared_angle(w), deviation) - own);
          }
          total.add(std::exp(-square / 2) * std::log1p(ratio));
        }
      }
    }
  }
  return total.sum() * portable::power(step / std::sqrt(2 * M_PI), 3) / static_cast<double>(modes_.size());
}

Vector WrappedNormalMixture::first_column_masses(const SpherePartition& partition) const {
  // Bumps are 0.07 wide; cells of the default partition 0.26, the polar ones 0.6.
  const Index nodes = partition.bands() >= 12 && partition.sectors() >= 24 ? 32 : 128;
  return integrate_on_sphere(ColumnDensity(modes_), partition, nodes).masses;
}

double WrappedNormalMixture::standard_deviation() const {
  Eigen::Matrix3d mean = Eigen::Matrix3d::Zero();
  for (const Mode& mode : modes_) {
    // E exp(v) = (1 + 2 E cos theta)/3 · I, E cos theta = (1 - s²) exp(-s²/2).
    const double square = mode.deviation * mode.deviation;
    const double shrink = (1 + 2 * (1 - square) * portable::exp(-square / 2)) / 3;
    mean += shrink * rotation_from_quaternion(mode.quaternion);
  }
  mean /= static_cast<double>(modes_.size());
  double norm = 0;
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) norm += mean(i, j) * mean(i, j);
  }
  return std::sqrt((3 - norm) / 9);
}

}  // namespace onmanifold
