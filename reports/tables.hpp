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

/// \p columns are indices into the columns of the task's summary; the last row is what a perfect model would get.
[[nodiscard]] Table task_table(const TaskAnalysis& task, const std::vector<int>& columns);
/// Primary metric of all learners by place; a method that handles the mismatch elsewhere stands in the row of the blind
/// method it varies.
[[nodiscard]] std::optional<Table> axis_table(const TaskAnalysis& task);
/// Arms by numbers, over seeds.
[[nodiscard]] Table diagnostic_table(const TaskAnalysis& task, const DiagnosticSummary& diagnostic);
/// Configurations by tasks, each task by its primary metric. nullopt where no task has one.
[[nodiscard]] std::optional<Table> matrix_table(const Analysis& analysis);
/// One line a task; nullopt where nothing can be ranked.
[[nodiscard]] std::optional<Table> overview_table(const Analysis& analysis);
/// nullopt below two arms or two blocks.
[[nodiscard]] std::optional<Table> ranking_table(const Ranking& ranking);
/// Tasks and methods by lifts. nullopt below two rows: one is in the task's own table.
[[nodiscard]] std::optional<Table> lift_table(const std::vector<LiftEffect>& effects);
/// nullopt for none.
[[nodiscard]] std::optional<Table> published_table(const std::vector<PublishedComparison>& comparisons);

}  // namespace onmanifold
