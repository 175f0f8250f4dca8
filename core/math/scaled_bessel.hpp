// SPDX-License-Identifier: Apache-2.0
#pragma once
// exp(-x) I_0(x) and exp(-x) I_1(x) for x >= 0, on one number or many at a time.

#include <Eigen/Core>

namespace onmanifold {

/// Numbers worked on together by the functions below.
inline constexpr int bessel_lane = 64;
using BesselLane = Eigen::Array<double, bessel_lane, 1>;

/// Chebyshev interpolants, in x on [0, 8] and in 8/x beyond. Relative error below 1e-14. About 1 ns a number when
/// vectorised.
void scaled_bessel(const BesselLane& x, BesselLane& i0, BesselLane& i1);

/// exp(-x) I_0(x), \pre x >= 0. The same bits on every machine.
[[nodiscard]] double scaled_bessel_i0(double x);
/// exp(-x) I_1(x), \pre x >= 0. The same bits on every machine.
[[nodiscard]] double scaled_bessel_i1(double x);

}  // namespace onmanifold
