// SPDX-License-Identifier: Apache-2.0
#include "core/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace onmanifold {
namespace {

using ::testing::ElementsAre;

TEST(Registry, KeepsTheOrderOfAdding) {
  Registry<int (*)(int)> registry("task");
  registry.add("twice", "doubles", [](int x) { return 2 * x; });
  registry.add("add-one", "increments", [](int x) { return x + 1; });
  EXPECT_THAT(registry.names(), ElementsAre("twice", "add-one"));
  EXPECT_EQ(registry.get("twice").factory(21), 42);
  EXPECT_EQ(registry.get("add-one").description, "increments");
  EXPECT_EQ(registry.find("none"), nullptr);
}

TEST(Registry, ErrorsListTheKnownNames) {
  Registry<int> registry("method");
  registry.add("ddpm", "", 1);
  registry.add("pdm", "", 2);
  try {
    (void)registry.get("ddmp");
    FAIL() << "found";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "unknown method 'ddmp': did you mean 'ddpm'? (known: ddpm, pdm)");
  }
  try {
    registry.add("pdm", "", 3);
    FAIL() << "added twice";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "method 'pdm' is registered twice");
  }
}

}  // namespace
}  // namespace onmanifold
