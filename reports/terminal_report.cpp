// SPDX-License-Identifier: Apache-2.0
#include "reports/terminal_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "reports/cell_text.hpp"
#include "reports/claim_table.hpp"
#include "reports/sentences.hpp"
#include "reports/verdict_text.hpp"

namespace onmanifold {
namespace {

constexpr std::string_view bold = "\033[1m";
constexpr std::string_view underline = "\033[4m";
constexpr std::string_view dim = "\033[2m";
constexpr std::string_view plain = "\033[0m";

// "0.0213±0.0012": without spaces, six columns fit beside the names.
std::string close_text(const TableCell& cell) {
  const FormattedValue text = cell_text(cell);
  return text.spread.empty() ? text.value : text.value + "±" + text.spread;
}

struct Layout {
  std::vector<std::vector<std::string>> headers;
  std::vector<int> widths;
  int label_width = 0;
  int seeds_width = 0;
};

Layout lay_out(const Table& table) {
  Layout layout;
  for (const TableRow& row : table.rows) {
    layout.label_width = std::max(layout.label_width, display_width(arm_label(row.name, row.lift)));
    layout.seeds_width = std::max({layout.seeds_width, display_width(row.seeds()), 5});
  }
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    layout.headers.push_back(header_lines(table.columns[c]));
    int width = 0;
    for (const std::string& line : layout.headers.back()) width = std::max(width, display_width(line));
    for (const TableRow& row : table.rows) width = std::max(width, display_width(close_text(row.cells[c])));
    layout.widths.push_back(width);
  }
  return layout;
}

// One block of columns first … last-1, with the names of the rows before it.
std::string render_block(const Table& table, const Layout& layout, std::size_t first, std::size_t last, bool colour) {
  const auto rule = [&] {
    int width = layout.label_width + (table.equal_seeds ? 0 : layout.seeds_width + 2);
    for (std::size_t c = first; c < last; ++c) width += layout.widths[c] + 3;
    std::string text;
    for (int i = 0; i < width; ++i) text += "─";
    return text + "\n";
  };
  std::string text;
  std::size_t height = 1;
  for (std::size_t c = first; c < last; ++c) height = std::max(height, layout.headers[c].size());
  for (std::size_t line = 0; line < height; ++line) {
    const bool last_line = line + 1 == height;
    text += pad_right("", layout.label_width);
    if (!table.equal_seeds) text += "  " + pad_left(last_line ? "seeds" : "", layout.seeds_width);
    for (std::size_t c = first; c < last; ++c) {
      // Headers are aligned at their last line.
      const std::size_t skipped = height - layout.headers[c].size();
      const std::string part = line < skipped ? "" : layout.headers[c][line - skipped];
      text += "  " + pad_left(part, layout.widths[c]) + " ";
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    text += '\n';
  }
  text += rule();
  const TableRow* before = nullptr;
  for (const TableRow& row : table.rows) {
    if (before != nullptr && row.apart_from(*before)) text += rule();
    before = &row;
    std::string line = pad_right(arm_label(row.name, row.lift), layout.label_width);
    if (!table.equal_seeds) line += "  " + pad_left(row.seeds(), layout.seeds_width);
    for (std::size_t c = first; c < last; ++c) {
      const TableCell& cell = row.cells[c];
      const std::string value = close_text(cell);
      const std::string padding = pad_left("", layout.widths[c] - display_width(value));
      const std::string_view style = !colour         ? ""
                                     : cell.best     ? bold
                                     : cell.second   ? underline
                                     : cell.at_floor ? dim
                                                     : "";
      const std::string mark = cell.best ? "*" : cell.at_floor && row.group == RowGroup::learner ? "·" : " ";
      // No line under the space behind a value.
      const std::string_view end = style.empty() ? "" : plain;
      const std::string tail = mark == " " ? fmt::format("{} ", end) : fmt::format("{}{}", mark, end);
      line += fmt::format("  {}{}{}{}", padding, style, value, tail);
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    text += line + "\n";
  }
  return text;
}

}  // namespace

std::string render_terminal(const Table& table, bool colour, int width) {
  std::string text = colour ? fmt::format("{}{}{}\n", bold, table.title, plain) : table.title + "\n";
  if (!table.description.empty()) text += wrap_text(table.description, width, "") + "\n";
  text += '\n';
  const Layout layout = lay_out(table);
  std::vector<int> widths = layout.widths;
  for (int& one : widths) one += 3;
  const int names = layout.label_width + (table.equal_seeds ? 0 : layout.seeds_width + 2);
  const std::vector<std::size_t> starts = column_blocks(widths, names, width);
  for (std::size_t b = 0; b + 1 < starts.size(); ++b) {
    if (b > 0) text += '\n';
    text += render_block(table, layout, starts[b], starts[b + 1], colour);
  }
  for (const Footnote& note : table.footnotes) text += wrap_text(note.marked(), width, "  ") + "\n";
  return text;
}

std::string terminal_report(const Report& report, bool colour) {
  const Analysis& analysis = report.analysis;
  std::string text;
  const auto add = [&](const std::optional<Table>& table) {
    if (table) text += render_terminal(*table, colour) + "\n";
  };
  for (const TaskTables& task : report.tables.tasks) {
    add(task.main);
    add(task.axis);
    for (const Table& table : task.diagnostics) add(table);
  }
  add(report.tables.lifts);
  add(report.tables.published);
  add(report.tables.ranking);
  add(report.tables.overview);
  add(report.tables.matrix);
  if (report.tables.overview) {
    for (const std::string& line : overview_lines(analysis)) text += wrap_text(line, terminal_width, "  ") + "\n";
    text += '\n';
  }
  text += wrap_text(reading_guide_text(), terminal_width, "  ") + "\n";
  for (const std::string& line : conclusion_lines(analysis)) text += wrap_text(line, terminal_width, "  ") + "\n";
  text += '\n';
  for (const std::string& line : verdict_lines(analysis)) text += wrap_text(line, terminal_width, "  ") + "\n";
  // Last, where the terminal stands still.
  if (!analysis.claims.empty()) text += "\n" + claims_terminal(analysis.claims);
  return text;
}

std::vector<std::string> TerminalReporter::write(const Report& report, const std::string& directory) const {
  return {write_report_file(directory, "txt", terminal_report(report, false))};
}

}  // namespace onmanifold
