// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tables for papers: booktabs, plain numbers, no other package. What a manuscript pastes is one table
// environment that fits a column of 14 cm; the report is a document of them that pdflatex compiles.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/table.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// One `table` environment (more, "continued", for very long tables) with caption, label `tab:<name>` and
/// notes: best bold, second underlined, ± aligned, oracle, controls and the perfect model between rules;
/// tables wider than 14 cm are broken into blocks of columns. Needs \usepackage{booktabs}. ASCII.
[[nodiscard]] std::string render_latex(const Table& table, std::string_view name);

/// \p name with everything but letters, digits, '.', '-' made '-': for labels and file names.
[[nodiscard]] std::string latex_name(std::string_view name);

/// All tables of the report in its order, by unique name: claims (a `longtable`), overview, ranking,
/// lift-effect, then for each task its own, `<task>-place` and `<task>-<diagnostic>`.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> latex_tables(const ResultSet& results);

/// The document; every table stands between the lines "% begin table <name>" and "% end table <name>".
[[nodiscard]] std::string latex_report(const ResultSet& results);

}  // namespace onmanifold
