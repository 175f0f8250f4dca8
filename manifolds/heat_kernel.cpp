// SPDX-License-Identifier: Apache-2.0
#include "manifolds/heat_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <boost/math/special_functions/gamma.hpp>
#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double series_from = 0.2;  // time from which spheres use the series
constexpr Index nodes = 512;         // of a distance law

/// The images 2 pi k and -2 pi k of a normal law on the line, relative to the law at theta itself:
/// w_{±k} = exp(-(4 pi^2 k^2 ± 4 pi k theta)/2t).
struct Images {
  Images(Index k, double angle, double t) {
    const double rate = 2 * pi * static_cast<double>(k) / t;
    const double bottom = -pi * static_cast<double>(k) * rate;
    const double up = std::exp(bottom + rate * angle);  // the exponent is never positive: angle <= pi
    const double down = std::exp(bottom - rate * angle);
    even = 0.5 * (up + down);
    const double x = rate * angle;
    if (x < 1e-2) {
      odd = std::exp(bottom) * rate * (1 + x * x / 6);
      bend = std::exp(bottom) * rate * rate * rate * (1.0 / 3 + x * x / 30);
    } else {
      odd = 0.5 * (up - down) / angle;
      bend = (rate * even - odd) / (angle * angle);
    }
  }
  double even;  // (w_k + w_-k)/2
  double odd;   // (w_-k - w_k)/(2 theta)
  double bend;  // d(odd)/d(theta) / theta
};

/// (1/x - cot x)/x = (1 - x cot x)/x^2.
double cotangent_defect(double x) {
  return x < 1e-2 ? 1.0 / 3 + x * x / 45 : (1 - x / std::tan(x)) / (x * x);
}

/// The derivative of cotangent_defect over x.
double cotangent_bend(double x) {
  if (x < 0.1) return 2.0 / 45 + 8 * x * x / 945 + 2 * x * x * x * x / 1575;
  const double s = std::sin(x);
  return ((1 / (s * s) - 1 / std::tan(x) / x) / x - 2 * cotangent_defect(x) / x) / x;
}

double log_sinc(double x) {
  return x < 1e-4 ? -x * x / 6 : std::log(std::sin(x) / x);
}

}  // namespace

RadialHeat circle_heat(double angle, double t) {
  if (t < 4) {
    double sum = 1;
    double turn = 0;
    for (Index k = 1; k <= 4; ++k) {  // the next image has e^-59 at t = 4
      const Images images(k, angle, t);
      sum += 2 * images.even;
      turn += 4 * pi * static_cast<double>(k) * images.odd;
    }
    return {0.5 * std::log(2 * pi / t) - angle * angle / (2 * t) + std::log(sum), (1 - turn / sum) / t};
  }
  double sum = 1;
  double turn = 0;
  for (Index n = 1; n <= 5; ++n) {  // the next term has 2 e^-72 at t = 4
    const double m = static_cast<double>(n);
    const double weight = 2 * std::exp(-m * m * t / 2);
    sum += weight * std::cos(m * angle);
    turn += weight * m * (angle < 1e-8 ? m : std::sin(m * angle) / angle);
  }
  return {std::log(sum), turn / sum};
}

RadialHeat rotation_heat(double angle, double t) {
  if (t < 2) {
    double rest = 0;
    double turn = 0;  // of rest, by angle, over angle
    for (Index k = 1; k <= 4; ++k) {
      const Images images(k, angle, t);
      const double circle = 2 * pi * static_cast<double>(k);
      const double sign = k % 2 == 1 ? -1 : 1;
      rest += sign * (2 * images.even - 2 * circle * images.odd);
      turn += sign * (2 * circle / t * images.odd - 2 * circle * images.bend);
    }
    const double half = angle / 2;
    return {t / 8 + 0.5 * std::log(2 * pi / t) - std::log(t) + std::log(2.0) - log_sinc(half) -
                angle * angle / (2 * t) + std::log1p(rest),
            1 / t - 0.25 * cotangent_defect(half) - turn / (1 + rest)};
  }
  // Characters sin((l + 1/2) w)/sin(w/2) = 1 + 2 cos w + … + 2 cos l w.
  double character = 1;
  double bend = 0;  // minus its derivative over w
  double sum = 1;
  double turn = 0;
  for (Index l = 1; l <= 8; ++l) {  // the next term has 19^2 e^-90 at t = 2
    const double m = static_cast<double>(l);
    character += 2 * std::cos(m * angle);
    bend += 2 * m * (angle < 1e-8 ? m : std::sin(m * angle) / angle);
    const double weight = (2 * m + 1) * std::exp(-m * (m + 1) * t / 2);
    sum += weight * character;
    turn += weight * bend;
  }
  return {std::log(sum), turn / sum};
}

