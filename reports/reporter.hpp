// SPDX-License-Identifier: Apache-2.0
#pragma once
// How an analysis becomes files: one small class a format. A new format is a pair of files, a line in
// report_format_registry() and one in CMakeLists.txt.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/registry.hpp"
#include "reports/analysis.hpp"
#include "reports/tables.hpp"

namespace onmanifold {

/// What reporters write: numbers, and the tables that are made of them.
struct Report {
  explicit Report(const Analysis& of) : analysis(of), tables(make_tables(of)) {}

  const Analysis& analysis;
  ReportTables tables;
  std::map<std::string, std::string> metric_descriptions = {};  ///< one line by name, for the definitions of a page
};

class Reporter {
 public:
  Reporter() = default;
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;
  virtual ~Reporter() = default;

  /// Writes into \p directory, each file complete or absent; returns what to name to the user. \throw IoError
  [[nodiscard]] virtual std::vector<std::string> write(const Report& report, const std::string& directory) const = 0;
};

/// Writes one text to report.<ending>.
[[nodiscard]] std::string write_report_file(const std::string& directory, const std::string& ending,
                                            const std::string& text);

using ReporterFactory = std::unique_ptr<Reporter> (*)();
/// "html", "md", "csv", "tex", "txt", "figures".
[[nodiscard]] const Registry<ReporterFactory>& report_format_registry();

}  // namespace onmanifold
