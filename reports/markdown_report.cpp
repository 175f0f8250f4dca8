// SPDX-License-Identifier: Apache-2.0
#include "reports/markdown_report.hpp"

#include <fmt/format.h>

#include "reports/cell_text.hpp"
#include "reports/claim_table.hpp"
#include "reports/sentences.hpp"
#include "reports/verdict_text.hpp"

namespace onmanifold {
namespace {

std::string cell_markdown(const TableCell& cell, RowGroup group) {
  const FormattedValue shown = cell_text(cell);
  std::string text = escape_markdown(shown.value);
  if (!shown.spread.empty()) text += " ± " + shown.spread;
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
    const std::string arrow = column.arrow();
    const std::string kind = column.kind();
    text += fmt::format(" {}{}{}{} |", escape_markdown(column.name), arrow.empty() ? "" : " ", arrow,
                        kind.empty() ? "" : fmt::format(" ({})", escape_markdown(kind)));
    rule += "--:|";
  }
  text += "\n" + rule + "\n";
  for (const TableRow& row : table.rows) {
    const bool set_apart = row.group != RowGroup::learner;
    const std::string name = escape_markdown(row.name);
    text +=
        fmt::format("| {} | {} | {} |", set_apart ? "*" + name + "*" : name, escape_markdown(row.lift), row.seeds());
    for (const TableCell& cell : row.cells) text += fmt::format(" {} |", cell_markdown(cell, row.group));
    text += '\n';
  }
  text += '\n';
  for (const Footnote& note : table.footnotes) text += fmt::format("- {}\n", escape_markdown(note.marked()));
  return text;
}

std::string markdown_report(const Report& report) {
  const Analysis& analysis = report.analysis;
  std::string text = analysis.suite.name.empty()
                         ? "# OnManifold results\n\n"
                         : fmt::format("# OnManifold results: suite {}\n\n", escape_markdown(analysis.suite.name));
  for (const std::string& line : verdict_lines(analysis)) text += escape_markdown(line) + "\n";
  text += '\n';
  for (const std::string& line : conclusion_lines(analysis)) text += escape_markdown(line) + "\n";
  text += '\n';
  if (!analysis.claims.empty()) text += claims_markdown(analysis.claims) + "\n";
  const auto add = [&](const std::optional<Table>& table) {
    if (table) text += render_markdown(*table) + "\n";
  };
  add(report.tables.matrix);
  add(report.tables.overview);
  if (report.tables.overview) {
    for (const std::string& line : overview_lines(analysis)) text += "- " + escape_markdown(line) + "\n";
    text += '\n';
  }
  add(report.tables.ranking);
  add(report.tables.lifts);
  add(report.tables.published);
  for (const TaskTables& task : report.tables.tasks) {
    add(task.main);
    add(task.axis);
    for (const Table& table : task.diagnostics) add(table);
  }
  return text + escape_markdown(reading_guide_text()) + "\n";
}

std::vector<std::string> MarkdownReporter::write(const Report& report, const std::string& directory) const {
  return {write_report_file(directory, "md", markdown_report(report))};
}

}  // namespace onmanifold
