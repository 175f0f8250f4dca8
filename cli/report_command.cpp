// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "analysis/submissions.hpp"
#include "cli/commands.hpp"
#include "metrics/registry.hpp"
#include "reports/report.hpp"
#include "reports/terminal_report.hpp"

namespace onmanifold {
namespace {

struct ReportArguments {
  std::string directory;
  std::string output;  ///< empty: the results directory
  std::vector<std::string> formats = {"html", "md", "csv", "tex"};
  std::vector<std::string> submissions;  ///< JSON files of score
};

int report_command(const ReportArguments& arguments) {
  check_report_formats(arguments.formats);
  ResultSet results = load_results(arguments.directory);
  for (const std::string& file : arguments.submissions) add_submission(results, file);
  const Analysis analysis = analyse(results);
  Report report(analysis);
  for (const auto& entry : metric_registry().entries()) report.metric_descriptions[entry.name] = entry.description;
  const std::string output = arguments.output.empty() ? arguments.directory : arguments.output;
  const std::vector<std::string> paths = write_reports(report, output, arguments.formats);
  fmt::print("{}", terminal_report(report, isatty(STDOUT_FILENO) == 1));
  for (const std::string& path : paths) fmt::print("{}\n", path);
  return exit_ok;
}

}  // namespace

void add_report_command(CommandLine& line) {
  const auto report = std::make_shared<ReportArguments>();
  Command command = line.add("report", "Print the table of a results directory and write its pages");
  command.option("directory", report->directory, "Results directory", {.required = true});
  command.option("-o,--output", report->output, "Where to write (default: the results directory)");
  command.option("--format", report->formats, "Comma-separated: html, md, csv, tex, txt, figures (SVG and PNG)",
                 {.comma = true, .one_word = true, .default_text = "html,md,csv,tex"});
  command.option("--submission", report->submissions,
                 "JSON of score --task: a row beside the built-in ones; several, or repeated");
  command.footer(
      "A submission must have been scored on the same task, reference and sizes; otherwise one line says what differs,\n"
      "nothing is written, and the exit code is 2.\n\n"
      "Examples:\n"
      "  onmanifold report results/quick                       the table, and report.* beside the results\n"
      "  onmanifold report results/quick -o pages --format md  one format, into another folder\n"
      "  onmanifold report results/quick --submission mine.json");
  command.action([report] { return report_command(*report); });
}

}  // namespace onmanifold
