// SPDX-License-Identifier: Apache-2.0
#include "reports/table.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

// {"bins":288,"k":5} -> "bins 288, k 5"; text that is no JSON object stays as it is.
std::string readable_parameters(const std::string& parameters) {
  Value value;
  try {
    value = parse_json(parameters, "parameters");
  } catch (const std::runtime_error&) {
    return parameters;
  }
  const auto* table = value.get_if<Value::Table>();
  if (table == nullptr) return parameters;
  std::vector<std::string> parts;
  for (const auto& [key, item] : *table) {
    const auto* text = item.get_if<std::string>();
    const auto* number = item.get_if<double>();
    const std::string shown = text != nullptr     ? *text
                              : number != nullptr ? fmt::format("{:.6g}", *number)
                                                  : to_json(item);
    parts.push_back(key + " " + shown);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string joined(const std::string& first, const std::string& second, const char* between) {
  return first.empty() || second.empty() ? first + second : first + between + second;
}

}  // namespace

std::string TableColumn::arrow() const {
  return direction_arrow(direction, target);
}

std::string TableColumn::kind() const {
  return joined(variant, samples ? std::string(name_of(*samples)) : "", ", ");
}

RowGroup row_group(MethodRole role) {
  switch (role) {
    case MethodRole::oracle:
      return RowGroup::oracle;
    case MethodRole::analytic:
      return RowGroup::analytic;
    case MethodRole::control:
      return RowGroup::control;
    case MethodRole::learner:
      break;
  }
  return RowGroup::learner;
}

std::string TableRow::seeds() const {
  if (n_cells == 0) return "";
  return n_ok == n_cells ? fmt::format("{}", n_cells) : fmt::format("{}/{}", n_ok, n_cells);
}

bool TableRow::apart_from(const TableRow& before) const {
  return (group == RowGroup::learner) != (before.group == RowGroup::learner) ||
         (group == RowGroup::null && before.group != RowGroup::null);
}

std::string measure_sign(const std::string& measure) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> signs = {
      {{"volume of the manifold", "M"}, {"volume of the ambient space", "R^D"}}};
  for (const auto& [words, sign] : signs) {
    if (measure == words) return std::string(sign);
  }
  return measure;
}

TableColumn metric_column(const MetricColumn& column) {
  return {.name = column.name,
          .variant = measure_sign(column.measure),
          .samples = column.samples,
          .direction = column.direction,
          .target = column.target,
          .unit = column.unit,
          .parameters = readable_parameters(column.parameters)};
}

std::string metric_label(const TableColumn& column) {
  const std::string kind = column.kind();
  return plain_text(joined(joined(column.name, column.arrow(), " "), kind.empty() ? "" : "(" + kind + ")", " "));
}

std::string metric_label(const MetricColumn& column) {
  return metric_label(metric_column(column));
}

TableCell summary_cell(const Summary& summary, int n_cells) {
  TableCell cell;
  cell.content = Measured{summary.mean, summary.sd};
  cell.best = summary.best;
  cell.second = summary.second;
  cell.at_floor = summary.at_floor;
  cell.interval = summary.interval;
  for (const auto& [seed, value] : summary.values) cell.seeds.push_back(value);
  cell.n_asked = n_cells;
  cell.note = summary.reason;
  return cell;
}

TableCell word_cell(std::string words) {
  return number_cell(std::move(words));
}

TableCell number_cell(CellContent content) {
  TableCell cell;
  cell.content = std::move(content);
  return cell;
}

std::vector<std::string> header_lines(const TableColumn& column, int widest) {
  std::vector<std::string> lines;
  std::string line;
  std::string name = column.name;
  while (!name.empty()) {
    const std::size_t end = name.find('_');
    const std::string part = end == std::string::npos ? name : name.substr(0, end + 1);
    name.erase(0, part.size());
    if (!line.empty() && display_width(line + part) > widest) {
      lines.push_back(line);
      line.clear();
    }
    line += part;
  }
  lines.push_back(line);
  const std::string kind = column.kind();
  const std::string last = joined(kind, column.arrow(), " ");
  if (last.empty()) return lines;
  if (kind.empty()) {
    lines.back() += " " + last;
  } else {
    lines.push_back(last);
  }
  return lines;
}

std::vector<std::size_t> column_blocks(const std::vector<int>& widths, int names_width, int width) {
  const std::size_t columns = widths.size();
  std::vector<std::size_t> starts;
  for (std::size_t blocks = 1; blocks <= std::max<std::size_t>(columns, 1); ++blocks) {
    starts.clear();
    for (std::size_t b = 0; b <= blocks; ++b) starts.push_back(b * columns / blocks);
    bool fits = true;
    for (std::size_t b = 0; b < blocks; ++b) {
      int used = names_width;
      for (std::size_t c = starts[b]; c < starts[b + 1]; ++c) used += widths[c];
      fits = fits && (used <= width || starts[b + 1] - starts[b] <= 1);
    }
    if (fits) break;
  }
  return starts;
}

}  // namespace onmanifold
