// SPDX-License-Identifier: Apache-2.0
// The vectors; single numbers, which are the same bits on every machine, are in scaled_bessel_portable.cpp.
#include "core/math/scaled_bessel.hpp"

#include "core/math/scaled_bessel_tables.hpp"

namespace onmanifold {
namespace {

using namespace detail::bessel;

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

}  // namespace

void scaled_bessel(const BesselLane& x, BesselLane& i0, BesselLane& i1) {
  const Eigen::Array<bool, bessel_lane, 1> close = x <= split;
  if (close.any()) {
    const BesselLane s = x.min(split) * (2 / split) - 1;
    i0 = chebyshev(near[0], s);
    i1 = chebyshev(near[1], s) * x;
    if (close.all()) return;
  }
  const BesselLane beyond = x.max(split);
  const BesselLane s = 2 * split / beyond - 1;
  const BesselLane root = beyond.rsqrt();
  const BesselLane far0 = chebyshev(far[0], s) * root;
  const BesselLane far1 = chebyshev(far[1], s) * root;
  i0 = close.select(i0, far0);
  i1 = close.select(i1, far1);
}

}  // namespace onmanifold
