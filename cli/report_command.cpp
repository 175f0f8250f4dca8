// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.hpp"
#include "metrics/registry.hpp"
#include "reports/report.hpp"
#include "reports/submissions.hpp"
#include "reports/terminal_table.hpp"

namespace onmanifold {
namespace {

std::vector<std::string> split_formats(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    if (comma > start) parts.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return parts;
}

}  // namespace

int report_command(const ReportArguments& arguments) {
  const std::string output = arguments.output.empty() ? arguments.directory : arguments.output;
  ReportOptions options{.formats = split_formats(arguments.formats)};
  for (const auto& entry : metric_registry().entries()) options.metric_descriptions[entry.name] = entry.description;
  check_report_formats(options.formats);
  ResultSet results = load_results(arguments.directory);
  for (const std::string& file : arguments.submissions) add_submission(results, file);
  const std::vector<std::string> paths = write_reports(results, output, options);
  fmt::print("{}", terminal_report(results, isatty(STDOUT_FILENO) == 1));
  for (const std::string& path : paths) fmt::print("{}\n", path);
  return exit_ok;
}

}  // namespace onmanifold
