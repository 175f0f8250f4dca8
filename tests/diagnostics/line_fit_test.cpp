// SPDX-License-Identifier: Apache-2.0
// Least squares against numbers worked out by hand, and the coverage of its interval.
#include "diagnostics/line_fit.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {
namespace {

TEST(LineFit, OfFivePointsByHand) {
  // x mean 3, y mean 6.1; Sxx = 10, Sxy = 19.6, Syy = 38.46: residual 38.46 - 38.416 = 0.044 over 3 degrees.
  const LineFit fit = fit_line(Vector{{1, 2, 3, 4, 5}}, Vector{{2.2, 4.1, 6.2, 7.9, 10.1}});
  EXPECT_NEAR(fit.slope, 1.96, 1e-14);
  EXPECT_NEAR(fit.intercept, 0.22, 1e-14);
  EXPECT_NEAR(fit.slope_se, std::sqrt(0.044 / 3 / 10), 1e-13);
  // t(.975; 3) = 3.182446.
  EXPECT_NEAR(fit.slope_interval.high, 1.96 + 3.182446 * std::sqrt(0.044 / 3 / 10), 1e-7);
  EXPECT_EQ(fit.points, 5);
}

TEST(LineFit, CoversTheSlopeAsOftenAsItSays) {
  const Stream stream(1, "coverage");
  const Vector x = Vector::LinSpaced(8, 0, 1);
  Index right = 0;
  Index shifted = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Vector y = 3 * x + stream.at(i).normal(8, 1).col(0);
    const Interval interval = fit_line(x, y).slope_interval;
    right += interval.low <= 3 && 3 <= interval.high ? 1 : 0;
    shifted += interval.low <= 4.5 && 4.5 <= interval.high ? 1 : 0;
  }
  // 95 % of 2000 is 1900 with deviation 9.7: four of them.
  EXPECT_NEAR(static_cast<double>(right), 1900, 39);
  EXPECT_LT(shifted, 1861);
}

TEST(LineFit, RefusesWhatHasNoLine) {
  EXPECT_THROW((void)fit_line(Vector{{1}}, Vector{{1}}), InvalidInput);
  EXPECT_THROW((void)fit_line(Vector{{1, 2}}, Vector{{1, 2, 3}}), InvalidInput);
  EXPECT_THROW((void)fit_line(Vector{{2, 2, 2}}, Vector{{1, 2, 3}}), InvalidInput);
  EXPECT_THROW((void)fit_line(Vector{{1, 2}}, Vector{{1, std::numeric_limits<double>::infinity()}}), InvalidInput);
  const LineFit two = fit_line(Vector{{1, 2}}, Vector{{1, 4}});
  EXPECT_DOUBLE_EQ(two.slope, 3);
  EXPECT_TRUE(std::isnan(two.slope_se));
}

}  // namespace
}  // namespace onmanifold
