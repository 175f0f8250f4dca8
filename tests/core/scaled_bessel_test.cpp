// SPDX-License-Identifier: Apache-2.0
#include "core/math/scaled_bessel.hpp"

#include <cmath>

#include <boost/math/special_functions/bessel.hpp>
#include <gtest/gtest.h>

namespace onmanifold {
namespace {

TEST(ScaledBessel, MatchesBoostEverywhere) {
  // 1e-14: the recurrence of 34 terms adds up a few ulp near the ends, where Chebyshev sums cancel most.
  for (double x = 1e-12; x < 600; x *= 1.07) {
    EXPECT_NEAR(scaled_bessel_i0(x) / (boost::math::cyl_bessel_i(0, x) * std::exp(-x)), 1, 1e-14) << x;
    EXPECT_NEAR(scaled_bessel_i1(x) / (boost::math::cyl_bessel_i(1, x) * std::exp(-x)), 1, 1e-14) << x;
  }
  EXPECT_NEAR(scaled_bessel_i0(0), 1, 1e-14);
  EXPECT_EQ(scaled_bessel_i1(0), 0);
  // sqrt(2 pi x) exp(-x) I_0(x) = 1 + 1/8x + 9/128x^2 + …
  EXPECT_NEAR(scaled_bessel_i0(1e6) * std::sqrt(2e6 * M_PI), 1 + 1.25e-7, 1e-13);
}

TEST(ScaledBessel, LanesAreTheSingleNumbers) {
  for (const double scale : {0.1, 2.0, 30.0, 1e5}) {
    BesselLane x;
    for (int i = 0; i < bessel_lane; ++i) x[i] = scale * i / 8.0;
    BesselLane i0;
    BesselLane i1;
    scaled_bessel(x, i0, i1);
    for (int i = 0; i < bessel_lane; ++i) {
      EXPECT_NEAR(i0[i], scaled_bessel_i0(x[i]), 1e-14);
      EXPECT_NEAR(i1[i], scaled_bessel_i1(x[i]), 1e-14);
    }
  }
}

}  // namespace
}  // namespace onmanifold
