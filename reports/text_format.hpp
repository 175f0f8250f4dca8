// SPDX-License-Identifier: Apache-2.0
#pragma once
// How numbers and text appear in reports: digits by the spread, width of UTF-8 text, escapes. Locale plays no
// part.

#include <optional>
#include <string>
#include <string_view>

#include "contracts/unit_info.hpp"

namespace onmanifold {

/// A number that has been rounded, before any reporter's signs.
struct Decimal {
  enum class Kind { none, unknown, infinite, number };
  Kind kind = Kind::none;
  bool negative = false;
  bool plus = false;                           ///< a positive number shows its sign
  std::string digits = "";                     ///< "0.0213"
  std::optional<int> exponent = std::nullopt;  ///< of ten
  std::string unit = "";                       ///< " %"
};
/// "", "—", "∞", "-0.0213", "1.2e-5".
[[nodiscard]] std::string to_text(const Decimal& number);
/// The same with LaTeX's signs: "---", "$-$1.2$\cdot$10$^{-5}$".
[[nodiscard]] std::string to_latex(const Decimal& number);

/// A value and its spread as numbers for print; no spread: Kind::none.
struct MeasuredDecimal {
  Decimal value;
  Decimal spread;
};

/// A value and its spread, ready for print; spread is empty where there is none.
struct FormattedValue {
  std::string value;
  std::string spread;
};

/// Two significant digits of \p spread decide the digits of \p value; without a positive finite spread the
/// value has four significant digits; a spread below 1e-12 of the value is rounding, and none. Both are plain decimals,
/// or both scientific ("1.23e-5") when the greater of the two is below 1e-3 or at least 1e6. NaN gives "—"; infinities
/// give "∞", "-∞".
[[nodiscard]] MeasuredDecimal round_measured(double value, double spread);
[[nodiscard]] FormattedValue format_measured(double value, double spread);
/// "0.0213 ± 0.0012", "—".
[[nodiscard]] std::string measured_text(double value, double spread);
/// \p digits behind the point.
[[nodiscard]] Decimal round_fixed(double value, int digits);
/// \p digits significant ones at most, without zeros at the end; powers of ten below 1e-4 and from 10^digits.
[[nodiscard]] Decimal round_significant(double value, int digits);
/// A share in percent, one digit behind the point below ten.
[[nodiscard]] Decimal round_percent(double share);

/// "↓", "↑" or "→0.01" for the directions lower, higher and target; empty for none.
[[nodiscard]] std::string direction_arrow(std::optional<Direction> direction, double target);

/// Columns that every terminal has: no line of text for one is wider, except by a word that cannot be broken.
inline constexpr int terminal_width = 80;

/// Columns that \p text takes on a terminal: combining marks take none, wide East Asian characters two.
[[nodiscard]] int display_width(std::string_view text);
[[nodiscard]] std::string pad_right(std::string_view text, int width);
[[nodiscard]] std::string pad_left(std::string_view text, int width);

/// Breaks at spaces so that no line is wider than \p width; \p indent goes before all lines but the first.
[[nodiscard]] std::string wrap_text(std::string_view text, int width, std::string_view indent);

/// One line without control characters (no terminal escapes, no line breaks); bytes that are not UTF-8 become
/// "?".
[[nodiscard]] std::string plain_text(std::string_view text);
/// Plain text with & < > " ' escaped, safe between tags and in quoted attributes.
[[nodiscard]] std::string escape_html(std::string_view text);
/// Plain text with the characters that Markdown would read escaped, safe in a table cell.
[[nodiscard]] std::string escape_markdown(std::string_view text);
/// Plain text as ASCII that LaTeX prints as it is, in any encoding and without packages: commands for the characters
/// that LaTeX would read, accents, Greek and signs; a character without a command appears as its number, "U+4E2D".
[[nodiscard]] std::string escape_latex(std::string_view text);
/// A text as a field of RFC 4180: quoted where it needs to be. One that a spreadsheet would take for a formula, because
/// it begins with = + - @ or a tab, begins with ' instead. Numbers of ours are no texts: see round_trip().
[[nodiscard]] std::string csv_field(std::string_view text);
/// Shortest decimal that reads back to the same double; "nan", "inf", "-inf".
[[nodiscard]] std::string round_trip(double value);

}  // namespace onmanifold
