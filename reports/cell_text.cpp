// SPDX-License-Identifier: Apache-2.0
#include "reports/cell_text.hpp"

#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace onmanifold {
namespace {

using NumberText = std::string (*)(const Decimal&);
using WordText = std::string (*)(std::string_view);

Decimal rounded(double value, const Rounded& style) {
  switch (style.style) {
    case Rounded::Style::fixed:
      return round_fixed(value, style.digits);
    case Rounded::Style::significant:
      return round_significant(value, style.digits);
    case Rounded::Style::percent:
      break;
  }
  return round_percent(value);
}

struct ContentText {
  NumberText number;
  WordText words;

  FormattedValue operator()(std::monostate /*empty*/) const { return {}; }
  FormattedValue operator()(const Measured& cell) const {
    const MeasuredDecimal decimal = round_measured(cell.value, cell.spread);
    return {number(decimal.value), number(decimal.spread)};
  }
  FormattedValue operator()(const Rounded& cell) const {
    Decimal value = rounded(cell.value, cell);
    value.plus = cell.sign && cell.value > 0;
    Rounded two = cell;
    two.digits = 2;
    return {number(value), std::isnan(cell.spread) ? "" : number(rounded(cell.spread, two))};
  }
  FormattedValue operator()(const Range& cell) const {
    if (!std::isfinite(cell.interval.low)) return {number({.kind = Decimal::Kind::unknown}), ""};
    return {fmt::format("{} to {}", number(round_fixed(cell.interval.low, cell.digits)),
                        number(round_fixed(cell.interval.high, cell.digits))),
            ""};
  }
  FormattedValue operator()(const std::string& cell) const { return {words(cell), ""}; }
};

FormattedValue marked(FormattedValue text, const TableCell& cell) {
  if (cell.harms) text.value += " !";
  return text;
}

}  // namespace

FormattedValue cell_text(const TableCell& cell) {
  const ContentText writer{to_text, [](std::string_view words) { return std::string(words); }};
  return marked(std::visit(writer, cell.content), cell);
}

FormattedValue cell_latex(const TableCell& cell) {
  return marked(std::visit(ContentText{to_latex, escape_latex}, cell.content), cell);
}

std::string hover_text(const TableCell& cell) {
  std::vector<std::string> parts;
  if (std::isfinite(cell.interval)) parts.push_back(fmt::format("95 % interval of the mean ± {:.2g}", cell.interval));
  if (!cell.seeds.empty()) {
    std::vector<std::string> seeds;
    for (const double value : cell.seeds) seeds.push_back(fmt::format("{:.6g}", value));
    parts.push_back(fmt::format("seeds: {}", fmt::join(seeds, ", ")));
  }
  if (!cell.detail.empty()) parts.push_back(cell.detail);
  if (cell.incomplete()) parts.push_back(fmt::format("over {} of {} seeds", cell.seeds.size(), cell.n_asked));
  if (!cell.note.empty()) parts.push_back(cell.note);
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace onmanifold
