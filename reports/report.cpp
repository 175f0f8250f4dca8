// SPDX-License-Identifier: Apache-2.0
#include "reports/report.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "reports/csv_table.hpp"
#include "reports/gnuplot.hpp"
#include "reports/html_report.hpp"
#include "reports/latex_table.hpp"
#include "reports/markdown_table.hpp"
#include "reports/task_figures.hpp"

namespace onmanifold {
namespace {

// Every figure as SVG and PNG. The directory they are in.
std::string write_figures(const ResultSet& results, const std::string& out_directory) {
  const std::filesystem::path folder = std::filesystem::path(out_directory) / "figures";
  // Curves that cannot be read are missing from their figure, as on the page, which says so.
  std::vector<std::string> unread;
  for (const Figure& figure : all_figures(results, unread)) {
    for (const char* format : {"svg", "png"}) {
      write_file((folder / (figure.name + "." + format)).string(), gnuplot_file(figure, format));
    }
  }
  std::filesystem::create_directories(folder);
  return folder.string();
}

}  // namespace

const std::vector<std::string>& report_formats() {
  static const std::vector<std::string> formats = {"html", "md", "csv", "tex", "figures"};
  return formats;
}

void check_report_formats(const std::vector<std::string>& formats) {
  const std::vector<std::string>& known = report_formats();
  for (const std::string& format : formats) {
    if (std::find(known.begin(), known.end(), format) == known.end()) {
      throw InvalidInput(fmt::format("unknown report format '{}' (known: {})", format, fmt::join(known, ", ")));
    }
  }
}

std::vector<std::string> write_reports(const ResultSet& results, const std::string& out_directory,
                                       const ReportOptions& options) {
  check_report_formats(options.formats);
  std::vector<std::string> paths;
  for (const std::string& format : options.formats) {
    if (format == "figures") {
      paths.push_back(write_figures(results, out_directory));
      continue;
    }
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
