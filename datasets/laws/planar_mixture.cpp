// SPDX-License-Identifier: Apache-2.0
#include "datasets/laws/planar_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/portable.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/summation.hpp"

namespace onmanifold {
namespace {

/// Columns worked on together. Short blocks are padded, so that each column goes through the same
/// instructions wherever it stands and its bits do not depend on the batch.
constexpr Index block = 256;
using Lane = Eigen::Array<double, block, 1>;

/// A sum of round Gaussians in (u, v) at one noise level; logs throughout.
class PlanarSum {
 public:
  PlanarSum(const Points& centres, const Vector& weights, double scale, double variance)
      : centres_(scale * centres), variance_(variance), log_weights_(weights.array().log()) {
    log_weights_ -= std::log(2 * M_PI * variance);
  }

  /// log density at (u, v), and the posterior mean of the centre in (mean_u, mean_v).
  void evaluate(const Lane& u, const Lane& v, Lane& log_density, Lane& mean_u, Lane& mean_v) const {
    const Index count = centres_.cols();
    Eigen::Array<double, block, Eigen::Dynamic> exponents(block, count);
    Lane largest = Lane::Constant(-std::numeric_limits<double>::infinity());
    for (Index m = 0; m < count; ++m) {
      exponents.col(m) =
          log_weights_[m] - ((u - centres_(0, m)).square() + (v - centres_(1, m)).square()) * (0.5 / variance_);
      largest = largest.max(exponents.col(m));
    }
    Lane total = Lane::Zero();
    mean_u.setZero();
    mean_v.setZero();
    for (Index m = 0; m < count; ++m) {
      const Lane share = (exponents.col(m) - largest).exp();
      total += share;
      mean_u += share * centres_(0, m);
      mean_v += share * centres_(1, m);
    }
    mean_u /= total;
    mean_v /= total;
    log_density = largest + total.log();
  }

 private:
  Points centres_;
  double variance_;
  Eigen::ArrayXd log_weights_;
};

class DiffusedPlanarMixture final : public DiffusedScore {
 public:
  DiffusedPlanarMixture(PlanarMixture mixture, const Lift& lift) : mixture_(std::move(mixture)), lift_(lift) {}

  [[nodiscard]] Index dimension() const override { return 3; }

 private:
  void do_evaluate(const PointsRef& x, double a, double sigma, Points* score, Vector* log_density) const override {
    const double lifted = lift_.type == LiftType::none ? 0 : a * a * lift_.sigma * lift_.sigma;
    const double along =
        a * a * mixture_.width() * mixture_.width() + sigma * sigma + (lift_.type == LiftType::isotropic ? lifted : 0);
    const double across = sigma * sigma + lifted;
    const PlanarSum sum(mixture_.centres(), mixture_.weights(), a, along);
    const PlaneFrame& frame = mixture_.frame();
    const Eigen::Vector3d& n = frame.normal();
    const Eigen::Matrix<double, 3, 2>& e = frame.basis();

    Lane u, v, h, log_p, mean_u, mean_v;
    for (Index begin = 0; begin < x.cols(); begin += block) {
      const Index count = std::min(block, x.cols() - begin);
      u.setZero();
      v.setZero();
      h.setZero();
      for (Index j = 0; j < count; ++j) {
        const double* p = &x.coeffRef(0, begin + j);
        u[j] = e(0, 0) * p[0] + e(1, 0) * p[1] + e(2, 0) * p[2];
        v[j] = e(0, 1) * p[0] + e(1, 1) * p[1] + e(2, 1) * p[2];
        h[j] = n[0] * p[0] + n[1] * p[1] + n[2] * p[2] - a * frame.offset();
      }
      sum.evaluate(u, v, log_p, mean_u, mean_v);
      if (score != nullptr) {
        mean_u = (mean_u - u) / along;
        mean_v = (mean_v - v) / along;
        const Lane normal = -h / across;
        for (Index j = 0; j < count; ++j) {
          for (Index i = 0; i < 3; ++i) {
            (*score)(i, begin + j) = e(i, 0) * mean_u[j] + e(i, 1) * mean_v[j] + n[i] * normal[j];
          }
        }
      }
      if (log_density != nullptr) {
        log_p -= 0.5 * h.square() / across + 0.5 * std::log(2 * M_PI * across);
        log_density->segment(begin, count) = log_p.head(count).matrix();
      }
    }
  }

