// SPDX-License-Identifier: Apache-2.0
#include "reports/text_format.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include <fmt/format.h>

namespace onmanifold {
namespace {

// Decimal exponent of |x| after it has been rounded to \p digits significant digits: 0.0996 to two is 0.10.
int rounded_exponent(double x, int digits) {
  const std::string text = fmt::format("{:.{}e}", std::abs(x), digits - 1);
  return std::atoi(text.substr(text.find('e') + 1).c_str());
}

std::string infinity_text(double x) {
  return x > 0 ? "∞" : "-∞";
}

// x rounded to the decimal place 10^place, written in plain decimals.
std::string plain_decimal(double x, int place) {
  if (place <= 0) {
    std::string text = fmt::format("{:.{}f}", x, -place);
    // A value that rounds to zero keeps no sign: "-0.00" says nothing.
    if (text.find_first_not_of("-0.") == std::string::npos && text[0] == '-') text.erase(0, 1);
    return text;
  }
  const double unit = std::pow(10.0, place);
  return fmt::format("{:.0f}", std::round(x / unit) * unit);
}

// x rounded to the decimal place 10^place, in scientific notation with a short exponent.
std::string scientific(double x, int place) {
  // Rounded to the place first, so that 9.6e-5 at the place 1e-5 becomes 1.0e-4, with both of its digits.
  const double unit = std::pow(10.0, place);
  const double rounded = std::round(x / unit) * unit;
  if (rounded == 0.0) return "0";
  const int digits = std::max(1, rounded_exponent(rounded, 12) - place + 1);
  std::string text = fmt::format("{:.{}e}", rounded, digits - 1);
  const std::size_t e = text.find('e');
  return fmt::format("{}e{}", text.substr(0, e), std::atoi(text.substr(e + 1).c_str()));
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

}  // namespace

FormattedValue format_measured(double value, double spread) {
  if (std::isnan(value)) return {"—", ""};
  if (std::isinf(value)) return {infinity_text(value), ""};
  constexpr double rounding = 1e-12;  // what equal values differ by after a mean
  const bool has_spread = std::isfinite(spread) && spread > rounding * std::abs(value);
  if (value == 0.0 && !has_spread) return {"0", ""};
  const int place = has_spread ? rounded_exponent(spread, 2) - 1 : rounded_exponent(value, 4) - 3;
  const double greater = std::max(std::abs(value), has_spread ? spread : 0.0);
  if (greater < 1e-3 || greater >= 1e6) {
    return {scientific(value, place), has_spread ? scientific(spread, place) : ""};
  }
  return {plain_decimal(value, place), has_spread ? plain_decimal(spread, place) : ""};
}

std::string direction_arrow(std::string_view direction, double target) {
  if (direction == "lower") return "↓";
  if (direction == "higher") return "↑";
  if (direction == "target") return std::isfinite(target) ? fmt::format("→{:.4g}", target) : "→";
  return "";
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
  return std::string(text) +
         std::string(static_cast<std::size_t>(std::max(0, width - display_width(text))), ' ');
}

std::string pad_left(std::string_view text, int width) {
  return std::string(static_cast<std::size_t>(std::max(0, width - display_width(text))), ' ') +
         std::string(text);
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

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string result = "\"";
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
