// SPDX-License-Identifier: Apache-2.0
#pragma once
// One table as data: rows, cells, marks and footnotes. Terminal, Markdown and HTML are renderings of it, so
// they cannot disagree.

#include <optional>
#include <string>
#include <vector>

#include "reports/aggregate.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {

struct TableCell {
  FormattedValue text;  ///< "—" where there is no value
  bool best = false;
  bool second = false;  ///< next best, clear of a single best
  bool at_floor = false;
  std::string detail;  ///< interval and the value of every seed; empty where there is no value
  std::string note;    ///< reason of a missing value, or the seeds it is over if not all; for footnotes and hover
};

struct TableColumn {
  std::string metric;
  std::string samples;  ///< "raw" or "projected"
  std::string arrow;    ///< "↓", "↑", "→0.01" or ""
  std::string unit;
  std::string parameters;
};

enum class RowGroup { oracle, analytic, learner, control, null };

struct TableRow {
  std::string method;
  std::string lift;   ///< "" where the lift is none for a method that is never lifted, or a null row
  std::string seeds;  ///< "3", or "2/3" if cells are missing
  RowGroup group = RowGroup::learner;
  std::vector<TableCell> cells;
};

struct Table {
  std::string title;
  std::string description;
  std::string row_header = "Method";  ///< what TableRow::method and lift are
  std::string lift_header = "Lift";
  std::vector<TableColumn> columns;
  std::vector<TableRow> rows;  ///< the last one is what a perfect model would get
  bool equal_seeds = true;     ///< all arms have the same number of seeds, none failed
  std::vector<std::string> footnotes;
};

/// A metric asked for by name.
struct ColumnChoice {
  std::string metric;
  SampleKind samples = SampleKind::raw;
  bool only_where_known = false;  ///< left out where no arm has a value: few methods have likelihoods
};

/// The columns of terminal and Markdown tables: tvd, coverage and mmd2_rbf_unbiased on projected samples;
/// nll where there is one, constraint_mean, projection_distance and train_copy_rate on raw ones.
[[nodiscard]] const std::vector<ColumnChoice>& default_columns();
/// All columns of \p summary on one kind of samples.
[[nodiscard]] std::vector<int> all_columns(const TaskSummary& summary, SampleKind samples);
/// Those of \p choices that \p summary has; a default column that no cell has is left out.
[[nodiscard]] std::vector<int> chosen_columns(const TaskSummary& summary, const std::vector<ColumnChoice>& choices);

/// \p columns are indices into summary.columns.
[[nodiscard]] Table make_table(const TaskResult& task, const TaskSummary& summary, const std::vector<int>& columns);

/// Lines of a narrow header, broken behind "_" where they would be wider than \p widest: "projection_", "distance",
/// "raw ↓".
[[nodiscard]] std::vector<std::string> header_lines(const TableColumn& column, int widest = 12);
/// "ddpm normal-0.1", "oracle".
[[nodiscard]] std::string arm_label(const std::string& method, const std::string& lift);
/// "<key>: <problem>" of every cell without samples and metrics.
[[nodiscard]] std::vector<std::string> problem_lines(const TaskResult& task);
/// σ_lift over s_min in data units, or NaN: below 1 the lift drowns in the smallest noise of the model.
[[nodiscard]] double lift_visibility(const TaskResult& task, const Arm& arm);

}  // namespace onmanifold
