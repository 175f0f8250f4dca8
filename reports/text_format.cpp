// SPDX-License-Identifier: Apache-2.0
#include "reports/text_format.hpp"

#include <algorithm>
#include <array>
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

struct LatexSign {
  std::uint32_t code;
  const char* text;
};
// Ascending. OT1 has no ogonek, and a few letters of Latin Extended-A without a decomposition are left out.
constexpr std::array<LatexSign, 335> latex_signs = {{{0xA0, "~"},
                                                     {0xA1, "!`"},
                                                     {0xA7, "$\\mathsection$"},
                                                     {0xA9, "(c)"},
                                                     {0xAB, "$\\ll$"},
                                                     {0xAC, "$\\neg$"},
                                                     {0xB0, "$^{\\circ}$"},
                                                     {0xB1, "$\\pm$"},
                                                     {0xB2, "$^{2}$"},
                                                     {0xB3, "$^{3}$"},
                                                     {0xB5, "$\\mu$"},
                                                     {0xB6, "$\\mathparagraph$"},
                                                     {0xB7, "$\\cdot$"},
                                                     {0xB9, "$^{1}$"},
                                                     {0xBB, "$\\gg$"},
                                                     {0xBC, "$\\frac14$"},
                                                     {0xBD, "$\\frac12$"},
                                                     {0xBE, "$\\frac34$"},
                                                     {0xBF, "?`"},
                                                     {0xC0, "\\`{A}"},
                                                     {0xC1, "\\'{A}"},
                                                     {0xC2, "\\^{A}"},
                                                     {0xC3, "\\~{A}"},
                                                     {0xC4, "\\\"{A}"},
                                                     {0xC5, "\\r{A}"},
                                                     {0xC6, "\\AE{}"},
                                                     {0xC7, "\\c{C}"},
                                                     {0xC8, "\\`{E}"},
                                                     {0xC9, "\\'{E}"},
                                                     {0xCA, "\\^{E}"},
                                                     {0xCB, "\\\"{E}"},
                                                     {0xCC, "\\`{I}"},
                                                     {0xCD, "\\'{I}"},
                                                     {0xCE, "\\^{I}"},
                                                     {0xCF, "\\\"{I}"},
                                                     {0xD1, "\\~{N}"},
                                                     {0xD2, "\\`{O}"},
                                                     {0xD3, "\\'{O}"},
                                                     {0xD4, "\\^{O}"},
                                                     {0xD5, "\\~{O}"},
                                                     {0xD6, "\\\"{O}"},
                                                     {0xD7, "$\\times$"},
                                                     {0xD8, "\\O{}"},
                                                     {0xD9, "\\`{U}"},
                                                     {0xDA, "\\'{U}"},
                                                     {0xDB, "\\^{U}"},
                                                     {0xDC, "\\\"{U}"},
                                                     {0xDD, "\\'{Y}"},
                                                     {0xDF, "\\ss{}"},
                                                     {0xE0, "\\`{a}"},
                                                     {0xE1, "\\'{a}"},
                                                     {0xE2, "\\^{a}"},
                                                     {0xE3, "\\~{a}"},
                                                     {0xE4, "\\\"{a}"},
                                                     {0xE5, "\\r{a}"},
                                                     {0xE6, "\\ae{}"},
                                                     {0xE7, "\\c{c}"},
                                                     {0xE8, "\\`{e}"},
                                                     {0xE9, "\\'{e}"},
                                                     {0xEA, "\\^{e}"},
                                                     {0xEB, "\\\"{e}"},
                                                     {0xEC, "\\`{\\i}"},
                                                     {0xED, "\\'{\\i}"},
                                                     {0xEE, "\\^{\\i}"},
                                                     {0xEF, "\\\"{\\i}"},
                                                     {0xF1, "\\~{n}"},
                                                     {0xF2, "\\`{o}"},
                                                     {0xF3, "\\'{o}"},
                                                     {0xF4, "\\^{o}"},
                                                     {0xF5, "\\~{o}"},
                                                     {0xF6, "\\\"{o}"},
                                                     {0xF7, "$\\div$"},
                                                     {0xF8, "\\o{}"},
                                                     {0xF9, "\\`{u}"},
                                                     {0xFA, "\\'{u}"},
                                                     {0xFB, "\\^{u}"},
                                                     {0xFC, "\\\"{u}"},
                                                     {0xFD, "\\'{y}"},
                                                     {0xFF, "\\\"{y}"},
                                                     {0x100, "\\={A}"},
                                                     {0x101, "\\={a}"},
                                                     {0x102, "\\u{A}"},
                                                     {0x103, "\\u{a}"},
                                                     {0x106, "\\'{C}"},
                                                     {0x107, "\\'{c}"},
                                                     {0x108, "\\^{C}"},
                                                     {0x109, "\\^{c}"},
                                                     {0x10A, "\\.{C}"},
                                                     {0x10B, "\\.{c}"},
                                                     {0x10C, "\\v{C}"},
                                                     {0x10D, "\\v{c}"},
                                                     {0x10E, "\\v{D}"},
                                                     {0x10F, "\\v{d}"},
                                                     {0x112, "\\={E}"},
                                                     {0x113, "\\={e}"},
                                                     {0x114, "\\u{E}"},
                                                     {0x115, "\\u{e}"},
                                                     {0x116, "\\.{E}"},
                                                     {0x117, "\\.{e}"},
                                                     {0x11A, "\\v{E}"},
                                                     {0x11B, "\\v{e}"},
                                                     {0x11C, "\\^{G}"},
                                                     {0x11D, "\\^{g}"},
                                                     {0x11E, "\\u{G}"},
                                                     {0x11F, "\\u{g}"},
                                                     {0x120, "\\.{G}"},
                                                     {0x121, "\\.{g}"},
                                                     {0x122, "\\c{G}"},
                                                     {0x123, "\\c{g}"},
                                                     {0x124, "\\^{H}"},
                                                     {0x125, "\\^{h}"},
                                                     {0x128, "\\~{I}"},
                                                     {0x129, "\\~{\\i}"},
                                                     {0x12A, "\\={I}"},
                                                     {0x12B, "\\={\\i}"},
                                                     {0x12C, "\\u{I}"},
                                                     {0x12D, "\\u{\\i}"},
                                                     {0x130, "\\.{I}"},
                                                     {0x131, "\\i{}"},
                                                     {0x134, "\\^{J}"},
                                                     {0x135, "\\^{\\j}"},
                                                     {0x136, "\\c{K}"},
                                                     {0x137, "\\c{k}"},
                                                     {0x139, "\\'{L}"},
                                                     {0x13A, "\\'{l}"},
                                                     {0x13B, "\\c{L}"},
                                                     {0x13C, "\\c{l}"},
                                                     {0x13D, "\\v{L}"},
                                                     {0x13E, "\\v{l}"},
                                                     {0x141, "\\L{}"},
                                                     {0x142, "\\l{}"},
                                                     {0x143, "\\'{N}"},
                                                     {0x144, "\\'{n}"},
                                                     {0x145, "\\c{N}"},
                                                     {0x146, "\\c{n}"},
                                                     {0x147, "\\v{N}"},
                                                     {0x148, "\\v{n}"},
                                                     {0x14C, "\\={O}"},
                                                     {0x14D, "\\={o}"},
                                                     {0x14E, "\\u{O}"},
                                                     {0x14F, "\\u{o}"},
                                                     {0x150, "\\H{O}"},
                                                     {0x151, "\\H{o}"},
                                                     {0x152, "\\OE{}"},
                                                     {0x153, "\\oe{}"},
                                                     {0x154, "\\'{R}"},
                                                     {0x155, "\\'{r}"},
                                                     {0x156, "\\c{R}"},
                                                     {0x157, "\\c{r}"},
                                                     {0x158, "\\v{R}"},
                                                     {0x159, "\\v{r}"},
                                                     {0x15A, "\\'{S}"},
                                                     {0x15B, "\\'{s}"},
                                                     {0x15C, "\\^{S}"},
                                                     {0x15D, "\\^{s}"},
                                                     {0x15E, "\\c{S}"},
                                                     {0x15F, "\\c{s}"},
                                                     {0x160, "\\v{S}"},
                                                     {0x161, "\\v{s}"},
                                                     {0x162, "\\c{T}"},
                                                     {0x163, "\\c{t}"},
                                                     {0x164, "\\v{T}"},
                                                     {0x165, "\\v{t}"},
                                                     {0x168, "\\~{U}"},
                                                     {0x169, "\\~{u}"},
                                                     {0x16A, "\\={U}"},
                                                     {0x16B, "\\={u}"},
                                                     {0x16C, "\\u{U}"},
                                                     {0x16D, "\\u{u}"},
                                                     {0x16E, "\\r{U}"},
                                                     {0x16F, "\\r{u}"},
                                                     {0x170, "\\H{U}"},
                                                     {0x171, "\\H{u}"},
                                                     {0x174, "\\^{W}"},
                                                     {0x175, "\\^{w}"},
                                                     {0x176, "\\^{Y}"},
                                                     {0x177, "\\^{y}"},
                                                     {0x178, "\\\"{Y}"},
                                                     {0x179, "\\'{Z}"},
                                                     {0x17A, "\\'{z}"},
                                                     {0x17B, "\\.{Z}"},
                                                     {0x17C, "\\.{z}"},
                                                     {0x17D, "\\v{Z}"},
                                                     {0x17E, "\\v{z}"},
                                                     {0x391, "$\\mathrm{A}$"},
                                                     {0x392, "$\\mathrm{B}$"},
                                                     {0x393, "$\\Gamma$"},
                                                     {0x394, "$\\Delta$"},
                                                     {0x395, "$\\mathrm{E}$"},
                                                     {0x396, "$\\mathrm{Z}$"},
                                                     {0x397, "$\\mathrm{H}$"},
                                                     {0x398, "$\\Theta$"},
                                                     {0x399, "$\\mathrm{I}$"},
                                                     {0x39A, "$\\mathrm{K}$"},
                                                     {0x39B, "$\\Lambda$"},
                                                     {0x39C, "$\\mathrm{M}$"},
                                                     {0x39D, "$\\mathrm{N}$"},
                                                     {0x39E, "$\\Xi$"},
                                                     {0x39F, "$\\mathrm{O}$"},
                                                     {0x3A0, "$\\Pi$"},
                                                     {0x3A1, "$\\mathrm{P}$"},
                                                     {0x3A3, "$\\Sigma$"},
                                                     {0x3A4, "$\\mathrm{T}$"},
                                                     {0x3A5, "$\\Upsilon$"},
                                                     {0x3A6, "$\\Phi$"},
                                                     {0x3A7, "$\\mathrm{X}$"},
                                                     {0x3A8, "$\\Psi$"},
                                                     {0x3A9, "$\\Omega$"},
                                                     {0x3B1, "$\\alpha$"},
                                                     {0x3B2, "$\\beta$"},
                                                     {0x3B3, "$\\gamma$"},
                                                     {0x3B4, "$\\delta$"},
                                                     {0x3B5, "$\\varepsilon$"},
                                                     {0x3B6, "$\\zeta$"},
                                                     {0x3B7, "$\\eta$"},
                                                     {0x3B8, "$\\theta$"},
                                                     {0x3B9, "$\\iota$"},
                                                     {0x3BA, "$\\kappa$"},
                                                     {0x3BB, "$\\lambda$"},
                                                     {0x3BC, "$\\mu$"},
                                                     {0x3BD, "$\\nu$"},
                                                     {0x3BE, "$\\xi$"},
                                                     {0x3BF, "$o$"},
                                                     {0x3C0, "$\\pi$"},
                                                     {0x3C1, "$\\rho$"},
                                                     {0x3C2, "$\\varsigma$"},
                                                     {0x3C3, "$\\sigma$"},
                                                     {0x3C4, "$\\tau$"},
                                                     {0x3C5, "$\\upsilon$"},
                                                     {0x3C6, "$\\varphi$"},
                                                     {0x3C7, "$\\chi$"},
                                                     {0x3C8, "$\\psi$"},
                                                     {0x3C9, "$\\omega$"},
                                                     {0x3D1, "$\\vartheta$"},
                                                     {0x3D5, "$\\phi$"},
                                                     {0x3F5, "$\\epsilon$"},
                                                     {0x1D40, "$^{\\mathsf{T}}$"},
                                                     {0x1D48, "$^{d}$"},
                                                     {0x2009, "\\,"},
                                                     {0x2010, "-"},
                                                     {0x2011, "-"},
                                                     {0x2013, "--"},
                                                     {0x2014, "---"},
                                                     {0x2016, "$\\|$"},
                                                     {0x2018, "`"},
                                                     {0x2019, "'"},
                                                     {0x201C, "``"},
                                                     {0x201D, "''"},
                                                     {0x201E, ",,"},
                                                     {0x2020, "$\\dagger$"},
                                                     {0x2021, "$\\ddagger$"},
                                                     {0x2022, "$\\bullet$"},
                                                     {0x2026, "\\ldots{}"},
                                                     {0x202F, "\\,"},
                                                     {0x2032, "$'$"},
                                                     {0x2033, "$''$"},
                                                     {0x2070, "$^{0}$"},
                                                     {0x2074, "$^{4}$"},
                                                     {0x2075, "$^{5}$"},
                                                     {0x2076, "$^{6}$"},
                                                     {0x2077, "$^{7}$"},
                                                     {0x2078, "$^{8}$"},
                                                     {0x2079, "$^{9}$"},
                                                     {0x207A, "$^{+}$"},
                                                     {0x207B, "$^{-}$"},
                                                     {0x207F, "$^{n}$"},
                                                     {0x2080, "$_{0}$"},
                                                     {0x2081, "$_{1}$"},
                                                     {0x2082, "$_{2}$"},
                                                     {0x2083, "$_{3}$"},
                                                     {0x2084, "$_{4}$"},
                                                     {0x2085, "$_{5}$"},
                                                     {0x2086, "$_{6}$"},
                                                     {0x2087, "$_{7}$"},
                                                     {0x2088, "$_{8}$"},
                                                     {0x2089, "$_{9}$"},
                                                     {0x20AC, "EUR"},
                                                     {0x2113, "$\\ell$"},
                                                     {0x2115, "$\\mathbf{N}$"},
                                                     {0x211D, "$\\mathbf{R}$"},
                                                     {0x2124, "$\\mathbf{Z}$"},
                                                     {0x212B, "\\r{A}"},
                                                     {0x2190, "$\\leftarrow$"},
                                                     {0x2191, "$\\uparrow$"},
                                                     {0x2192, "$\\rightarrow$"},
                                                     {0x2193, "$\\downarrow$"},
                                                     {0x2194, "$\\leftrightarrow$"},
                                                     {0x21A6, "$\\mapsto$"},
                                                     {0x21D0, "$\\Leftarrow$"},
                                                     {0x21D2, "$\\Rightarrow$"},
                                                     {0x21D4, "$\\Leftrightarrow$"},
                                                     {0x2200, "$\\forall$"},
                                                     {0x2202, "$\\partial$"},
                                                     {0x2203, "$\\exists$"},
                                                     {0x2205, "$\\emptyset$"},
                                                     {0x2207, "$\\nabla$"},
                                                     {0x2208, "$\\in$"},
                                                     {0x2209, "$\\notin$"},
                                                     {0x220F, "$\\prod$"},
                                                     {0x2211, "$\\sum$"},
                                                     {0x2212, "$-$"},
                                                     {0x2213, "$\\mp$"},
                                                     {0x2218, "$\\circ$"},
                                                     {0x221A, "$\\surd$"},
                                                     {0x221D, "$\\propto$"},
                                                     {0x221E, "$\\infty$"},
                                                     {0x2225, "$\\parallel$"},
                                                     {0x2227, "$\\wedge$"},
                                                     {0x2228, "$\\vee$"},
                                                     {0x2229, "$\\cap$"},
                                                     {0x222A, "$\\cup$"},
                                                     {0x222B, "$\\int$"},
                                                     {0x223C, "$\\sim$"},
                                                     {0x2243, "$\\simeq$"},
                                                     {0x2245, "$\\cong$"},
                                                     {0x2248, "$\\approx$"},
                                                     {0x2260, "$\\neq$"},
                                                     {0x2261, "$\\equiv$"},
                                                     {0x2264, "$\\leq$"},
                                                     {0x2265, "$\\geq$"},
                                                     {0x226A, "$\\ll$"},
                                                     {0x226B, "$\\gg$"},
                                                     {0x2282, "$\\subset$"},
                                                     {0x2283, "$\\supset$"},
                                                     {0x2286, "$\\subseteq$"},
                                                     {0x2287, "$\\supseteq$"},
                                                     {0x2295, "$\\oplus$"},
                                                     {0x2297, "$\\otimes$"},
                                                     {0x22A5, "$\\perp$"},
                                                     {0x22C5, "$\\cdot$"},
                                                     {0x2588, "\\rule{1ex}{1.5ex}"},
                                                     {0x2713, "$\\surd$"},
                                                     {0x2717, "$\\times$"},
                                                     {0x27E8, "$\\langle$"},
                                                     {0x27E9, "$\\rangle$"}}};

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

std::string direction_arrow(const std::optional<Direction>& direction, double target) {
  if (direction == Direction::lower) return "↓";
  if (direction == Direction::higher) return "↑";
  if (direction == Direction::target) return std::isfinite(target) ? fmt::format("→{:.4g}", target) : "→";
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
      const auto sign = std::lower_bound(latex_signs.begin(), latex_signs.end(), code,
                                         [](const LatexSign& s, std::uint32_t c) { return s.code < c; });
      result +=
          sign != latex_signs.end() && sign->code == code ? std::string(sign->text) : fmt::format("U+{:04X}", code);
    }
    rest.remove_prefix(static_cast<std::size_t>(std::max(1, length)));
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
