// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/vmf_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "datasets/laws/sphere_partition.hpp"
#include "datasets/laws/vector3.hpp"

namespace onmanifold {

double vmf_log_normaliser(double kappa) {
  const double k = std::abs(kappa);
  if (k < 1e-3) return -portable::log(4 * M_PI) - k * k / 6;  // next term k^4/180
  return portable::log(k) - portable::log(2 * M_PI) - k - portable::log1p(-portable::exp(-2 * k));
}

double vmf_mean_length(double kappa) {
  if (std::abs(kappa) < 1e-2) return kappa / 3 * (1 - kappa * kappa / 15 * (1 - 2 * kappa * kappa / 21));
  return 1 / portable::tanh(kappa) - 1 / kappa;
}

VmfMixture::VmfMixture(std::vector<Mode> modes) : modes_(std::move(modes)) {
  double total = 0;
  for (Mode& mode : modes_) {
    const double length = norm3(mode.mean);
    if (!(std::abs(length - 1) <= 1e-9) || !(mode.kappa > 0) || !std::isfinite(mode.kappa) || !(mode.weight > 0)) {
      throw InvalidInput(fmt::format("von Mises–Fisher mode with |mean| = {}, kappa = {}, weight = {}", length,
                                     mode.kappa, mode.weight));
    }
    mode.mean /= length;
    total += mode.weight;
  }
  if (!(std::abs(total - 1) <= 1e-12)) throw InvalidInput(fmt::format("von Mises–Fisher weights sum to {}", total));
}

Points VmfMixture::sample(Index n, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("sample: n = {} is negative", n));
  std::vector<Eigen::Matrix3d> frames;
  for (const Mode& mode : modes_) {
    Eigen::Matrix3d frame;
    frame.col(2) = mode.mean;
    frame.col(0) = mode.mean.unitOrthogonal();
    frame.col(1) = frame.col(2).cross(frame.col(0));
    frames.push_back(frame);
  }
  const Points uniform = stream.uniform(3, n);
  Points result(3, n);
  for (Index j = 0; j < n; ++j) {
    std::size_t m = 0;
    double rest = uniform(0, j) - modes_[0].weight;
    while (rest >= 0 && m + 1 < modes_.size()) rest -= modes_[++m].weight;
    const double kappa = modes_[m].kappa;
    const double u = uniform(1, j);
    // 1 - cos by inversion: cos = 1 + log(u + (1 - u) exp(-2κ))/κ.
    const double drop = std::clamp(-portable::log(u + (1 - u) * portable::exp(-2 * kappa)) / kappa, 0.0, 2.0);
    const double sine = std::sqrt(drop * (2 - drop));
    const double angle = 2 * M_PI * uniform(2, j);
    const Eigen::Vector3d y = times3(frames[m], {sine * portable::cos(angle), sine * portable::sin(angle), 1 - drop});
    set_column(result, j, y / norm3(y));
  }
  return result;
}

Vector VmfMixture::log_density(const PointsRef& points) const {
  check_dimension(points, 3, "points");
  const auto count = static_cast<Index>(modes_.size());
  Vector constants(count);
  for (Index m = 0; m < count; ++m) {
    const Mode& mode = modes_[static_cast<std::size_t>(m)];
    constants[m] = portable::log(mode.weight) + vmf_log_normaliser(mode.kappa);
  }
  Vector result(points.cols());
  Vector exponents(count);
  for (Index j = 0; j < points.cols(); ++j) {
    for (Index m = 0; m < count; ++m) {
      const Mode& mode = modes_[static_cast<std::size_t>(m)];
      exponents[m] = constants[m] + mode.kappa * (mode.mean[0] * points(0, j) + mode.mean[1] * points(1, j) +
                                                  mode.mean[2] * points(2, j));
    }
    const double largest = exponents.maxCoeff();
    double total = 0;
    for (Index m = 0; m < count; ++m) total += portable::exp(exponents[m] - largest);
    result[j] = largest + portable::log(total);
  }
  return result;
}

std::optional<double> VmfMixture::entropy() const {
  return integrate_on_sphere(*this, SpherePartition(12, 24), 16).entropy;
}

Eigen::Vector3d VmfMixture::mean() const {
  Eigen::Vector3d result = Eigen::Vector3d::Zero();
  for (const Mode& mode : modes_) result += mode.weight * vmf_mean_length(mode.kappa) * mode.mean;
  return result;
}

double VmfMixture::standard_deviation() const {
  return std::sqrt((1 - dot3(mean(), mean())) / 3);
}

}  // namespace onmanifold
