// SPDX-License-Identifier: Apache-2.0
#pragma once
// How numbers and text appear in reports: digits by the spread, width of UTF-8 text, escapes. Locale plays no
// part.

#include <optional>
#include <string>
#include <string_view>

#include "contracts/unit_info.hpp"

namespace onmanifold {

/// A value and its spread, ready for print; spread is empty where there is none.
struct FormattedValue {
  std::string value;
  std::string spread;
};

/// Two significant digits of \p spread decide the digits of \p value; without a positive finite spread the
/// value has four significant digits; a spread below 1e-12 of the value is rounding, and none. Both are plain decimals,
/// or both scientific ("1.23e-5") when the greater of the two is below 1e-3 or at least 1e6. NaN gives "—"; infinities
/// give "∞", "-∞".
[[nodiscard]] FormattedValue format_measured(double value, double spread);

/// "↓", "↑" or "→0.01" for the directions lower, higher and target; empty without one.
[[nodiscard]] std::string direction_arrow(const std::optional<Direction>& direction, double target);

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
/// A field of RFC 4180: quoted where it needs to be.
[[nodiscard]] std::string csv_field(std::string_view text);
/// Shortest decimal that reads back to the same double; "nan", "inf", "-inf".
[[nodiscard]] std::string round_trip(double value);

}  // namespace onmanifold
