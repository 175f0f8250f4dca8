// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/smiley.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/scaled_bessel.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {
namespace {

constexpr double circle_weight = 0.5;
constexpr double eye_weight = 0.125;  // each
constexpr double mouth_weight = 0.25;
constexpr double eye_u = 0.4;
constexpr double eye_v = 0.4;
constexpr double eye_own_width = 0.01;
constexpr double mouth_u = 0.4;
constexpr double mouth_v = -0.3;
constexpr Index mouth_nodes = 256;
constexpr Index circle_nodes = 4096;

double add_logs(double a, double b) {
  const double high = std::max(a, b);
  return high + portable::log1p(portable::exp(std::min(a, b) - high));
}

/// Adds weight times the masses of N(centre, width² I) to the inner cells.
void add_gaussian(Vector& masses, const PlanePartition& partition, double weight, double u, double v, double width) {
  const Index bins = partition.bins();
  Vector share[2] = {Vector(bins), Vector(bins)};
  const double centre[2] = {u, v};
  for (Index i = 0; i < 2; ++i) {
    for (Index b = 0; b < bins; ++b) {
      share[i][b] = normal_mass((partition.edge(b) - centre[i]) / width, (partition.edge(b + 1) - centre[i]) / width);
    }
  }
  for (Index row = 0; row < bins; ++row) {
    if (share[1][row] > 0) masses.segment(row * bins, bins) += weight * share[1][row] * share[0];
  }
}

}  // namespace

Smiley::Smiley(PlaneFrame frame, double jitter) : frame_(std::move(frame)), jitter_(jitter) {
  if (!(jitter >= 0.01 && jitter <= 1))
    throw InvalidInput(fmt::format("smiley: jitter {} is not in [0.01, 1]", jitter));
  eye_width_ = std::sqrt(eye_own_width * eye_own_width + jitter * jitter);
  const QuadratureRule rule = gauss_legendre(mouth_nodes, -M_PI / 4, M_PI / 4);
  mouth_.resize(2, mouth_nodes);
  for (Index i = 0; i < mouth_nodes; ++i) {
    mouth_(0, i) = mouth_u * portable::sin(rule.nodes[i]);
    mouth_(1, i) = mouth_v * portable::cos(rule.nodes[i]);
  }
  mouth_weights_ = rule.weights / (M_PI / 2);
}

Points Smiley::sample(Index n, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("sample: n = {} is negative", n));
  const Points pick = stream.at("component").uniform(2, n);
  Points uv = stream.at("noise").normal(2, n);
  for (Index j = 0; j < n; ++j) {
    const double part = pick(0, j);
    if (part < circle_weight) {
      const double angle = 2 * M_PI * pick(1, j);
      uv(0, j) = portable::cos(angle) + jitter_ * uv(0, j);
      uv(1, j) = portable::sin(angle) + jitter_ * uv(1, j);
    } else if (part < circle_weight + 2 * eye_weight) {
      uv(0, j) = (part < circle_weight + eye_weight ? -eye_u : eye_u) + eye_width_ * uv(0, j);
      uv(1, j) = eye_v + eye_width_ * uv(1, j);
    } else {
      const double angle = M_PI / 2 * (pick(1, j) - 0.5);
      uv(0, j) = mouth_u * portable::sin(angle) + jitter_ * uv(0, j);
      uv(1, j) = mouth_v * portable::cos(angle) + jitter_ * uv(1, j);
    }
  }
  return frame_.embed(uv);
}

