// SPDX-License-Identifier: Apache-2.0
#include "core/points.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/message_of.hpp"

namespace onmanifold {
namespace {

TEST(Points, Dimension) {
  const Points points = Points::Zero(3, 5);
  EXPECT_NO_THROW(check_dimension(points, 3, "samples"));
  EXPECT_EQ(message_of([&] { check_dimension(points, 4, "samples"); }),
            "samples: points have 3 coordinates, expected 4");
}

TEST(Points, Finite) {
  Points points = Points::Zero(3, 5);
  EXPECT_EQ(first_nonfinite_column(points), -1);
  EXPECT_NO_THROW(check_finite(points, "samples"));
  points(2, 4) = HUGE_VAL;
  points(0, 3) = std::nan("");
  EXPECT_EQ(first_nonfinite_column(points), 3);
  EXPECT_EQ(message_of([&] { check_finite(points, "samples"); }), "samples: point 3 is not finite");
  EXPECT_EQ(first_nonfinite_column(points.leftCols(3)), -1);
  EXPECT_EQ(first_nonfinite_column(Points(3, 0)), -1);
}

}  // namespace
}  // namespace onmanifold
