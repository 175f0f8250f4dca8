// SPDX-License-Identifier: Apache-2.0
#include "manifolds/fisher_moments.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/LU>

#include "core/math/decompositions.hpp"
#include "core/math/portable.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/scaled_bessel.hpp"
#include "core/math/summation.hpp"
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

/// Arithmetic of the integrals: Eigen's vectors, with what the machine has.
struct FastMath {
  static BesselLane exp(const BesselLane& x) { return x.exp(); }
  static BesselLane sin(const BesselLane& x) { return x.sin(); }
  static double log(double x) { return std::log(x); }
  static double log1p(double x) { return std::log1p(x); }
  static double sum(const BesselLane& x) { return x.sum(); }
  static void bessel(const BesselLane& x, BesselLane& i0, BesselLane& i1) { scaled_bessel(x, i0, i1); }
};

/// The same bits on every machine.
struct PortableMath {
  template <class Function>
  static BesselLane each(const BesselLane& x, const Function& f) {
    BesselLane result;
    for (int i = 0; i < bessel_lane; ++i) result[i] = f(x[i]);
    return result;
  }
  static BesselLane exp(const BesselLane& x) { return each(x, portable::exp); }
  static BesselLane sin(const BesselLane& x) { return each(x, portable::sin); }
  static double log(double x) { return portable::log(x); }
  static double log1p(double x) { return portable::log1p(x); }
  static double sum(const BesselLane& x) { return tree_sum(x.matrix()); }
  static void bessel(const BesselLane& x, BesselLane& i0, BesselLane& i1) {
    i0 = each(x, scaled_bessel_i0);
    i1 = each(x, scaled_bessel_i1);
  }
};

/// The integrals of fisher_moments over l = (1 - u)/2 in [0, 1], without the factor exp(s1 + s2 + s3).
template <class Math>
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
    Math::bessel(difference * l, a0, a1);
    Math::bessel(sum * r, b0, b1);
    const BesselLane mass = weights * Math::exp(-rate * l);
    total += Math::sum(mass * a0 * b0);
    inside += Math::sum(mass * a1 * b0 * l);
    outside += Math::sum(mass * a0 * b1 * r);
    third += Math::sum(mass * a0 * b0 * (r - l));
  }
};

template <class Math>
FisherMoments moments(const Eigen::Matrix3d& f) {
  static const QuadratureRule rule = gauss_legendre(bessel_lane, 0, 1);
  static const BesselLane nodes = rule.nodes.array();
  static const BesselLane weights = rule.weights.array();
  const SignedSvd svd(f);
  const auto& [s1, s2, s3] = svd.s;
  const double rate = 2 * (s2 + s3);
  FisherSums<Math> sums{s1 - s2, s1 + s2, rate};
  if (rate > 40) {
    const double stretch = std::max(s1 - s2, rate);
    const double end = Math::log1p(stretch * 40 / rate);
    const BesselLane growth = Math::exp(end * nodes);
    const BesselLane l = (growth - 1) / stretch;
    sums.add(l, 1 - l, (end / stretch) * weights * growth);
  } else if (s1 + s2 <= 100) {
    static const BesselLane l = Math::sin(M_PI / 2 * nodes).square();
    static const BesselLane weight = weights * (M_PI / 2) * Math::sin(M_PI * nodes);
    sums.add(l, 1 - l, weight);
  } else {
    for (const double stretch : {std::max({s1 - s2, rate, 1.0}), -(s1 + s2)}) {
      const double size = std::abs(stretch);
      const double end = Math::log1p(size / 2);
      const BesselLane growth = Math::exp(end * nodes);
      const BesselLane near = (growth - 1) / size;
      const BesselLane far = 1 - near;
      sums.add(stretch > 0 ? near : far, stretch > 0 ? far : near, (end / size) * weights * growth);
    }
  }
  const double total = sums.total;
  const Eigen::Vector3d mean((sums.inside + sums.outside) / total, (sums.outside - sums.inside) / total,
                             sums.third / total);
  FisherMoments result;
  result.log_normaliser = s1 + s2 + s3 + Math::log(total);
  result.mean = svd.u * mean.asDiagonal() * svd.v.transpose();
  return result;
}

}  // namespace

FisherMoments fisher_moments(const Eigen::Matrix3d& f) {
  return moments<FastMath>(f);
}

FisherMoments portable_fisher_moments(const Eigen::Matrix3d& f) {
  return moments<PortableMath>(f);
}

}  // namespace onmanifold
