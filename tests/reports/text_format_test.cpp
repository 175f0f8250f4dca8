// SPDX-License-Identifier: Apache-2.0
#include "reports/text_format.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace onmanifold {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

std::string shown(double value, double spread) {
  const FormattedValue text = format_measured(value, spread);
  return text.spread.empty() ? text.value : text.value + " ± " + text.spread;
}

TEST(FormatMeasured, TwoDigitsOfTheSpreadDecide) {
  EXPECT_EQ(shown(0.123456, 0.0123), "0.123 ± 0.012");
  EXPECT_EQ(shown(0.5, 0.25), "0.50 ± 0.25");
  EXPECT_EQ(shown(123.456, 12.3), "123 ± 12");
  EXPECT_EQ(shown(1234.5, 123.0), "1230 ± 120");
  EXPECT_EQ(shown(-0.0321, 0.0011), "-0.0321 ± 0.0011");
}

TEST(FormatMeasured, ASpreadThatRoundsUpKeepsTwoDigits) {
  EXPECT_EQ(shown(1.23456, 0.0996), "1.23 ± 0.10");
  EXPECT_EQ(shown(5.0, 0.994), "5.00 ± 0.99");
}

TEST(FormatMeasured, FourDigitsWithoutASpread) {
  EXPECT_EQ(shown(0.123456, nan_value), "0.1235");
  EXPECT_EQ(shown(0.123456, 0.0), "0.1235");
  EXPECT_EQ(shown(12.3456, nan_value), "12.35");
  EXPECT_EQ(shown(1.0, nan_value), "1.000");
  EXPECT_EQ(shown(0.0, nan_value), "0");
}

TEST(FormatMeasured, ASpreadOfRoundingIsNone) {
  EXPECT_EQ(shown(0.964, 1.2e-16), "0.9640");
  EXPECT_EQ(shown(3.2229e-16, 5.5e-32), "3.223e-16");
  EXPECT_EQ(shown(0.5, 1e-11), "0.500000000000 ± 0.000000000010");
}

TEST(FormatMeasured, ScientificWhenTinyOrHuge) {
  EXPECT_EQ(shown(1.234e-5, 1.1e-6), "1.23e-5 ± 1.1e-6");
  EXPECT_EQ(shown(-3.2e-5, 1.1e-4), "-3e-5 ± 1.1e-4");
  EXPECT_EQ(shown(9.6e-5, 1.1e-4), "1.0e-4 ± 1.1e-4");
  EXPECT_EQ(shown(2.345678e-16, nan_value), "2.346e-16");
  EXPECT_EQ(shown(1.5e7, 2.0e5), "1.500e7 ± 2.0e5");
}

TEST(FormatMeasured, MissingIsADashAndNeverZero) {
  EXPECT_EQ(shown(nan_value, 0.1), "—");
  EXPECT_EQ(shown(infinity, nan_value), "∞");
  EXPECT_EQ(shown(-infinity, 0.1), "-∞");
}

TEST(FormatMeasured, ANegativeThatRoundsToZeroHasNoSign) {
  EXPECT_EQ(shown(-0.001, 0.25), "0.00 ± 0.25");
}

TEST(DirectionArrow, OneForEachDirection) {
  EXPECT_EQ(direction_arrow(Direction::lower, nan_value), "↓");
  EXPECT_EQ(direction_arrow(Direction::higher, nan_value), "↑");
  EXPECT_EQ(direction_arrow(Direction::target, 0.01), "→0.01");
  EXPECT_EQ(direction_arrow(Direction::target, nan_value), "→");
  EXPECT_EQ(direction_arrow(std::nullopt, 1.0), "");
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("±↓—"), 3);
  EXPECT_EQ(display_width("e\xCC\x81"), 1);  // e and a combining accent
  EXPECT_EQ(display_width("点"), 2);
  EXPECT_EQ(display_width("\xFF"), 1);  // no UTF-8
  EXPECT_EQ(pad_left("±", 3), "  ±");
  EXPECT_EQ(pad_right("±", 3), "±  ");
}

TEST(WrapText, NoLineIsWiderThanAsked) {
  EXPECT_EQ(wrap_text("one two three", 7, " "), "one two\n three");
  EXPECT_EQ(wrap_text("unbreakable", 4, " "), "unbreakable");
}

