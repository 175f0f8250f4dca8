// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tables for papers: booktabs, plain numbers, no other package. What a manuscript pastes is one table
// environment that fits a column of 14 cm; the report is a document of them that pdflatex compiles.

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/reporter.hpp"

namespace onmanifold {

/// How a table stands in a manuscript.
struct LatexStyle {
  double width = 14 / 2.54;  ///< inches of the column or page
  bool spanning = false;     ///< both columns of a page: `table*`
  bool notes = true;
  bool one_name = false;                            ///< method and lift in one column
  std::map<std::string, std::string> symbols = {};  ///< of metrics, by name
};

/// One `table` environment (more, "continued", for very long tables) with caption, label `tab:<name>` and
/// notes: best bold, second underlined, ± aligned, oracle, controls and the perfect model between rules;
/// tables of more characters than the width takes are broken into blocks of columns. Needs \usepackage{booktabs}.
/// ASCII.
[[nodiscard]] std::string render_latex(const Table& table, std::string_view name, const LatexStyle& style = {});

/// \p name with everything but letters, digits, '.', '-' made '-': for labels and file names.
[[nodiscard]] std::string latex_name(std::string_view name);

/// All tables of the report in its order, by unique name: claims (a `longtable`), overview, ranking,
/// lift-effect, published, then for each task its own, `<task>-place` and `<task>-<diagnostic>`.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> latex_tables(const Report& report);

/// The document; every table stands between the lines "% begin table <name>" and "% end table <name>".
[[nodiscard]] std::string latex_report(const Report& report);

/// report.tex, and tables/<name>.tex for each table.
class LatexReporter final : public Reporter {
 public:
  [[nodiscard]] std::vector<std::string> write(const Report& report, const std::string& directory) const override;
};

}  // namespace onmanifold
