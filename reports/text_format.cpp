// SPDX-License-Identifier: Apache-2.0
#include "reports/text_format.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>

#include <fmt/format.h>

#include "reports/assets.hpp"

namespace onmanifold {
namespace {

// Decimal exponent of |x| > 0 after it has been rounded to \p digits significant digits: 0.0996 to two is 0.10.
int rounded_exponent(double x, int digits) {
  x = std::abs(x);
  int exponent = static_cast<int>(std::floor(std::log10(x)));
  // log10 may be one ulp off at a power of ten.
  if (x >= std::pow(10.0, exponent + 1)) ++exponent;
  if (x < std::pow(10.0, exponent)) --exponent;
  const double mantissa = x * std::pow(10.0, digits - 1 - exponent);
  return std::round(mantissa) >= std::pow(10.0, digits) ? exponent + 1 : exponent;
}

Decimal special(double x) {
  Decimal number;
  number.kind = std::isnan(x) ? Decimal::Kind::unknown : Decimal::Kind::infinite;
  number.negative = x < 0;
  return number;
}

// |x| as digits; a value that rounds to zero keeps no sign: "-0.00" says nothing.
Decimal with_digits(double x, std::string digits) {
  Decimal number;
  number.kind = Decimal::Kind::number;
  number.negative = x < 0 && digits.find_first_not_of("0.") != std::string::npos;
  number.digits = std::move(digits);
  return number;
}

// x rounded to the decimal place 10^place, written in plain decimals.
Decimal plain_decimal(double x, int place) {
  if (place <= 0) return with_digits(x, fmt::format("{:.{}f}", std::abs(x), -place));
  const double unit = std::pow(10.0, place);
  return with_digits(x, fmt::format("{:.0f}", std::round(std::abs(x) / unit) * unit));
}

// x rounded to the decimal place 10^place, in scientific notation.
Decimal scientific(double x, int place) {
  // Rounded to the place first, so that 9.6e-5 at the place 1e-5 becomes 1.0e-4, with both of its digits.
  const double steps = std::round(std::abs(x) / std::pow(10.0, place));
  if (steps == 0.0) return with_digits(x, "0");
  const int behind = rounded_exponent(steps, 12);
  Decimal number = with_digits(x, fmt::format("{:.{}f}", steps / std::pow(10.0, behind), std::max(0, behind)));
  number.exponent = place + behind;
  return number;
}

// Length of the UTF-8 sequence at \p text, or 0 where it is not one; the code point goes to \p code.
int decode_utf8(std::string_view text, std::uint32_t& code) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    code = first;
    return 1;
  }
  int length = 0;
  if (first >= 0xC2 && first < 0xE0) length = 2;
  if (first >= 0xE0 && first < 0xF0) length = 3;
  if (first >= 0xF0 && first < 0xF5) length = 4;
  if (length == 0 || text.size() < static_cast<std::size_t>(length)) return 0;
  code = first & (0xFFU >> (length + 1));
  for (int i = 1; i < length; ++i) {
    if ((byte(static_cast<std::size_t>(i)) & 0xC0U) != 0x80U) return 0;
    code = (code << 6U) | (byte(static_cast<std::size_t>(i)) & 0x3FU);
  }
  return length;
}