RadialHeat sphere_heat(Index d, double angle, double t) {
  const double dim = static_cast<double>(d);
  const double m = (dim - 1) / 2;
  if (t < series_from) {
    angle = std::min(angle, 3.0);
    const double q = cotangent_defect(angle);
    const double log_volume = std::log(2.0) + (dim + 1) / 2 * std::log(pi) - boost::math::lgamma((dim + 1) / 2);
    return {log_volume - dim / 2 * std::log(2 * pi * t) - angle * angle / (2 * t) - m * log_sinc(angle) +
                t / 2 * (m * m - m * (m - 1) * q),
            1 / t - m * q + t / 2 * m * (m - 1) * cotangent_bend(angle)};
  }
  // Gegenbauer polynomials C_l of index m and m + 1 at x by their three-term recurrences; dC_l^m/dx = 2m
  // C_(l-1)^(m+1).
  const double x = std::cos(angle);
  double before = 0;
  double now = 1;
  double slope_before = 0;
  double slope_now = 1;
  double sum = 1;
  double turn = 0;
  for (Index l = 1; l <= 200; ++l) {
    const double n = static_cast<double>(l);
    const double next = (2 * (n + m - 1) * x * now - (n + 2 * m - 2) * before) / n;
    before = std::exchange(now, next);
    const double weight = (n + m) / m * std::exp(-n * (n + 2 * m) * t / 2);
    sum += weight * now;
    turn += weight * 2 * m * slope_now;  // C_(l-1)^(m+1)
    const double slope_next = (2 * (n + m) * x * slope_now - (n + 2 * m) * slope_before) / n;
    slope_before = std::exchange(slope_now, slope_next);
    if (n * (n + 2 * m) * t / 2 > 50 + 2 * dim * std::log(n + 1)) break;  // C_l < (l+1)^(2m) / …
  }
  return {std::log(sum), (angle < 1e-8 ? 1.0 : std::sin(angle) / angle) * turn / sum};
}

HeatFactor circle_factor(Index first, double radius) {
  return {first, 2, 1, radius, 1.0, [](Index, double angle, double t) { return circle_heat(angle, t); }, nullptr};
}

HeatFactor sphere_factor(Index dim, double radius) {
  return {0, dim + 1, dim, radius, static_cast<double>(dim), sphere_heat, [](Index d, double angle) {
            return (static_cast<double>(d) - 1) * std::log(std::max(std::sin(angle), 1e-300));  // sin^(d-1)
          }};
}

HeatFactor rotation_factor() {
  return {0,
          9,
          3,
          std::numbers::sqrt2,
          2.0,
          [](Index, double angle, double t) { return rotation_heat(angle, t); },
          [](Index, double angle) { return 2 * std::log(std::sin(angle / 2)); }};  // 1 - cos = 2 sin^2(w/2)
}

namespace {

std::vector<HeatFactor> known_factors(const Manifold& manifold) {
  std::vector<HeatFactor> factors = manifold.heat_factors();
  if (factors.empty()) throw InvalidInput("heat kernel: none is known on " + manifold.spec());
  return factors;
}

}  // namespace

HeatKernel::HeatKernel(const Geodesics& geodesics, std::vector<double> times)
    : geodesics_(geodesics), times_(std::move(times)) {
  for (const double t : times_) {
    if (!(t > 0 && std::isfinite(t))) throw InvalidInput(fmt::format("heat kernel: time {} is not positive", t));
  }
  factors_ = known_factors(geodesics.manifold());
  for (const HeatFactor& factor : factors_) {
    std::vector<DistanceLaw>& laws = laws_.emplace_back();
    if (factor.log_area == nullptr) continue;
    for (const double t : times_) laws.push_back(distance_law(factor, t / (factor.scale * factor.scale)));
  }
}

