// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "reports/compare_report.hpp"

namespace onmanifold {
namespace {

/// Results, or nothing where the directory is there and empty: that is "nothing comparable", not bad input.
ResultSet results_in(const std::string& directory) {
  if (std::filesystem::is_directory(directory) && std::filesystem::is_empty(directory)) {
    ResultSet nothing;
    nothing.directory = directory;
    return nothing;
  }
  return load_results(directory);
}

}  // namespace

int compare_command(const CompareArguments& arguments) {
  const Comparison comparison =
      compare_results(results_in(arguments.baseline), results_in(arguments.candidate), arguments.options);
  if (!arguments.json.empty()) write_file(arguments.json, to_pretty_json(comparison_json(comparison)) + "\n");
  if (!arguments.markdown.empty()) write_file(arguments.markdown, comparison_markdown(comparison));
  fmt::print("{}", comparison_text(comparison));
  if (comparison.regression) return exit_failure;
  return comparison.judged == 0 || comparison.incomplete() ? exit_not_comparable : exit_ok;
}

}  // namespace onmanifold
