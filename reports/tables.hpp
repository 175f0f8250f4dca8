// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tables of a report, made once from its analysis.

#include <optional>
#include <vector>

#include "reports/analysis.hpp"
#include "reports/table.hpp"

namespace onmanifold {

/// One task.
struct TaskTables {
  Table main;                 ///< the primary metric, then what was asked for
  std::optional<Table> axis;  ///< by the place in the pipeline
  std::vector<Table> diagnostics;
};

/// Tables that have nothing to say are missing.
struct ReportTables {
  std::optional<Table> matrix;
  std::optional<Table> overview;
  std::optional<Table> ranking;
  std::optional<Table> lifts;
  std::optional<Table> published;
  std::vector<TaskTables> tasks;
};
[[nodiscard]] ReportTables make_tables(const Analysis& analysis);

/// \p asked are indices into the columns of the task's summary, of which one that repeats another is left out and
/// named below; the last row is what a perfect model would get.
[[nodiscard]] Table task_table(const TaskAnalysis& task, const std::vector<int>& asked);
/// Primary metric of all learners by place; a method that handles the mismatch elsewhere stands in the row of the blind
/// method it varies.
[[nodiscard]] std::optional<Table> axis_table(const TaskAnalysis& task);
/// Arms by numbers, over seeds.
[[nodiscard]] Table diagnostic_table(const TaskAnalysis& task, const DiagnosticSummary& diagnostic);
/// Configurations by tasks, each task by its primary metric. nullopt where no task has one.
[[nodiscard]] std::optional<Table> matrix_table(const Analysis& analysis);
/// The same for another matrix of the analysis.
[[nodiscard]] std::optional<Table> matrix_table(const Analysis& analysis, const Matrix& matrix);
/// Tasks by metrics for one configuration, "ddpm normal". \throw InvalidInput where no task has it, listing those that
/// there are.
[[nodiscard]] Table method_table(const Analysis& analysis, const std::string& label);
/// One line a task; nullopt where nothing can be ranked.
[[nodiscard]] std::optional<Table> overview_table(const Analysis& analysis);
/// nullopt below two arms or two blocks.
[[nodiscard]] std::optional<Table> ranking_table(const Ranking& ranking);
/// Tasks and methods by lifts. nullopt below two rows: one is in the task's own table.
[[nodiscard]] std::optional<Table> lift_table(const std::vector<LiftEffect>& effects);
/// nullopt for none.
[[nodiscard]] std::optional<Table> published_table(const std::vector<PublishedComparison>& comparisons);

}  // namespace onmanifold
