// SPDX-License-Identifier: Apache-2.0
#include "manifolds/fisher_moments.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/LU>

#include "core/math/decompositions.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/scaled_bessel.hpp"
#include "core/points.hpp"

namespace onmanifold {

using Eigen::Matrix3d;

SignedSvd::SignedSvd(const Matrix3d& f) {
  const Svd3 svd = jacobi_svd3(f);
  u = svd.u;
  v = svd.v;
  for (std::size_t i = 0; i < 3; ++i) s[i] = svd.s[static_cast<Index>(i)];
  if (u.determinant() < 0) {
    u.col(2) *= -1;
    s[2] = -s[2];
  }
  if (v.determinant() < 0) {
    v.col(2) *= -1;
    s[2] = -s[2];
  }
}

namespace {

/// The integrals of fisher_moments over l = (1 - u)/2 in [0, 1], without the factor exp(s1 + s2 + s3).
struct FisherSums {
  double difference;  // s1 - s2
  double sum;         // s1 + s2
  double rate;        // 2 (s2 + s3)
  double total = 0;
  double inside = 0;
  double outside = 0;
  double third = 0;

  /// Nodes l and r = 1 - l with weights.
  void add(const BesselLane& l, const BesselLane& r, const BesselLane& weights) {
    BesselLane a0;
    BesselLane a1;
    BesselLane b0;
    BesselLane b1;
    scaled_bessel(difference * l, a0, a1);
    scaled_bessel(sum * r, b0, b1);
    const BesselLane mass = weights * (-rate * l).exp();
    total += (mass * a0 * b0).sum();
    inside += (mass * a1 * b0 * l).sum();
    outside += (mass * a0 * b1 * r).sum();
    third += (mass * a0 * b0 * (r - l)).sum();
  }
};

}  // namespace

FisherMoments fisher_moments(const Eigen::Matrix3d& f) {
  static const QuadratureRule rule = gauss_legendre(bessel_lane, 0, 1);
  static const BesselLane nodes = rule.nodes.array();
  static const BesselLane weights = rule.weights.array();
  const SignedSvd svd(f);
  const auto& [s1, s2, s3] = svd.s;
  const double rate = 2 * (s2 + s3);
  FisherSums sums{s1 - s2, s1 + s2, rate};
  if (rate > 40) {
    const double stretch = std::max(s1 - s2, rate);
    const double end = std::log1p(stretch * 40 / rate);
    const BesselLane growth = (end * nodes).exp();
    const BesselLane l = (growth - 1) / stretch;
    sums.add(l, 1 - l, (end / stretch) * weights * growth);
  } else if (s1 + s2 <= 100) {
    static const BesselLane l = (M_PI / 2 * nodes).sin().square();
    static const BesselLane weight = weights * (M_PI / 2) * (M_PI * nodes).sin();
    sums.add(l, 1 - l, weight);
  } else {
    for (const double stretch : {std::max({s1 - s2, rate, 1.0}), -(s1 + s2)}) {
      const double size = std::abs(stretch);
      const double end = std::log1p(size / 2);
      const BesselLane growth = (end * nodes).exp();
      const BesselLane near = (growth - 1) / size;
      const BesselLane far = 1 - near;
      sums.add(stretch > 0 ? near : far, stretch > 0 ? far : near, (end / size) * weights * growth);
    }
  }
  const double total = sums.total;
  const Eigen::Vector3d mean((sums.inside + sums.outside) / total, (sums.outside - sums.inside) / total,
                             sums.third / total);
  FisherMoments result;
  result.log_normaliser = s1 + s2 + s3 + std::log(total);
  result.mean = svd.u * mean.asDiagonal() * svd.v.transpose();
  return result;
}

}  // namespace onmanifold
