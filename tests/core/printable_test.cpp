// SPDX-License-Identifier: Apache-2.0
#include "core/printable.hpp"

#include <gtest/gtest.h>

namespace onmanifold {
namespace {

TEST(Printable, NothingActsOnATerminal) {
  EXPECT_EQ(printable("\x1b[31mred\x07\r\n\t\x7f"), "\\x1b[31mred\\x07\\x0d\\x0a\\x09\\x7f");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "\\u{9b}31m")
      << "C1, a terminal's other escape";
  EXPECT_EQ(printable("safe\xE2\x80\xAE"
                      "gpj.exe"),
            "safe\\u{202e}gpj.exe");
  EXPECT_EQ(printable("\xE2\x81\xA6 \xE2\x80\xA8"), "\\u{2066} \\u{2028}");
}

TEST(Printable, TextOfEveryScriptStays) {
  const std::string text = "σ = 0.1, Å, 中文, עברית, 🙂";
  EXPECT_EQ(printable(text), text);
  EXPECT_EQ(printable_lines("a\tb\nc\x1b"), "a\tb\nc\\x1b");
}

TEST(Printable, WhatIsNotUtf8IsShownAsBytes) {
  EXPECT_EQ(printable("\xff\xC3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xC0\x9B"), "\\xc0\\x9b") << "an overlong form of ESC";
  EXPECT_EQ(printable("\xE0\x80\x9B"), "\\xe0\\x80\\x9b");
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
}

}  // namespace
}  // namespace onmanifold
