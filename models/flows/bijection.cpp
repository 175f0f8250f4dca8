// SPDX-License-Identifier: Apache-2.0
#include "models/flows/bijection.hpp"

#include <array>
#include <cmath>
#include <type_traits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "models/networks/vector_math.hpp"

namespace onmanifold {
namespace {

using vector_math::larger;
using vector_math::logistic;
using vector_math::smaller;
using vector_math::softplus;

template <class T>
using Scalar = std::conditional_t<std::is_same_v<T, double>, double, float>;

class AffineBijection final : public Bijection {
 public:
  explicit AffineBijection(double bound) : bound_(bound) {}
  [[nodiscard]] Index parameters() const override { return 2; }
  void apply(const Vec* theta, Vec x, Vec& z, Vec& log_slope) const override { apply_to<Vec>(theta, x, z, log_slope); }
  void apply(const double* theta, double x, double& z, double& log_slope) const override {
    apply_to<double>(theta, x, z, log_slope);
  }
  void differentiate(const Vec* theta, Vec x, Vec dz, Vec dlog, Vec& dx, Vec* dtheta) const override {
    const Vec t = 2.0F * logistic(2.0F * theta[0]) - 1.0F;
    const Vec slope = vector_math::exp(static_cast<float>(bound_) * t);
    dx = dz * slope;
    dtheta[0] = (dz * x * slope + dlog) * static_cast<float>(bound_) * (1.0F - t * t);
    dtheta[1] = dz;
  }
  [[nodiscard]] double invert(const double* theta, double z) const override {
    return (z - theta[1]) * std::exp(-log_slope_of(theta[0]));
  }

 private:
  template <class T>
  [[nodiscard]] T log_slope_of(T a) const {
    return static_cast<Scalar<T>>(bound_) * (2 * logistic(2 * a) - 1);  // tanh
  }
  template <class T>
  void apply_to(const T* theta, T x, T& z, T& log_slope) const {
    log_slope = log_slope_of(theta[0]);
    z = x * vector_math::exp(log_slope) + theta[1];
  }

  double bound_;
};

class SplineBijection final : public Bijection {
 public:
  SplineBijection(Index bins, double bound)
      : bins_(bins), bound_(bound), span_(2 * bound * (1 - least * static_cast<double>(bins))) {}
  [[nodiscard]] Index parameters() const override { return 3 * bins_ - 1; }
  void apply(const Vec* theta, Vec x, Vec& z, Vec& log_slope) const override { apply_to<Vec>(theta, x, z, log_slope); }
  void apply(const double* theta, double x, double& z, double& log_slope) const override {
    apply_to<double>(theta, x, z, log_slope);
  }

  void differentiate(const Vec* theta, Vec x, Vec dz, Vec dlog, Vec& dx, Vec* dtheta) const override {
    Bin<Vec> b;
    find_bin(theta, x, false, b);
    const auto inside = x > static_cast<float>(-bound_) && x < static_cast<float>(bound_);
    const Vec gz = inside ? dz : Vec{};
    const Vec gl = inside ? dlog : Vec{};
    const Vec t = position(b, x);
    const Vec r = 1.0F - t;
    const Vec u = t * r;
    const Vec s = b.height / b.width;
    const Vec bend = b.d0 + b.d1 - 2.0F * s;
    const Vec top = s * t * t + b.d0 * u;
    const Vec bottom = s + bend * u;
    const Vec inner = b.d1 * t * t + 2.0F * s * u + b.d0 * r * r;
    // Backwards through z = y0 + height top / bottom and log slope = 2 log s + log inner - 2 log bottom.
    const Vec g_top = gz * b.height / bottom;
    const Vec g_bottom = -(g_top * top + 2.0F * gl) / bottom;
    const Vec g_inner = gl / inner;
    const Vec g_u = 2.0F * s * g_inner + b.d0 * g_top + bend * g_bottom;
    const Vec g_s = 2.0F * gl / s + 2.0F * u * g_inner + t * t * g_top + (1.0F - 2.0F * u) * g_bottom;
    const Vec g_t = 2.0F * (b.d1 * t - b.d0 * r) * g_inner + 2.0F * s * t * g_top + (1.0F - 2.0F * t) * g_u;
    const Vec g_d0 = r * r * g_inner + u * (g_top + g_bottom);
    const Vec g_d1 = t * t * g_inner + u * g_bottom;
    const Vec g_height = gz * top / bottom + g_s / b.width;
    const Vec g_x0 = -g_t / b.width;
    const Vec g_width = -(g_s * s + g_t * t) / b.width;
    dx = inside ? -g_x0 : dz;
    softmax_gradient(b.p, b.index, g_x0, g_width, dtheta);
    softmax_gradient(b.q, b.index, gz, g_height, dtheta + bins_);
    const Vec g_u0 = g_d0 * logistic(b.u0 + static_cast<float>(unit_slope));
    const Vec g_u1 = g_d1 * logistic(b.u1 + static_cast<float>(unit_slope));
    Vec* const slopes = dtheta + 2 * bins_;
    for (Index k = 1; k < bins_; ++k) {
      const auto number = static_cast<float>(k);
      slopes[k - 1] = b.index == number ? g_u0 : (b.index == number - 1.0F ? g_u1 : Vec{});
    }
  }

