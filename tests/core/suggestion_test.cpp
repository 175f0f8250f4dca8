// SPDX-License-Identifier: Apache-2.0
#include "core/suggestion.hpp"

#include <gtest/gtest.h>

namespace onmanifold {
namespace {

const std::vector<std::string> names = {"tvd", "w1", "w2", "sliced_w2", "coverage", "sphere-vmf6"};

TEST(NearestName, IsWhatWasMeant) {
  EXPECT_EQ(nearest_name("TVD", names), "tvd");
  EXPECT_EQ(nearest_name("tdv", names), "tvd");  // one swap
  EXPECT_EQ(nearest_name("covrage", names), "coverage");
  EXPECT_EQ(nearest_name("sphere_vmf7", names), "sphere-vmf6");
  EXPECT_EQ(nearest_name("w3", names), "w1");  // the first of equals
}

TEST(NearestName, IsEmptyWhereNothingIsNear) {
  for (const std::string& far : {std::string(), std::string("nonsense"), std::string("xyz"), std::string(1000, 'w')}) {
    EXPECT_EQ(nearest_name(far, names), "") << far;
  }
}

TEST(UnknownName, AsksFirstAndListsThen) {
  EXPECT_EQ(unknown_name("metric", "w3", {"w1", "tvd"}), "unknown metric 'w3': did you mean 'w1'? (known: w1, tvd)");
  EXPECT_EQ(unknown_name("metric", "nonsense", {"w1", "tvd"}), "unknown metric 'nonsense' (known: w1, tvd)");
}

}  // namespace
}  // namespace onmanifold
