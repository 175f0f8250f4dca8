// SPDX-License-Identifier: Apache-2.0
#include "core/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/message_of.hpp"

namespace onmanifold {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Value at_line(Value value, int line) {
  value.line = line;
  return value;
}

Settings example() {
  Value::Table table;
  table["steps"] = at_line(7000, 12);
  table["rate"] = at_line(1e-3, 13);
  table["whole"] = at_line(2, 14);
  table["name"] = at_line("ddpm", 15);
  table["fast"] = at_line(true, 16);
  table["lifts"] = at_line(Value::Array{"none", "normal"}, 17);
  return {at_line(table, 11), "quick.toml"};
}

TEST(Settings, ReadsTypedValuesAndRecordsThem) {
  Settings settings = example();
  EXPECT_EQ(settings.integer("steps", 1), 7000);
  EXPECT_EQ(settings.number("rate", 1), 1e-3);
  EXPECT_EQ(settings.number("whole", 1), 2.0);  // an integer is a number
  EXPECT_EQ(settings.text("name", ""), "ddpm");
  EXPECT_TRUE(settings.boolean("fast", false));
  EXPECT_EQ(settings.texts("lifts", {}), (std::vector<std::string>{"none", "normal"}));
  EXPECT_EQ(settings.number("width", 128), 128);  // a default
  EXPECT_NO_THROW(settings.finish());
  EXPECT_EQ(
      to_json(settings.resolved()),
      R"({"fast":true,"lifts":["none","normal"],"name":"ddpm","rate":0.001,"steps":7000,"whole":2.0,"width":128.0})");
}

TEST(Settings, WrongTypesNameFileLineAndKey) {
  Settings settings = example();
  EXPECT_EQ(message_of([&] { settings.integer("rate", 1); }),
            "quick.toml: line 13: rate: expected an integer, got a number");
  EXPECT_EQ(message_of([&] { settings.number("name", 1); }),
            "quick.toml: line 15: name: expected a number, got a string");
  EXPECT_EQ(message_of([&] { settings.boolean("steps", true); }),
            "quick.toml: line 12: steps: expected true or false, got an integer");
  EXPECT_EQ(message_of([&] { settings.text("fast", ""); }),
            "quick.toml: line 16: fast: expected a string, got a boolean");
  EXPECT_THAT(message_of([&] { settings.texts("name", {}); }), HasSubstr("an array of strings, got a string"));
  EXPECT_EQ(message_of([&] { (void)settings.required_text("command"); }), "quick.toml: line 11: command: missing");
  EXPECT_THAT(message_of([] { Settings(Value(3), "a.toml"); }), HasSubstr("a.toml: expected a table, got an integer"));
}

TEST(Settings, RangesAndChoices) {
  Settings settings = example();
  EXPECT_EQ(message_of([&] { settings.integer("steps", 1, 1, 100); }),
            "quick.toml: line 12: steps: 7000 is outside [1, 100]");
  EXPECT_THAT(message_of([&] { settings.number("rate", 1, 0.5); }), HasSubstr("0.001 is outside [0.5, inf]"));
  EXPECT_EQ(settings.choice("name", "pdm", {"ddpm", "pdm"}), "ddpm");
  EXPECT_THAT(message_of([&] {
                settings.choice("name", "mad", {"pdm", "mad"});
              }),
              HasSubstr("line 15: name: 'ddpm' is not one of pdm, mad"));
}

TEST(Settings, KeysThatNobodyAskedForAreErrors) {
  Settings settings = example();
  for (const char* key : {"rate", "whole"}) settings.number(key, 0);
  settings.text("name", "");
  settings.boolean("fast", false);
  settings.texts("lifts", {});
  EXPECT_THAT(message_of([&] { settings.finish(); }), AllOf(HasSubstr("quick.toml: line 12: steps: unknown key"),
                                                            HasSubstr("known: fast, lifts, name, rate, whole")));
  settings.integer("steps", 0);
  EXPECT_NO_THROW(settings.finish());
}

TEST(Settings, RemembersWhatWasSaidOfEachSetting) {
  Settings settings(Value::Table{{"rate", 0.5}}, "here");
  settings.number("rate", 1e-3, 0, 10, "step size of Adam");
  settings.integer("steps", 7, 1, "training steps");
  settings.choice("mode", "fast", {"fast", "exact"}, "how");
  settings.number("rate", 2);  // asked again: nothing new
  settings.number("free", 3, "any number");
  ASSERT_EQ(settings.asked().size(), 4U);
  const SettingInfo& rate = settings.asked()[0];
  EXPECT_EQ(rate.key, "rate");
  EXPECT_EQ(rate.fallback, Value(1e-3));  // not the value in force
  EXPECT_EQ(rate.low, Value(0.0));
  EXPECT_EQ(rate.high, Value(10.0));
  EXPECT_EQ(rate.meaning, "step size of Adam");
  EXPECT_EQ(settings.asked()[1].low, Value(1));
  EXPECT_TRUE(settings.asked()[1].high.is_null());
  EXPECT_EQ(settings.asked()[2].choices, (std::vector<std::string>{"fast", "exact"}));
  EXPECT_TRUE(settings.asked()[3].low.is_null());
  EXPECT_EQ(settings.asked()[3].meaning, "any number");
}

}  // namespace
}  // namespace onmanifold