  [[nodiscard]] double invert(const double* theta, double z) const override {
    if (!(z > -bound_ && z < bound_)) return z;
    Bin<double> b;
    find_bin(theta, z, true, b);
    const double s = b.height / b.width;
    const double bend = b.d0 + b.d1 - 2 * s;
    const double rise = smaller(larger(z - b.y0, 0.0), b.height);
    // (height (s - d0) + rise bend) t^2 + (height d0 - rise bend) t - s rise = 0, the root in [0, 1] without
    // cancellation; the discriminant is positive but for rounding.
    const double a = b.height * (s - b.d0) + rise * bend;
    const double h = b.height * b.d0 - rise * bend;
    const double root = std::sqrt(larger(h * h + 4 * a * s * rise, 0.0));
    return b.x0 + b.width * smaller(2 * s * rise / (h + root), 1.0);
  }

 private:
  static constexpr double least = 1e-3;                     // width and height of a bin in units of the interval, slope
  static constexpr double unit_slope = 0.5397424172369522;  // softplus(this) = 1 - least

  template <class T>
  struct Bin {
    T x0, width, y0, height, d0, d1;
    T u0, u1;  // what made d0 and d1
    T index;
    std::array<T, most_spline_bins> p, q;  // shares of the widths and heights
  };

  template <class T>
  void softmax(const T* theta, std::array<T, most_spline_bins>& share) const {
    T top = theta[0];
    for (Index k = 1; k < bins_; ++k) top = larger(top, theta[k]);
    T sum{};
    for (Index k = 0; k < bins_; ++k) {
      T& e = share[static_cast<std::size_t>(k)];
      e = vector_math::exp(theta[k] - top);
      sum += e;
    }
    const T inverse = 1 / sum;
    for (Index k = 0; k < bins_; ++k) share[static_cast<std::size_t>(k)] *= inverse;
  }

  /// The bin that \p key lies in, an x or (\p by_output) a z; beyond the ends: the first or the last.
  template <class T>
  void find_bin(const T* theta, T key, bool by_output, Bin<T>& b) const {
    using S = Scalar<T>;
    softmax(theta, b.p);
    softmax(theta + bins_, b.q);
    const T* const slopes = theta + 2 * bins_;
    const S lowest = static_cast<S>(2 * bound_ * least);
    const S span = static_cast<S>(span_);
    const T zero{};
    T x = zero - static_cast<S>(bound_);
    T y = x;
    T left = zero;  // softplus^-1 of the slope at the left knot, less unit_slope
    for (Index k = 0; k < bins_; ++k) {
      const T width = lowest + span * b.p[static_cast<std::size_t>(k)];
      const T height = lowest + span * b.q[static_cast<std::size_t>(k)];
      const T right = k + 1 < bins_ ? slopes[k] : zero;
      if (k == 0) {
        b.x0 = x;
        b.width = width;
        b.y0 = y;
        b.height = height;
        b.u0 = left;
        b.u1 = right;
        b.index = zero;
      } else {
        const auto reached = by_output ? key >= y : key >= x;
        b.x0 = reached ? x : b.x0;
        b.width = reached ? width : b.width;
        b.y0 = reached ? y : b.y0;
        b.height = reached ? height : b.height;
        b.u0 = reached ? left : b.u0;
        b.u1 = reached ? right : b.u1;
        b.index = reached ? zero + static_cast<S>(k) : b.index;
      }
      x += width;
      y += height;
      left = right;
    }
    b.d0 = static_cast<S>(least) + softplus(T(b.u0 + static_cast<S>(unit_slope)));
    b.d1 = static_cast<S>(least) + softplus(T(b.u1 + static_cast<S>(unit_slope)));
  }

  template <class T>
  static T position(const Bin<T>& b, T x) {
    const T zero{};
    const T t = (x - b.x0) / b.width;
    return smaller(larger(t, zero), T(zero + 1));
  }

  template <class T>
  void apply_to(const T* theta, T x, T& z, T& log_slope) const {
    using S = Scalar<T>;
    Bin<T> b;
    find_bin(theta, x, false, b);
    const auto inside = x > static_cast<S>(-bound_) && x < static_cast<S>(bound_);
    const T t = position(b, x);
    const T r = 1 - t;
    const T u = t * r;
    const T s = b.height / b.width;
    const T bottom = s + (b.d0 + b.d1 - 2 * s) * u;
    const T inner = b.d1 * t * t + 2 * s * u + b.d0 * r * r;
    const T zero{};
    z = inside ? b.y0 + b.height * (s * t * t + b.d0 * u) / bottom : x;
    log_slope = inside ? vector_math::log(s * s * inner / (bottom * bottom)) : zero;
  }

  /// dtheta from the derivatives in the left end and the size of bin \p index.
  void softmax_gradient(const std::array<Vec, most_spline_bins>& share, Vec index, Vec left, Vec size,
                        Vec* dtheta) const {
    Vec mean{};
    for (Index k = 0; k < bins_; ++k) {
      const auto number = static_cast<float>(k);
      dtheta[k] = index > number ? left : (index == number ? size : Vec{});
      mean += share[static_cast<std::size_t>(k)] * dtheta[k];
    }
    const auto span = static_cast<float>(span_);
    for (Index k = 0; k < bins_; ++k) {
      dtheta[k] = span * share[static_cast<std::size_t>(k)] * (dtheta[k] - mean);
    }
  }

  Index bins_;
  double bound_;
  double span_;
};

}  // namespace

std::unique_ptr<Bijection> make_affine_bijection(double bound) {
  if (!(bound > 0)) throw InvalidInput("affine coupling: the bound of the log-scale must be positive");
  return std::make_unique<AffineBijection>(bound);
}

std::unique_ptr<Bijection> make_spline_bijection(Index bins, double bound) {
  if (bins < 1 || bins > most_spline_bins || !(bound > 0)) {
    throw InvalidInput(
        fmt::format("spline: {} bins on ±{}: 1 to {} bins on a positive interval", bins, bound, most_spline_bins));
  }
  return std::make_unique<SplineBijection>(bins, bound);
}

}  // namespace onmanifold
