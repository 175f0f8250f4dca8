// SPDX-License-Identifier: Apache-2.0
#include "suite/toml_file.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

TEST(TomlFile, KeepsValuesAndLines) {
  const Value value = parse_toml("a = 1\nb = 2.5\nc = \"x\"\nd = [true, false]\n\n[[t]]\ne = -3\n", "f.toml");
  const auto& table = *value.get_if<Value::Table>();
  EXPECT_EQ(table.at("a"), Value(1));
  EXPECT_EQ(table.at("b"), Value(2.5));
  EXPECT_EQ(table.at("c"), Value("x"));
  EXPECT_EQ(table.at("d"), Value(Value::Array{true, false}));
  EXPECT_EQ(table.at("c").line, 3);
  const auto& inner = *table.at("t").get_if<Value::Array>()->front().get_if<Value::Table>();
  EXPECT_EQ(inner.at("e"), Value(-3));
  EXPECT_EQ(inner.at("e").line, 7);
}

TEST(TomlFile, SaysWhereItIsMalformed) {
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)parse_toml("a = 1\nb = \n", "f.toml"); }, {"f.toml", "line 2"}));
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)parse_toml("a = 1\na = 2\n", "f.toml"); }, {"f.toml", "line 2"}));
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)parse_toml("\nd = 2020-01-01\n", "f.toml"); },
                                           {"f.toml", "line 2", "date"}));
}

TEST(TomlFile, SaysWhatCannotBeRead) {
  EXPECT_TRUE(
      throws_message<InvalidInput>([] { (void)read_toml_file("/nonexistent/s.toml"); }, {"/nonexistent/s.toml"}));
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)read_toml_file("/"); }, {"directory"}));
}

TEST(TomlFile, KeysOfVeryManyPartsAreRefused) {
  std::string key = "a";
  for (int i = 0; i < 100000; ++i) key += ".a";
  for (const std::string& text : {key + " = 1", "[" + key + "]", "[[" + key + "]]", "x = 1\n\"b\".'c'." + key + " = 1",
                                  "x = { y = 1, " + key + " = 2 }"}) {
    EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_toml(text, "deep.toml"); },
                                             {"deep.toml: line ", "a key of more than 16 parts"}));
  }
  // Dots that are no parts.
  const std::string dots(100, '.');
  EXPECT_NO_THROW(
      (void)parse_toml("a.b.c = \"" + dots + "\\\"" + dots + "\" # " + dots + "\nd = '''\n" + dots + "'''\ne = [" +
                           "0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]\n",
                       "x"));
}

}  // namespace
}  // namespace onmanifold