double Smiley::log_density_at(double u, double v) const {
  const double precision = 1 / (2 * jitter_ * jitter_);
  const double log_norm = -portable::log(2 * M_PI * jitter_ * jitter_);
  const double r = portable::hypot(u, v);
  // exp(-(r²+1)/2j²) I_0(r/j²) = exp(-(r-1)²/2j²) · e^{-z} I_0(z)
  double result = portable::log(circle_weight) + log_norm - (r - 1) * (r - 1) * precision +
                  portable::log(scaled_bessel_i0(r / (jitter_ * jitter_)));
  const double near_u = std::abs(u) - eye_u;
  const double far_u = std::abs(u) + eye_u;
  const double eye_distance = near_u * near_u + (v - eye_v) * (v - eye_v);
  const double other_distance = far_u * far_u + (v - eye_v) * (v - eye_v);
  const double eye_norm = portable::log(eye_weight) - portable::log(2 * M_PI * eye_width_ * eye_width_);
  const double eye_precision = 1 / (2 * eye_width_ * eye_width_);
  result = add_logs(result, eye_norm - eye_distance * eye_precision);
  result = add_logs(result, eye_norm - other_distance * eye_precision);

  // The mouth lies in the box |u| <= 0.4 sin(π/4), -0.3 <= v <= -0.3 cos(π/4). Where even its nearest point
  // adds less than 1e-20 it is left out.
  const double du = std::max(0.0, std::abs(u) - mouth_u * M_SQRT1_2);
  const double dv = std::max({0.0, mouth_v - v, v - mouth_v * M_SQRT1_2});
  const double mouth_norm = portable::log(mouth_weight) + log_norm;
  if (mouth_norm - (du * du + dv * dv) * precision < result - 46) return result;
  double nearest = std::numeric_limits<double>::infinity();
  double distances[mouth_nodes];
  for (Index i = 0; i < mouth_nodes; ++i) {
    const double x = u - mouth_(0, i);
    const double y = v - mouth_(1, i);
    distances[i] = (x * x + y * y) * precision;
    nearest = std::min(nearest, distances[i]);
  }
  double total = 0;
  for (Index i = 0; i < mouth_nodes; ++i) total += mouth_weights_[i] * portable::exp(nearest - distances[i]);
  return add_logs(result, mouth_norm - nearest + portable::log(total));
}

Vector Smiley::log_density(const PointsRef& points) const {
  const Points uv = frame_.coordinates(points);
  Vector result(points.cols());
  for (Index j = 0; j < points.cols(); ++j) result[j] = log_density_at(uv(0, j), uv(1, j));
  return result;
}

std::optional<double> Smiley::entropy() const {
  const double step = jitter_ / 4;
  const auto half = static_cast<Index>(std::ceil((1 + 9 * jitter_) / step));
  TreeSum sum;
  for (Index row = -half; row <= half; ++row) {
    for (Index column = 0; column <= half; ++column) {  // the face is symmetric in u
      const double log_p = log_density_at(step * static_cast<double>(column), step * static_cast<double>(row));
      sum.add((column == 0 ? -1 : -2) * portable::exp(log_p) * log_p);
    }
  }
  return sum.sum() * step * step;
}

Vector Smiley::masses(const PlanePartition& partition) const {
  Vector result = Vector::Zero(partition.size());
  for (Index i = 0; i < circle_nodes; ++i) {
    const double angle = 2 * M_PI * static_cast<double>(i) / static_cast<double>(circle_nodes);
    add_gaussian(result, partition, circle_weight / static_cast<double>(circle_nodes), portable::cos(angle),
                 portable::sin(angle), jitter_);
  }
  add_gaussian(result, partition, eye_weight, -eye_u, eye_v, eye_width_);
  add_gaussian(result, partition, eye_weight, eye_u, eye_v, eye_width_);
  for (Index i = 0; i < mouth_nodes; ++i) {
    add_gaussian(result, partition, mouth_weight * mouth_weights_[i], mouth_(0, i), mouth_(1, i), jitter_);
  }
  const Index cells = partition.size() - 1;
  result[cells] = std::max(0.0, 1 - tree_sum(Vector(result.head(cells))));
  return result;
}

double Smiley::standard_deviation() const {
  const double mean_sine_square = 0.5 - 1 / M_PI;  // α uniform on [-π/4, π/4]
  const double mean_cosine = 2 * std::sqrt(2.0) / M_PI;
  const double second =
      circle_weight + 2 * eye_weight * (eye_u * eye_u + eye_v * eye_v + 2 * eye_own_width * eye_own_width) +
      mouth_weight * (mouth_u * mouth_u * mean_sine_square + mouth_v * mouth_v * (1 - mean_sine_square)) +
      2 * jitter_ * jitter_;
  const double mean_v = 2 * eye_weight * eye_v + mouth_weight * mouth_v * mean_cosine;
  return std::sqrt((second - mean_v * mean_v) / 3);
}

}  // namespace onmanifold
