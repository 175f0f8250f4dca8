// SPDX-License-Identifier: Apache-2.0
#include "reports/report.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "reports/csv_table.hpp"
#include "reports/html_report.hpp"
#include "reports/latex_table.hpp"
#include "reports/markdown_table.hpp"

namespace onmanifold {
const std::vector<std::string>& report_formats() {
  static const std::vector<std::string> formats = {"html", "md", "csv", "tex"};
  return formats;
}

void check_report_formats(const std::vector<std::string>& formats) {
  const std::vector<std::string>& known = report_formats();
  for (const std::string& format : formats) {
    if (std::find(known.begin(), known.end(), format) == known.end()) {
      throw InvalidInput(
          fmt::format("unknown report format '{}' (known: {})", format, fmt::join(known, ", ")));
    }
  }
}

std::vector<std::string> write_reports(const ResultSet& results, const std::string& out_directory,
                                       const ReportOptions& options) {
  check_report_formats(options.formats);
  std::vector<std::string> paths;
  for (const std::string& format : options.formats) {
    const std::string path = (std::filesystem::path(out_directory) / ("report." + format)).string();
    write_file(path, format == "html"  ? html_report(results, {options.metric_descriptions})
                     : format == "md"  ? markdown_report(results)
                     : format == "tex" ? latex_report(results)
                                       : csv_report(results));
    paths.push_back(path);
    if (format != "tex") continue;
    for (const auto& [name, text] : latex_tables(results)) {
      write_file((std::filesystem::path(out_directory) / "tables" / (name + ".tex")).string(), text);
    }
  }
  return paths;
}

std::vector<std::string> write_reports(const std::string& directory, const std::string& out_directory,
                                       const std::vector<std::string>& formats) {
  check_report_formats(formats);
  return write_reports(load_results(directory), out_directory, {.formats = formats});
}

}  // namespace onmanifold