HeatKernel::DistanceLaw HeatKernel::distance_law(const HeatFactor& factor, double t) {
  const double dim = static_cast<double>(factor.dim);
  // Beyond sqrt(d) + 7 deviations a normal law in d dimensions has less than 1e-11 of its mass.
  const double largest = std::min(pi, std::sqrt(t) * (std::sqrt(dim) + 7));
  DistanceLaw law{largest / static_cast<double>(nodes), Vector::Zero(nodes + 1), Vector::Zero(nodes + 1)};
  Vector log_density(nodes + 1);
  for (Index i = 1; i <= nodes; ++i) {
    const double angle = law.step * static_cast<double>(i);
    log_density[i] = factor.radial(factor.dim, angle, t).log_ratio + factor.log_area(factor.dim, angle);
  }
  const double top = log_density.tail(nodes).maxCoeff();
  for (Index i = 1; i <= nodes; ++i) {
    law.density[i] = std::exp(log_density[i] - top);
    law.mass[i] = law.mass[i - 1] + 0.5 * law.step * (law.density[i - 1] + law.density[i]);
  }
  law.density /= law.mass[nodes];
  law.mass /= law.mass[nodes];
  return law;
}

double HeatKernel::DistanceLaw::quantile(double u) const {
  const double* begin = mass.data();
  const Index i = std::clamp<Index>(std::upper_bound(begin, begin + mass.size(), u) - begin - 1, 0, nodes - 1);
  // Solve a s + (b - a) s^2/2 = c in units of a cell, in the form that survives b = a.
  const double a = density[i];
  const double b = density[i + 1];
  const double c = std::max(u - mass[i], 0.0) / step;
  const double root = std::sqrt(std::max(a * a + 2 * (b - a) * c, 0.0));
  const double s = a + root > 0 ? 2 * c / (a + root) : 0;
  return step * (static_cast<double>(i) + std::min(s, 1.0));
}

Points HeatKernel::diffuse(const PointsRef& y, const std::vector<Index>& index, const PointsRef& normals,
                           const PointsRef& uniforms) const {
  Points way = geodesics_.manifold().tangent_component(y, normals);
  for (Index j = 0; j < way.cols(); ++j) {
    const auto time = static_cast<std::size_t>(index[static_cast<std::size_t>(j)]);
    for (std::size_t f = 0; f < factors_.size(); ++f) {
      auto part = way.col(j).segment(factors_[f].first, factors_[f].rows);
      if (factors_[f].log_area == nullptr) {
        part *= std::sqrt(times_[time]);
      } else {
        part *= factors_[f].scale * laws_[f][time].quantile(uniforms(static_cast<Index>(f), j)) /
                std::max(part.norm(), 1e-300);
      }
    }
  }
  return geodesics_.exp(y, way);
}

Points HeatKernel::score(const PointsRef& x, const PointsRef& y, const std::vector<Index>& index) const {
  Points way = geodesics_.log(x, y);
  for (Index j = 0; j < way.cols(); ++j) {
    const double t = times_[static_cast<std::size_t>(index[static_cast<std::size_t>(j)])];
    for (const HeatFactor& factor : factors_) {
      const double square = factor.scale * factor.scale;
      auto part = way.col(j).segment(factor.first, factor.rows);
      part *= factor.radial(factor.dim, std::min(part.norm() / factor.scale, pi), t / square).slope / square;
    }
  }
  return way;
}

Vector HeatKernel::log_density(const PointsRef& x, const PointsRef& y, const std::vector<Index>& index) const {
  const Points way = geodesics_.log(x, y);
  Vector result = Vector::Constant(way.cols(), -geodesics_.log_volume());
  for (Index j = 0; j < way.cols(); ++j) {
    const double t = times_[static_cast<std::size_t>(index[static_cast<std::size_t>(j)])];
    for (const HeatFactor& factor : factors_) {
      const double distance = way.col(j).segment(factor.first, factor.rows).norm();
      result[j] +=
          factor.radial(factor.dim, std::min(distance / factor.scale, pi), t / (factor.scale * factor.scale)).log_ratio;
    }
  }
  return result;
}

double HeatKernel::relaxation_time(const Geodesics& geodesics, double remainder) {
  double slowest = 0;  // 1/lambda: 1 on the circle, 1/d on S^d, 1/2 on SO(3), times the squared scale
  for (const HeatFactor& factor : known_factors(geodesics.manifold())) {
    slowest = std::max(slowest, factor.scale * factor.scale / factor.gap);
  }
  return -2 * std::log(remainder) * slowest;
}

}  // namespace onmanifold