  PlanarMixture mixture_;
  Lift lift_;
};

}  // namespace

PlanarMixture::PlanarMixture(PlaneFrame frame, Points centres, Vector weights, double width)
    : frame_(std::move(frame)), centres_(std::move(centres)), weights_(std::move(weights)), width_(width) {
  check_dimension(centres_, 2, "mixture centres");
  check_finite(centres_, "mixture centres");
  if (weights_.size() != centres_.cols() || !(weights_.minCoeff() > 0) || std::abs(weights_.sum() - 1) > 1e-12) {
    throw InvalidInput("planar mixture: weights must be positive, one a centre, with sum 1");
  }
  if (!(width_ > 0) || !std::isfinite(width_)) throw InvalidInput(fmt::format("planar mixture: width {}", width_));
}

PlanarMixture PlanarMixture::grid9(const PlaneFrame& frame, double width) {
  Points centres(2, 9);
  for (Index m = 0; m < 9; ++m) {
    centres.col(m) << static_cast<double>(m % 3 - 1), static_cast<double>(m / 3 - 1);
  }
  return {frame, centres, Vector::Constant(9, 1.0 / 9), width};
}

Points PlanarMixture::sample(Index n, Stream stream) const {
  if (n < 0) throw InvalidInput(fmt::format("sample: n = {} is negative", n));
  const Points pick = stream.at("component").uniform(1, n);
  Points uv = width_ * stream.at("noise").normal(2, n);
  for (Index j = 0; j < n; ++j) {
    Index m = 0;
    double rest = pick(0, j) - weights_[0];
    while (rest >= 0 && m + 1 < weights_.size()) rest -= weights_[++m];
    uv.col(j) += centres_.col(m);
  }
  return frame_.embed(uv);
}

Vector PlanarMixture::log_density(const PointsRef& points) const {
  return log_density_uv(frame_.coordinates(points));
}

Vector PlanarMixture::log_density_uv(const PointsRef& uv) const {
  // One by one, unlike the score: the entropy is the same number on every machine.
  const double variance = width_ * width_;
  std::vector<double> exponents(static_cast<std::size_t>(weights_.size()));
  for (std::size_t m = 0; m < exponents.size(); ++m) {
    exponents[m] = portable::log(weights_[static_cast<Index>(m)]) - portable::log(2 * M_PI * variance);
  }
  const std::vector<double> log_weights = exponents;
  Vector result(uv.cols());
  for (Index j = 0; j < uv.cols(); ++j) {
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t m = 0; m < exponents.size(); ++m) {
      const double du = uv(0, j) - centres_(0, static_cast<Index>(m));
      const double dv = uv(1, j) - centres_(1, static_cast<Index>(m));
      exponents[m] = log_weights[m] - (du * du + dv * dv) * (0.5 / variance);
      largest = std::max(largest, exponents[m]);
    }
    double total = 0;
    for (const double exponent : exponents) total += portable::exp(exponent - largest);
    result[j] = largest + portable::log(total);
  }
  return result;
}

std::optional<double> PlanarMixture::entropy() const {
  const double step = width_ / 8;
  const Eigen::Vector2d low = centres_.rowwise().minCoeff().array() - 9 * width_;
  const Eigen::Vector2d high = centres_.rowwise().maxCoeff().array() + 9 * width_;
  const auto columns = static_cast<Index>(std::ceil((high[0] - low[0]) / step)) + 1;
  const auto rows = static_cast<Index>(std::ceil((high[1] - low[1]) / step)) + 1;
  TreeSum sum;
  Points uv(2, columns);
  for (Index i = 0; i < columns; ++i) uv(0, i) = low[0] + step * static_cast<double>(i);
  for (Index row = 0; row < rows; ++row) {
    uv.row(1).setConstant(low[1] + step * static_cast<double>(row));
    const Vector log_p = log_density_uv(uv);
    for (Index i = 0; i < columns; ++i) sum.add(-portable::exp(log_p[i]) * log_p[i]);
  }
  return sum.sum() * step * step;
}

Vector PlanarMixture::masses(const PlanePartition& partition) const {
  const Index bins = partition.bins();
  Vector result = Vector::Zero(partition.size());
  for (Index m = 0; m < centres_.cols(); ++m) {
    Vector share[2] = {Vector(bins), Vector(bins)};
    for (Index i = 0; i < 2; ++i) {
      for (Index b = 0; b < bins; ++b) {
        share[i][b] = normal_mass((partition.edge(b) - centres_(i, m)) / width_,
                                  (partition.edge(b + 1) - centres_(i, m)) / width_);
      }
    }
    for (Index row = 0; row < bins; ++row) {
      result.segment(row * bins, bins) += weights_[m] * share[1][row] * share[0];
    }
  }
  result[bins * bins] = std::max(0.0, 1 - tree_sum(Vector(result.head(bins * bins))));
  return result;
}

double PlanarMixture::standard_deviation() const {
  double spread = 0;
  for (Index i = 0; i < 2; ++i) {
    const double mean = tree_sum_over(weights_.size(), [&](Index m) { return weights_[m] * centres_(i, m); });
    spread += tree_sum_over(weights_.size(),
                            [&](Index m) { return weights_[m] * ((centres_(i, m) - mean) * (centres_(i, m) - mean)); });
  }
  return std::sqrt((spread + 2 * width_ * width_) / 3);
}

std::shared_ptr<const DiffusedScore> make_diffused_planar_mixture(const PlanarMixture& mixture, const Lift& lift) {
  return std::make_shared<DiffusedPlanarMixture>(mixture, lift);
}

}  // namespace onmanifold
