// SPDX-License-Identifier: Apache-2.0
#include "reports/diagnostic_table.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/math/statistics.hpp"

namespace onmanifold {
namespace {

/// The answers of one arm to one diagnostic, by seed.
using Answers = std::vector<std::pair<int, const DiagnosticRecord*>>;

TableCell make_cell(const Answers& answers, const std::string& name, std::set<std::string>& notes) {
  std::vector<double> values;
  std::vector<std::string> seeds;
  TableCell cell;
  for (const auto& [seed, record] : answers) {
    const auto found = record->numbers.find(name);
    if (found != record->numbers.end() && found->second.size() == 1) {
      values.push_back(found->second[0]);
      seeds.push_back(fmt::format("{:.6g}", values.back()));
    } else if (!record->status.ok()) {
      cell.note = record->status.text();
      notes.insert(cell.note);
    }
  }
  const Eigen::Map<const Vector> all(values.data(), static_cast<Index>(values.size()));
  cell.text = format_measured(values.empty() ? MetricRecord::unknown : mean(all),
                              values.size() < 2 ? MetricRecord::unknown : standard_deviation(all));
  if (!values.empty()) cell.detail = fmt::format("seeds: {}", fmt::join(seeds, ", "));
  if (!values.empty() && values.size() < answers.size()) {
    cell.note = fmt::format("over {} of {} seeds", values.size(), answers.size());
  }
  return cell;
}

}  // namespace

std::vector<Table> make_diagnostic_tables(const TaskResult& task, const TaskSummary& summary) {
  // By label, then by arm in the order of the summary.
  std::map<std::string, std::map<std::size_t, Answers>> asked;
  for (const CellResult& cell : task.cells) {
    for (const auto& [label, record] : cell.head.diagnostics) {
      const auto arm = std::find_if(summary.arms.begin(), summary.arms.end(), [&](const Arm& a) {
        return a.method == cell.key.method && a.lift == cell.key.lift;
      });
      if (arm == summary.arms.end()) continue;
      asked[label][static_cast<std::size_t>(arm - summary.arms.begin())].emplace_back(cell.key.seed, &record);
    }
  }
  std::vector<Table> tables;
  for (const auto& [label, arms] : asked) {
    std::set<std::string> names;
    for (const auto& [index, answers] : arms) {
      for (const auto& [seed, record] : answers) {
        for (const auto& [name, series] : record->numbers) {
          const bool detail = name.find('/') != std::string::npos;
          if (series.size() == 1 && !detail && std::isfinite(series[0])) names.insert(name);
        }
      }
    }
    Table table;
    table.title = plain_text(fmt::format("{}: {}", task.name, label));
    table.description = "Diagnostic: mean ± standard deviation over seeds.";
    for (const std::string& name : names) {
      TableColumn column;
      column.metric = plain_text(name);
      table.columns.push_back(column);
    }
    std::set<std::string> notes;
    for (const auto& [index, answers] : arms) {
      const Arm& arm = summary.arms[index];
      TableRow row;
      row.method = plain_text(arm.method);
      row.lift = arm.lift == "none" ? "" : plain_text(arm.lift);
      row.seeds = fmt::format("{}", answers.size());
      for (const std::string& name : names) row.cells.push_back(make_cell(answers, name, notes));
      if (names.empty()) (void)make_cell(answers, "", notes);
      table.rows.push_back(std::move(row));
    }
    for (const std::string& note : notes) table.footnotes.push_back(plain_text(note));
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace onmanifold
