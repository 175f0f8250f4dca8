// SPDX-License-Identifier: Apache-2.0
#include "reports/report.hpp"

#include <filesystem>

#include "core/files/atomic_file.hpp"
#include "reports/units.hpp"

namespace onmanifold {
namespace {

template <class OneReporter>
std::unique_ptr<Reporter> make_reporter() {
  return std::make_unique<OneReporter>();
}

}  // namespace

std::string write_report_file(const std::string& directory, const std::string& ending, const std::string& text) {
  std::string path = (std::filesystem::path(directory) / ("report." + ending)).string();
  write_file(path, text);
  return path;
}

const Registry<ReporterFactory>& report_format_registry() {
  static const Registry<ReporterFactory> registry = [] {
    Registry<ReporterFactory> formats("report format");
    formats.add("html", "one page with tables, pictures and figures", make_reporter<HtmlReporter>);
    formats.add("md", "tables as Markdown", make_reporter<MarkdownReporter>);
    formats.add("csv", "all numbers, one a line", make_reporter<CsvReporter>);
    formats.add("tex", "tables as LaTeX, together and one by one", make_reporter<LatexReporter>);
    formats.add("txt", "what the terminal shows", make_reporter<TerminalReporter>);
    formats.add("figures", "all figures as SVG, PDF and PNG", make_reporter<FigureReporter>);
    return formats;
  }();
  return registry;
}

void check_report_formats(const std::vector<std::string>& formats) {
  for (const std::string& format : formats) (void)report_format_registry().get(format);
}

std::vector<std::string> write_reports(const Report& report, const std::string& directory,
                                       const std::vector<std::string>& formats) {
  check_report_formats(formats);
  std::vector<std::string> paths;
  for (const std::string& format : formats) {
    for (std::string& path : report_format_registry().get(format).factory()->write(report, directory)) {
      paths.push_back(std::move(path));
    }
  }
  return paths;
}

}  // namespace onmanifold
