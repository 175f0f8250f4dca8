// SPDX-License-Identifier: Apache-2.0
#include "reports/markdown_table.hpp"

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

std::string cell_text(const TableCell& cell, RowGroup group) {
  std::string text = escape_markdown(cell.text.value);
  if (!cell.text.spread.empty()) text += " ± " + cell.text.spread;
  if (cell.best) {
    text = "**" + text + "**";
  } else if (cell.second) {
    text = "*" + text + "*";
  }
  if (cell.at_floor && group == RowGroup::learner) text += " ·";
  return text;
}

}  // namespace

std::string render_markdown(const Table& table) {
  std::string text = fmt::format("## {}\n\n", escape_markdown(table.title));
  if (!table.description.empty()) text += escape_markdown(table.description) + "\n\n";
  text += fmt::format("| {} | {} | n |", escape_markdown(table.row_header), escape_markdown(table.lift_header));
  std::string rule = "|---|---|--:|";
  for (const TableColumn& column : table.columns) {
    text += fmt::format(" {}{}{}{} |", escape_markdown(column.metric), column.arrow.empty() ? "" : " ", column.arrow,
                        column.samples.empty() ? "" : fmt::format(" ({})", escape_markdown(column.samples)));
    rule += "--:|";
  }
  text += "\n" + rule + "\n";
  for (const TableRow& row : table.rows) {
    const bool set_apart = row.group != RowGroup::learner;
    const std::string name = escape_markdown(row.method);
    text += fmt::format("| {} | {} | {} |", set_apart ? "*" + name + "*" : name, escape_markdown(row.lift), row.seeds);
    for (const TableCell& cell : row.cells) text += fmt::format(" {} |", cell_text(cell, row.group));
    text += '\n';
  }
  text += '\n';
  for (const std::string& note : table.footnotes) text += fmt::format("- {}\n", escape_markdown(note));
  return text;
}

std::string markdown_report(const ResultSet& results) {
  const std::string suite = suite_name(results);
  std::string text = suite.empty() ? "# OnManifold results\n\n"
                                   : fmt::format("# OnManifold results: suite {}\n\n", escape_markdown(suite));
  for (const std::string& line : conclusion_lines(results)) text += escape_markdown(line) + "\n";
  text += '\n';
  if (holds_claims(results)) text += claims_markdown(judge_claims(results)) + "\n";
  const std::vector<TaskSummary> summaries = summarise_all(results);
  const Ranking ranking = rank_arms(results, summaries);
  if (const auto overview = make_overview_table(results, summaries)) {
    text += render_markdown(*overview) + "\n";
    for (const std::string& line : overview_lines(results, summaries, ranking))
      text += "- " + escape_markdown(line) + "\n";
    text += '\n';
  }
  if (const auto table = make_ranking_table(ranking)) text += render_markdown(*table) + "\n";
  if (const auto lifts = make_lift_table(lift_effects(results, summaries))) text += render_markdown(*lifts) + "\n";
  if (const auto published = make_published_table(compare_published(results, summaries))) {
    text += render_markdown(*published) + "\n";
  }
  for (std::size_t t = 0; t < results.tasks.size(); ++t) {
    const TaskResult& task = results.tasks[t];
    const TaskSummary& summary = summaries[t];
    text += render_markdown(make_table(task, summary, chosen_columns(summary, default_columns()))) + "\n";
    if (const auto axis = make_axis_table(task, summary)) text += render_markdown(*axis) + "\n";
    for (const Table& table : make_diagnostic_tables(task, summary)) text += render_markdown(table) + "\n";
  }
  text += escape_markdown(reading_guide_text()) + "\n";
  return text;
}

}  // namespace onmanifold