int code_width(std::uint32_t code) {
  if (code >= 0x300 && code <= 0x36F) return 0;
  const bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                    (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                    (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                    (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
  return wide ? 2 : 1;
}

// What latex/signs.txt says, by code point.
const std::map<std::uint32_t, std::string_view>& latex_signs() {
  static const std::map<std::uint32_t, std::string_view> signs = [] {
    std::map<std::uint32_t, std::string_view> found;
    std::string_view rest = asset("signs.txt");
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      const std::size_t tab = line.find('\t');
      std::uint32_t code = 0;
      if (tab == std::string_view::npos) continue;
      std::from_chars(line.data(), line.data() + tab, code, 16);
      found.emplace(code, line.substr(tab + 1));
    }
    return found;
  }();
  return signs;
}

// The characters below 128 that LaTeX would read, or that its first font has not.
const char* latex_ascii(char c) {
  switch (c) {
    case '\\':
      return "\\textbackslash{}";
    case '{':
      return "\\{";
    case '}':
      return "\\}";
    case '$':  // "\$" may come from a font of pixels
      return "$\\mathdollar$";
    case '&':
      return "\\&";
    case '#':
      return "\\#";
    case '%':
      return "\\%";
    case '_':
      return "\\_";
    case '^':
      return "\\^{}";
    case '~':
      return "\\~{}";
    case '<':
      return "$<$";
    case '>':
      return "$>$";
    case '|':
      return "$|$";
    case '"':
      return "{\\ttfamily\\char34}";
    case '`':
      return "{\\ttfamily\\char96}";
    case '[':  // behind the end of a row it would begin an option
      return "{[}";
    case '*':
      return "{*}";
    default:
      return nullptr;
  }
}

}  // namespace

std::string to_text(const Decimal& number) {
  switch (number.kind) {
    case Decimal::Kind::none:
      return "";
    case Decimal::Kind::unknown:
      return "—";
    case Decimal::Kind::infinite:
      return number.negative ? "-∞" : "∞";
    case Decimal::Kind::number:
      break;
  }
  return fmt::format("{}{}{}{}",
                     number.negative ? "-"
                     : number.plus   ? "+"
                                     : "",
                     number.digits, number.exponent ? fmt::format("e{}", *number.exponent) : "", number.unit);
}

std::string to_latex(const Decimal& number) {
  if (number.kind != Decimal::Kind::number && number.kind != Decimal::Kind::infinite) {
    return escape_latex(to_text(number));
  }
  const std::string sign = number.negative ? "$-$" : number.plus ? "+" : "";
  if (number.kind == Decimal::Kind::infinite) return sign + "$\\infty$";
  return sign + number.digits + (number.exponent ? fmt::format("$\\cdot$10$^{{{}}}$", *number.exponent) : "") +
         escape_latex(number.unit);
}

MeasuredDecimal round_measured(double value, double spread) {
  if (!std::isfinite(value)) return {special(value), {}};
  constexpr double rounding = 1e-12;  // what equal values differ by after a mean
  const bool has_spread = std::isfinite(spread) && spread > rounding * std::abs(value);
  if (value == 0.0 && !has_spread) return {with_digits(0, "0"), {}};
  const int place = has_spread ? rounded_exponent(spread, 2) - 1 : rounded_exponent(value, 4) - 3;
  const double greater = std::max(std::abs(value), has_spread ? spread : 0.0);
  const auto write = greater < 1e-3 || greater >= 1e6 ? scientific : plain_decimal;
  return {write(value, place), has_spread ? write(spread, place) : Decimal{}};
}

FormattedValue format_measured(double value, double spread) {
  const MeasuredDecimal rounded = round_measured(value, spread);
  return {to_text(rounded.value), to_text(rounded.spread)};
}

std::string measured_text(double value, double spread) {
  const FormattedValue text = format_measured(value, spread);
  return text.spread.empty() ? text.value : text.value + " ± " + text.spread;
}

Decimal round_fixed(double value, int digits) {
  return std::isfinite(value) ? plain_decimal(value, -digits) : special(value);
}

Decimal round_significant(double value, int digits) {
  if (!std::isfinite(value)) return special(value);
  if (value == 0.0) return with_digits(0, "0");
  const int exponent = rounded_exponent(value, digits);
  const int place = exponent - digits + 1;
  Decimal number = exponent < -4 || exponent >= digits ? scientific(value, place) : plain_decimal(value, place);
  if (number.digits.find('.') != std::string::npos) {
    number.digits.erase(number.digits.find_last_not_of('0') + 1);
    if (number.digits.ends_with('.')) number.digits.pop_back();
  }
  return number;
}

Decimal round_percent(double share) {
  const double value = 100 * share;
  Decimal number = round_fixed(value, std::abs(value) < 10 ? 1 : 0);
  number.unit = " %";
  return number;
}

std::string direction_arrow(std::optional<Direction> direction, double target) {
  if (!direction) return "";
  switch (*direction) {
    case Direction::lower:
      return "↓";
    case Direction::higher:
      return "↑";
    case Direction::target:
      break;
  }
  return std::isfinite(target) ? "→" + to_text(round_significant(target, 4)) : "→";
}

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    std::uint32_t code = 0;
    const int length = decode_utf8(text, code);
    width += length == 0 ? 1 : code_width(code);
    text.remove_prefix(static_cast<std::size_t>(std::max(1, length)));
  }
  return width;
}

std::string pad_right(std::string_view text, int width) {
  return std::string(text) + std::string(static_cast<std::size_t>(std::max(0, width - display_width(text))), ' ');
}

std::string pad_left(std::string_view text, int width) {
  return std::string(static_cast<std::size_t>(std::max(0, width - display_width(text))), ' ') + std::string(text);
}

std::string wrap_text(std::string_view text, int width, std::string_view indent) {
  std::string result;
  int column = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const int word_width = display_width(word);
    if (column > 0 && column + 1 + word_width > width) {
      result += '\n';
      result += indent;
      column = display_width(indent);
    } else if (column > 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word_width;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

std::string plain_text(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    std::uint32_t code = 0;
    const int length = decode_utf8(text, code);
    if (length == 0) {
      result += '?';
    } else if (code < 0x20 || (code >= 0x7F && code < 0xA0)) {
      result += ' ';
    } else {
      result += text.substr(0, static_cast<std::size_t>(length));
    }
    text.remove_prefix(static_cast<std::size_t>(std::max(1, length)));
  }
  return result;
}

std::string escape_html(std::string_view text) {
  std::string result;
  for (const char c : plain_text(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string escape_markdown(std::string_view text) {
  std::string result;
  for (const char c : plain_text(text)) {
    if (c == '<') {
      result += "&lt;";
      continue;
    }
    if (std::string_view("\\`*_[]|#~").find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string escape_latex(std::string_view text) {
  const std::string plain = plain_text(text);
  std::string_view rest = plain;
  std::string result;
  while (!rest.empty()) {
    std::uint32_t code = 0;
    const int length = decode_utf8(rest, code);  // plain text is valid
    if (length == 1) {
      const char* const command = latex_ascii(rest[0]);
      if (command != nullptr) {
        result += command;
      } else {
        // Two hyphens would become a dash.
        if (rest[0] == '-' && !result.empty() && result.back() == '-') result += "{}";
        result += rest[0];
      }
    } else {
      const auto sign = latex_signs().find(code);
      result += sign != latex_signs().end() ? std::string(sign->second) : fmt::format("U+{:04X}", code);
    }
    rest.remove_prefix(static_cast<std::size_t>(std::max(1, length)));
  }
  return result;
}

std::string csv_field(std::string_view text) {
  const bool formula = !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
  if (!formula && text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string result = formula ? "\"'" : "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

std::string round_trip(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return fmt::format("{}", value);
}

}  // namespace onmanifold