TEST(Escapes, NothingGetsThrough) {
  EXPECT_EQ(escape_html("<a href=\"x\" b='y'>&"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
  EXPECT_EQ(plain_text("a\033[1mb\nc\xC2\x9B"), "a [1mb c ");  // C0 and C1 controls become spaces
  EXPECT_EQ(plain_text("\xFFx"), "?x");
  EXPECT_EQ(escape_markdown("a|b_c<d"), "a\\|b\\_c&lt;d");
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field("a,\"b\""), "\"a,\"\"b\"\"\"");
}

TEST(CsvField, IsNoFormula) {
  EXPECT_EQ(csv_field("=1+1"), "\"'=1+1\"");
  EXPECT_EQ(csv_field("+1"), "\"'+1\"");
  EXPECT_EQ(csv_field("-1"), "\"'-1\"");
  EXPECT_EQ(csv_field("@SUM(A1)"), "\"'@SUM(A1)\"");
  EXPECT_EQ(csv_field("\t=1"), "\"'\t=1\"");
  EXPECT_EQ(csv_field("=HYPERLINK(\"x\",\"y\")"), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
  // Not at the start, and no numbers of ours.
  EXPECT_EQ(csv_field("a=1"), "a=1");
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(round_trip(-1.5), "-1.5");
}

TEST(EscapeLatex, EveryCharacterThatLatexWouldRead) {
  const std::vector<std::pair<const char*, const char*>> cases = {{"a_b", "a\\_b"},
                                                                  {"50 %", "50 \\%"},
                                                                  {"a&b", "a\\&b"},
                                                                  {"#1", "\\#1"},
                                                                  {"$x$", "$\\mathdollar$x$\\mathdollar$"},
                                                                  {"{a}", "\\{a\\}"},
                                                                  {"\\end", "\\textbackslash{}end"},
                                                                  {"R^3", "R\\^{}3"},
                                                                  {"~x", "\\~{}x"},
                                                                  {"a<b>c|d", "a$<$b$>$c$|$d"},
                                                                  {"\"`", "{\\ttfamily\\char34}{\\ttfamily\\char96}"},
                                                                  {"[1]", "{[}1]"},
                                                                  {"*", "{*}"},
                                                                  {"--all", "-{}-all"},
                                                                  {"--- ok", "-{}-{}- ok"},
                                                                  {"it's (1, 2; 3)", "it's (1, 2; 3)"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(escape_latex(text), expected) << text;
}

TEST(EscapeLatex, SignsOfMetricNamesAndLetters) {
  EXPECT_EQ(escape_latex("−×±→↓↑"), "$-$$\\times$$\\pm$$\\rightarrow$$\\downarrow$$\\uparrow$");
  EXPECT_EQ(escape_latex("σ/s λ χ² φ ψ Δ ≤ ∞ — – … 2⁻ⁿ"),
            "$\\sigma$/s $\\lambda$ $\\chi$$^{2}$ $\\varphi$ $\\psi$ $\\Delta$ $\\leq$ $\\infty$ --- -- "
            "\\ldots{} 2$^{-}$$^{n}$");
  EXPECT_EQ(escape_latex("Fréchet, Poincaré, Müller, Å, ß, ř"),
            "Fr\\'{e}chet, Poincar\\'{e}, M\\\"{u}ller, \\r{A}, \\ss{}, \\v{r}");
  EXPECT_EQ(escape_latex("中"), "U+4E2D");      // no command: its number, not nothing
  EXPECT_EQ(escape_latex("a\nb\xFF"), "a b?");  // as plain text
}

TEST(EscapeLatex, GivesAsciiWithClosedGroupsForEveryCharacter) {
  for (std::uint32_t code = 1; code < 0x10000; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;  // no characters
    std::string text;
    if (code < 0x80) {
      text = std::string(1, static_cast<char>(code));
    } else if (code < 0x800) {
      text = {static_cast<char>(0xC0U | code >> 6U), static_cast<char>(0x80U | (code & 0x3FU))};
    } else {
      text = {static_cast<char>(0xE0U | code >> 12U), static_cast<char>(0x80U | (code >> 6U & 0x3FU)),
              static_cast<char>(0x80U | (code & 0x3FU))};
    }
    const std::string escaped = escape_latex(text);
    int depth = 0;
    int dollars = 0;
    bool ascii = !escaped.empty();
    for (std::size_t i = 0; i < escaped.size(); ++i) {
      ascii = ascii && escaped[i] >= ' ' && escaped[i] < 0x7F;
      if (i > 0 && escaped[i - 1] == '\\') continue;
      if (escaped[i] == '{') ++depth;
      if (escaped[i] == '}') --depth;
      if (escaped[i] == '$') ++dollars;
    }
    ASSERT_TRUE(ascii && depth == 0 && dollars % 2 == 0) << code << " " << escaped;
  }
}

TEST(RoundTrip, ReadsBackTheSame) {
  for (const double value : {0.1, 1.0 / 3.0, 5e-324, 1.7976931348623157e308, -2.5}) {
    // std::stod refuses numbers below the normal range.
    EXPECT_EQ(std::strtod(round_trip(value).c_str(), nullptr), value);
  }
  EXPECT_EQ(round_trip(nan_value), "nan");
  EXPECT_EQ(round_trip(-infinity), "-inf");
}

}  // namespace
}  // namespace onmanifold
