// SPDX-License-Identifier: Apache-2.0
#pragma once
// One table as data: rows of numbers with their spread, marks and footnotes. What a number looks like is decided by the
// reporter that writes it.

#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "analysis/summary.hpp"
#include "core/math/statistics.hpp"

namespace onmanifold {

/// A value whose digits its spread decides.
struct Measured {
  double value = std::numeric_limits<double>::quiet_NaN();
  double spread = std::numeric_limits<double>::quiet_NaN();  ///< NaN: none
};
/// A value with a number of digits of its own.
struct Rounded {
  enum class Style { fixed, significant, percent };
  double value = std::numeric_limits<double>::quiet_NaN();
  int digits = 0;  ///< behind the point, or significant ones
  Style style = Style::fixed;
  bool sign = false;  ///< a plus before what is positive
  double spread = std::numeric_limits<double>::quiet_NaN();
};
/// An interval, digits behind the point.
struct Range {
  Interval interval;
  int digits = 0;
};
/// Empty, a number of some kind, or words.
using CellContent = std::variant<std::monostate, Measured, Rounded, Range, std::string>;

struct TableCell {
  CellContent content;
  bool best = false;
  bool second = false;  ///< next best, clear of a single best
  bool at_floor = false;
  double shade = std::numeric_limits<double>::quiet_NaN();     ///< 0 the best rank … 1 the last; NaN: not ranked
  bool harms = false;                                          ///< a lift that makes it worse
  double interval = std::numeric_limits<double>::quiet_NaN();  ///< half width of the 95 % interval of the mean
  std::vector<double> seeds;                                   ///< the value of every seed
  int n_asked = 0;     ///< seeds that there should be; 0 where that is not known
  std::string detail;  ///< more for hover
  std::string note;    ///< why there is no value

  [[nodiscard]] bool incomplete() const { return !seeds.empty() && static_cast<int>(seeds.size()) < n_asked; }
};

struct TableColumn {
  std::string name;     ///< a metric, or words
  std::string variant;  ///< what tells it from others of the name: a measure, a lift
  std::optional<SampleKind> samples = std::nullopt;
  std::optional<Direction> direction = std::nullopt;
  double target = std::numeric_limits<double>::quiet_NaN();
  std::string unit = "";
  std::string parameters = "";              ///< in words
  [[nodiscard]] std::string arrow() const;  ///< "↓", "↑", "→0.01" or ""
  [[nodiscard]] std::string kind() const;   ///< variant and samples: "M, raw"
};

enum class RowGroup { oracle, analytic, learner, control, null };
[[nodiscard]] RowGroup row_group(MethodRole role);

struct TableRow {
  std::string name;  ///< of a method, mostly
  std::string lift;  ///< "" where the lift is none for a method that is never lifted, or a null row
  int n_ok = 0;      ///< seeds with a result
  int n_cells = 0;   ///< seeds; 0: the row has none
  RowGroup group = RowGroup::learner;
  std::vector<TableCell> cells;
  [[nodiscard]] std::string seeds() const;  ///< "3", "2/3", ""
  /// What is neither a learner nor like the row before stands apart.
  [[nodiscard]] bool apart_from(const TableRow& before) const;
};

struct Footnote {
  Footnote(std::string words, bool is_problem = false) : text(std::move(words)), problem(is_problem) {}  // NOLINT
  Footnote(const char* words) : text(words) {}                                                           // NOLINT
  std::string text;
  bool problem = false;  ///< a cell without a result
  [[nodiscard]] std::string marked() const { return problem ? "✗ " + text : text; }
};

struct Table {
  std::string name;  ///< for files and labels: "overview"
  std::string title;
  std::string description;
  std::string row_header = "Method";  ///< what TableRow::name and lift are
  std::string lift_header = "Lift";
  bool rows_are_arms = true;
  std::vector<TableColumn> columns;
  std::vector<TableRow> rows;
  bool equal_seeds = true;  ///< all rows have the same number of seeds, none failed
  std::vector<Footnote> footnotes;
};

/// The column of a metric; its parameters in words.
[[nodiscard]] TableColumn metric_column(const MetricColumn& column);
/// "tvd ↓ (projected)".
[[nodiscard]] std::string metric_label(const TableColumn& column);
[[nodiscard]] std::string metric_label(const MetricColumn& column);
/// A summary as a cell, for an arm of \p n_cells seeds.
[[nodiscard]] TableCell summary_cell(const Summary& summary, int n_cells);
[[nodiscard]] TableCell word_cell(std::string words);
[[nodiscard]] TableCell number_cell(CellContent content);
/// The short name of the volume that a density is taken with respect to.
[[nodiscard]] std::string measure_sign(const std::string& measure);

/// Lines of a narrow header, broken behind "_" where they would be wider than \p widest: "projection_", "distance",
/// "raw ↓".
[[nodiscard]] std::vector<std::string> header_lines(const TableColumn& column, int widest = 12);

/// Columns in the fewest blocks that fit \p width, and of these the most even ones: the first column of each, and the
/// number of columns at the end. \p widths and \p names_width count what stands between columns.
[[nodiscard]] std::vector<std::size_t> column_blocks(const std::vector<int>& widths, int names_width, int width);

}  // namespace onmanifold
