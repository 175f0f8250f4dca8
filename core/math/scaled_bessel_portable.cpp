// SPDX-License-Identifier: Apache-2.0
// Compiled with -ffp-contract=off (see CMakeLists.txt).
#include <cmath>

#include "core/math/scaled_bessel.hpp"
#include "core/math/scaled_bessel_tables.hpp"

namespace onmanifold {
namespace {

using namespace detail::bessel;

/// Clenshaw's recurrence at t in [-1, 1].
double chebyshev(const Coefficients& c, double t) {
  double ahead = 0;
  double current = c[terms - 1];
  for (std::size_t k = terms - 2; k > 0; --k) {
    const double next = 2 * t * current - ahead + c[k];
    ahead = current;
    current = next;
  }
  return t * current - ahead + c[0];
}

double evaluate(std::size_t order, double x) {
  if (x <= split) return chebyshev(near[order], x * (2 / split) - 1) * (order == 0 ? 1 : x);
  return chebyshev(far[order], 2 * split / x - 1) / std::sqrt(x);
}

}  // namespace

double scaled_bessel_i0(double x) {
  return evaluate(0, x);
}

double scaled_bessel_i1(double x) {
  return evaluate(1, x);
}

}  // namespace onmanifold
