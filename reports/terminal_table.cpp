// SPDX-License-Identifier: Apache-2.0
#include "reports/terminal_table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "reports/axis_table.hpp"
#include "reports/claim_table.hpp"
#include "reports/diagnostic_table.hpp"
#include "reports/lift_effect.hpp"
#include "reports/narrative.hpp"
#include "reports/published.hpp"
#include "reports/ranking.hpp"

namespace onmanifold {
namespace {

constexpr std::string_view bold = "\033[1m";
constexpr std::string_view underline = "\033[4m";
constexpr std::string_view dim = "\033[2m";
constexpr std::string_view plain = "\033[0m";

// "0.0213±0.0012": without spaces, six columns fit beside the names.
std::string cell_text(const TableCell& cell) {
  return cell.text.spread.empty() ? cell.text.value : cell.text.value + "±" + cell.text.spread;
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
    layout.label_width = std::max(layout.label_width, display_width(arm_label(row.method, row.lift)));
    layout.seeds_width = std::max({layout.seeds_width, display_width(row.seeds), 5});
  }
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    layout.headers.push_back(header_lines(table.columns[c]));
    int width = 0;
    for (const std::string& line : layout.headers.back()) width = std::max(width, display_width(line));
    for (const TableRow& row : table.rows) width = std::max(width, display_width(cell_text(row.cells[c])));
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
  RowGroup group = table.rows.empty() ? RowGroup::null : table.rows.front().group;
  for (const TableRow& row : table.rows) {
    const bool apart = (row.group == RowGroup::learner) != (group == RowGroup::learner) || row.group == RowGroup::null;
    if (apart) text += rule();
    group = row.group;
    std::string line = pad_right(arm_label(row.method, row.lift), layout.label_width);
    if (!table.equal_seeds) line += "  " + pad_left(row.seeds, layout.seeds_width);
    for (std::size_t c = first; c < last; ++c) {
      const TableCell& cell = row.cells[c];
      const std::string value = cell_text(cell);
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
  const int names = layout.label_width + (table.equal_seeds ? 0 : layout.seeds_width + 2);
  // The fewest blocks that fit, and of these the most even ones: of six columns three and three, not five and
  // one.
  const std::size_t columns = table.columns.size();
  std::size_t blocks = 1;
  const auto block_fits = [&](std::size_t first, std::size_t last) {
    int used = names;
    for (std::size_t c = first; c < last; ++c) used += layout.widths[c] + 3;
    return used <= width || last - first <= 1;
  };
  const auto start_of = [&](std::size_t block) { return block * columns / blocks; };
  const auto all_fit = [&] {
    for (std::size_t b = 0; b < blocks; ++b) {
      if (!block_fits(start_of(b), start_of(b + 1))) return false;
    }
    return true;
  };
  while (blocks < columns && !all_fit()) ++blocks;
  for (std::size_t b = 0; b < blocks; ++b) {
    if (b > 0) text += '\n';
    text += render_block(table, layout, start_of(b), start_of(b + 1), colour);
  }
  for (const std::string& note : table.footnotes) text += wrap_text(note, width, "  ") + "\n";
  return text;
}

std::string terminal_report(const ResultSet& results, bool colour) {
  std::string text;
  const std::vector<TaskSummary> summaries = summarise_all(results);
  for (std::size_t t = 0; t < results.tasks.size(); ++t) {
    const TaskResult& task = results.tasks[t];
    const TaskSummary& summary = summaries[t];
    const Table table = make_table(task, summary, chosen_columns(summary, default_columns()));
    text += render_terminal(table, colour) + "\n";
    if (const auto axis = make_axis_table(task, summary)) text += render_terminal(*axis, colour) + "\n";
    for (const Table& diagnostic : make_diagnostic_tables(task, summary)) {
      text += render_terminal(diagnostic, colour) + "\n";
    }
  }
  if (const auto lifts = make_lift_table(lift_effects(results, summaries)))
    text += render_terminal(*lifts, colour) + "\n";
  if (const auto published = make_published_table(compare_published(results, summaries))) {
    text += render_terminal(*published, colour) + "\n";
  }
  const Ranking ranking = rank_arms(results, summaries);
  if (const auto table = make_ranking_table(ranking)) text += render_terminal(*table, colour) + "\n";
  if (const auto overview = make_overview_table(results, summaries)) {
    text += render_terminal(*overview, colour) + "\n";
    for (const std::string& line : overview_lines(results, summaries, ranking))
      text += wrap_text(line, 120, "  ") + "\n";
    text += '\n';
  }
  text += wrap_text(reading_guide_text(), 120, "  ") + "\n";
  for (const std::string& line : conclusion_lines(results)) text += wrap_text(line, 120, "  ") + "\n";
  // Last, where the terminal stands still.
  if (holds_claims(results)) {
    text += '\n';
    text += claims_terminal(judge_claims(results));
  }
  return text;
}

}  // namespace onmanifold
