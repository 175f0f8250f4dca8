// SPDX-License-Identifier: Apache-2.0
// Methods × tasks as a table: the first thing that a reader sees.

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/suggestion.hpp"
#include "reports/tables.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

TableColumn task_column(const MatrixTask& task, const TaskSummary& summary) {
  TableColumn column{.name = plain_text(task.name), .variant = ""};
  if (task.column < 0) return column;
  const MetricColumn& metric = summary.columns[static_cast<std::size_t>(task.column)];
  column.variant = plain_text(metric.name);
  if (!metric.read_here) column.samples = metric.samples;
  column.direction = metric.direction;
  column.target = metric.target;
  return column;
}

TableCell entry_cell(const MatrixEntry& entry, const MatrixTask& task, const TaskSummary& summary) {
  if (entry.arm < 0) {
    TableCell cell = word_cell("");
    cell.note = "not run on this task";
    return cell;
  }
  const auto a = static_cast<std::size_t>(entry.arm);
  if (task.column < 0) {
    TableCell cell = word_cell("—");
    cell.note = task.reason;
    return cell;
  }
  const Summary& summed = summary.table[a][static_cast<std::size_t>(task.column)];
  TableCell cell = summary_cell(summed, summary.arms[a].n_cells());
  cell.content = Measured{summed.mean, summed.interval};
  cell.second = false;
  cell.best = entry.may_be_best;
  if (entry.rank > 0) {
    cell.shade = task.ranked > 1 ? (entry.rank - 1.0) / (task.ranked - 1.0) : 0.0;
    cell.detail = fmt::format("rank {} of {}", entry.rank, task.ranked);
  }
  return cell;
}

TableRow null_row(const Matrix& matrix, const std::vector<TaskAnalysis>& tasks) {
  TableRow row;
  row.name = "perfect model";
  row.group = RowGroup::null;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const int column = matrix.tasks[t].column;
    if (column < 0) {
      row.cells.push_back(word_cell("—"));
      continue;
    }
    const MetricColumn& metric = tasks[t].summary.columns[static_cast<std::size_t>(column)];
    // Without its spread, which is that of one value and not of a mean.
    row.cells.push_back(number_cell(Rounded{.value = metric.null, .digits = 3, .style = Rounded::Style::significant}));
    row.cells.back().detail = fmt::format("standard deviation of one value {:.2g}", metric.null_sd);
  }
  return row;
}

}  // namespace

std::optional<Table> matrix_table(const Analysis& analysis) {
  return matrix_table(analysis, analysis.matrix);
}

std::optional<Table> matrix_table(const Analysis& analysis, const Matrix& matrix) {
  if (matrix.empty() ||
      std::all_of(matrix.tasks.begin(), matrix.tasks.end(), [](const MatrixTask& task) { return task.column < 0; })) {
    return std::nullopt;
  }
  Table table;
  table.name = "matrix";
  table.title = "Methods by tasks";
  table.description =
      "Mean over seeds ± half the width of its 95 % interval. Bold: may be the best learner (95 % confidence set).";
  for (std::size_t t = 0; t < matrix.tasks.size(); ++t) {
    table.columns.push_back(task_column(matrix.tasks[t], analysis.tasks[t].summary));
  }
  table.rows.push_back(null_row(matrix, analysis.tasks));
  for (const MatrixRow& row : matrix.rows) {
    TableRow line;
    line.name = plain_text(row.method);
    line.lift = row.lifted ? plain_text(row.lift) : "";
    line.group = row_group(row.role);
    for (std::size_t t = 0; t < matrix.tasks.size(); ++t) {
      line.cells.push_back(entry_cell(row.entries[t], matrix.tasks[t], analysis.tasks[t].summary));
    }
    table.rows.push_back(std::move(line));
  }
  table.footnotes.emplace_back(
      "in the confidence set of a task are the learners that no other beats in a one-sided t test over seeds, at 0.05 over "
      "the number of the others; a method with a failed cell is not ranked");
  return table;
}

Table method_table(const Analysis& analysis, const std::string& label) {
  Table table;
  table.name = label;
  table.title = plain_text(label);
  table.description = "Mean over seeds ± half the width of its 95 % interval.";
  table.row_header = "Task";
  table.rows_are_arms = false;
  std::set<std::string> known;
  std::vector<std::vector<std::pair<std::size_t, TableCell>>> lines;  // by row: column, cell
  for (const TaskAnalysis& task : analysis.tasks) {
    const TaskSummary& summary = task.summary;
    for (std::size_t a = 0; a < summary.arms.size(); ++a) {
      known.insert(short_label(summary.arms[a]));
      if (short_label(summary.arms[a]) != label) continue;
      TableRow row;
      row.name = plain_text(task.result->name);
      auto& cells = lines.emplace_back();
      for (const int c : asked_columns(summary)) {
        const Summary& summed = summary.table[a][static_cast<std::size_t>(c)];
        TableColumn column = metric_column(summary.columns[static_cast<std::size_t>(c)]);
        const auto place = std::find_if(table.columns.begin(), table.columns.end(), [&](const TableColumn& one) {
          return one.name == column.name && one.kind() == column.kind();
        });
        const auto index = static_cast<std::size_t>(place - table.columns.begin());
        if (place == table.columns.end()) table.columns.push_back(std::move(column));
        TableCell cell = summary_cell(summed, summary.arms[a].n_cells());
        cell.content = Measured{summed.mean, summed.interval};
        cell.best = cell.second = false;
        cells.emplace_back(index, std::move(cell));
      }
      table.rows.push_back(std::move(row));
    }
  }
  if (table.rows.empty()) {
    throw InvalidInput(unknown_name("method of these results", label, {known.begin(), known.end()}));
  }
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    table.rows[r].cells.resize(table.columns.size());
    for (auto& [column, cell] : lines[r]) table.rows[r].cells[column] = std::move(cell);
  }
  return table;
}

}  // namespace onmanifold
