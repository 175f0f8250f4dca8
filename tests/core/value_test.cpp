// SPDX-License-Identifier: Apache-2.0
#include "core/value.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

TEST(Value, CanonicalJson) {
  Value::Table table;
  table["b"] = Value::Array{1, 2.5, "text", true, Value()};
  table["a"] = 0.1;
  table["c"] = Value::Table{};
  EXPECT_EQ(to_json(table), R"({"a":0.1,"b":[1,2.5,"text",true,null],"c":{}})");
  EXPECT_EQ(to_json(std::nan("")), R"("nan")");
  EXPECT_EQ(to_json(-std::numeric_limits<double>::infinity()), R"("-inf")");
  EXPECT_EQ(to_pretty_json(Value::Table{{"a", 1}}), "{\n  \"a\": 1\n}");
}

TEST(Value, RoundTrip) {
  const Value value = Value::Table{{"list", Value::Array{1, -3, 1e300, 5e-324, 0.1, "ü\"\n", false}},
                                   {"big", std::int64_t{9007199254740993}}};
  EXPECT_EQ(parse_json(to_json(value), "test"), value);
  EXPECT_EQ(parse_json(to_pretty_json(value), "test"), value);
  EXPECT_FALSE(parse_json("1", "test") == parse_json("1.0", "test"));  // an integer is not a number
}

TEST(Value, LinesAreNotPartOfEquality) {
  Value a = 1;
  Value b = 1;
  b.line = 7;
  EXPECT_EQ(a, b);
}

TEST(Value, MalformedJsonNamesItsOrigin) {
  try {
    (void)parse_json("{\"a\": }", "record.json");
    FAIL() << "accepted";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "record.json: malformed JSON at byte 7");
  }
}

TEST(Value, NumbersAndNestingBeyondTheirRangeAreBadInput) {
  EXPECT_THROW((void)parse_json("{\"a\": 9e999}", "record.json"), InvalidInput);
  EXPECT_THROW((void)parse_json("18446744073709551615", "record.json"), InvalidInput);
  EXPECT_EQ(parse_json("9223372036854775807", "record.json"), Value(std::int64_t{9223372036854775807}));
  EXPECT_THROW((void)parse_json(std::string(100000, '[') + std::string(100000, ']'), "record.json"), InvalidInput);
  EXPECT_NO_THROW((void)parse_json(std::string(100, '[') + std::string(100, ']'), "record.json"));
}

TEST(Value, TypeNames) {
  EXPECT_EQ(Value().type_name(), "null");
  EXPECT_EQ(Value(true).type_name(), "a boolean");
  EXPECT_EQ(Value(1).type_name(), "an integer");
  EXPECT_EQ(Value(1.0).type_name(), "a number");
  EXPECT_EQ(Value("x").type_name(), "a string");
  EXPECT_EQ(Value(Value::Array{}).type_name(), "an array");
  EXPECT_EQ(Value(Value::Table{}).type_name(), "a table");
}

}  // namespace
}  // namespace onmanifold
