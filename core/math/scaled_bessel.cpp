// SPDX-License-Identifier: Apache-2.0
#include "core/math/scaled_bessel.hpp"

#include <array>
#include <cmath>
#include <numbers>

#include <boost/math/special_functions/bessel.hpp>

namespace onmanifold {
namespace {

constexpr int terms = 34;
constexpr double split = 8;

using Coefficients = std::array<double, terms>;

/// sqrt(x) exp(-x) I_order(x) for x >= 50, where the asymptotic series has 1e-19 before it turns.
long double asymptotic(int order, long double x) {
  const long double mu = 4.0L * order * order;
  long double term = 1;
  long double sum = 1;
  for (int k = 1; k <= 30; ++k) {
    term *= -(mu - (2.0L * k - 1) * (2.0L * k - 1)) / (8.0L * k * x);
    sum += term;
  }
  return sum / std::sqrt(2 * std::numbers::pi_v<long double>);
}

/// Interpolation of \p f on [0, 1] at Chebyshev nodes; in extended precision, so that 34 coefficients bring
/// no error of their own.
template <class Function>
Coefficients interpolate(const Function& f) {
  constexpr long double pi = std::numbers::pi_v<long double>;
  std::array<long double, terms> values{};
  for (std::size_t i = 0; i < terms; ++i) {
    values[i] = f(0.5L + 0.5L * std::cos(pi * (static_cast<long double>(i) + 0.5L) / terms));
  }
  Coefficients result{};
  for (std::size_t k = 0; k < terms; ++k) {
    long double sum = 0;
    for (std::size_t i = 0; i < terms; ++i) {
      sum += values[i] * std::cos(pi * static_cast<long double>(k) * (static_cast<long double>(i) + 0.5L) / terms);
    }
    result[k] = static_cast<double>((k == 0 ? 1 : 2) * sum / terms);
  }
  return result;
}

struct Tables {
  std::array<Coefficients, 2> near;  // of exp(-x) I_n(x), and of that over x for n = 1, in x/8
  std::array<Coefficients, 2> far;   // of sqrt(x) exp(-x) I_n(x) in 8/x
};

const Tables& tables() {
  static const Tables result = [] {
    Tables t;
    for (int order = 0; order < 2; ++order) {
      const auto n = static_cast<std::size_t>(order);
      t.near[n] = interpolate([order](long double s) {
        const long double x = split * s;
        const long double value = std::exp(-x) * boost::math::cyl_bessel_i(order, x);
        return order == 0 ? value : value / x;  // I_1 vanishes at 0: its quotient keeps the relative error
      });
      t.far[n] = interpolate([order](long double s) {
        const long double x = split / s;
        if (x >= 50) return asymptotic(order, x);
        return std::sqrt(x) * std::exp(-x) * boost::math::cyl_bessel_i(order, x);
      });
    }
    return t;
  }();
  return result;
}

/// Clenshaw's recurrence at t in [-1, 1].
template <class Number>
Number chebyshev(const Coefficients& c, const Number& t) {
  const Number twice = 2 * t;
  Number ahead = 0 * t;
  Number current = 0 * t + c[terms - 1];
  for (std::size_t k = terms - 2; k > 0; --k) {
    const Number next = twice * current - ahead + c[k];
    ahead = current;
    current = next;
  }
  return t * current - ahead + c[0];
}

double evaluate(std::size_t order, double x) {
  const Tables& t = tables();
  if (x <= split) return chebyshev(t.near[order], x * (2 / split) - 1) * (order == 0 ? 1 : x);
  return chebyshev(t.far[order], 2 * split / x - 1) / std::sqrt(x);
}

}  // namespace

void scaled_bessel(const BesselLane& x, BesselLane& i0, BesselLane& i1) {
  const Tables& t = tables();
  const Eigen::Array<bool, bessel_lane, 1> close = x <= split;
  if (close.any()) {
    const BesselLane s = x.min(split) * (2 / split) - 1;
    i0 = chebyshev(t.near[0], s);
    i1 = chebyshev(t.near[1], s) * x;
    if (close.all()) return;
  }
  const BesselLane far = x.max(split);
  const BesselLane s = 2 * split / far - 1;
  const BesselLane root = far.rsqrt();
  const BesselLane far0 = chebyshev(t.far[0], s) * root;
  const BesselLane far1 = chebyshev(t.far[1], s) * root;
  i0 = close.select(i0, far0);
  i1 = close.select(i1, far1);
}

double scaled_bessel_i0(double x) {
  return evaluate(0, x);
}

double scaled_bessel_i1(double x) {
  return evaluate(1, x);
}

}  // namespace onmanifold
