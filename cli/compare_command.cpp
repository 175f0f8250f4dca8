// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "reports/compare_report.hpp"

namespace onmanifold {
namespace {

struct CompareArguments {
  std::string baseline;
  std::string candidate;
  CompareOptions options;
  bool require_all = true;  ///< what happens without --allow-missing, too
  std::string json;         ///< file, empty for none
  std::string markdown;     ///< file, empty for none
};

/// Results, or nothing where the directory is there and empty: that is "nothing comparable", not bad input.
ResultSet results_in(const std::string& directory) {
  if (std::filesystem::is_directory(directory) && std::filesystem::is_empty(directory)) {
    ResultSet nothing;
    nothing.directory = directory;
    return nothing;
  }
  return load_results(directory);
}

int compare_command(const CompareArguments& arguments) {
  const Comparison comparison =
      compare_results(results_in(arguments.baseline), results_in(arguments.candidate), arguments.options);
  if (!arguments.json.empty()) write_file(arguments.json, to_pretty_json(comparison_json(comparison)) + "\n");
  if (!arguments.markdown.empty()) write_file(arguments.markdown, comparison_markdown(comparison));
  fmt::print("{}", comparison_text(comparison));
  if (comparison.regression) return exit_failure;
  return comparison.judged == 0 || comparison.incomplete() ? exit_not_comparable : exit_ok;
}

}  // namespace

void add_compare_command(CommandLine& line) {
  const auto compare = std::make_shared<CompareArguments>();
  Command command = line.add("compare", "Gate a candidate's results against a baseline's");
  command.option("baseline", compare->baseline, "Results directory to compare with", {.required = true});
  command.option("candidate", compare->candidate, "Results directory to judge", {.required = true});
  command.option("--alpha", compare->options.alpha, "Family-wise rate of false alarms", {.show_default = true});
  command.option("--margin", compare->options.relative, "Practical margin, as a fraction of the baseline",
                 {.show_default = true});
  command.option("--metrics", compare->options.gated,
                 "Gated metrics instead of each task's first, comma-separated; constraints are judged on raw samples, "
                 "others on projected ones, or as NAME(raw) and NAME(projected) say",
                 {.comma = true});
  command.flag("--time", compare->options.time, "Gate seconds and memory too (10 %, same model of CPU)");
  command.flag("--exact", compare->options.exact, "Samples and metrics must agree bit for bit");
  command.flag("--allow-missing", compare->options.allow_missing,
               "Judge what is there where the candidate lacks configurations or replicates");
  command.flag("--require-all", compare->require_all,
               "Exit 3 where the candidate lacks configurations or replicates: the default");
  command.option("--json", compare->json, "Write every line as JSON to FILE");
  command.option("--markdown", compare->markdown, "Write a comment for a pull request to FILE");
  command.footer(
      "A metric regresses where its mean worsens by more than the margin (and than the spread of a perfect model's\n"
      "value) and a one-sided test over replicates rejects after Holm: sign flips for pairs, Mann-Whitney otherwise.\n"
      "Controls (true draws, moment fits) take no part of that correction. A gate that measured nothing exits with 3.\n"
      "\nExamples:\n"
      "  onmanifold compare baseline results/quick                      every task's first metric\n"
      "  onmanifold compare baseline results/quick --markdown gate.md   and a comment for a pull request\n"
      "  onmanifold compare baseline results/quick --exact              nothing may have moved",
      "Exit codes: 0 none detected, 1 a regression, 2 wrong usage or bad input, 3 nothing to judge, or the\n"
      "candidate lacks configurations or replicates.");
  command.action([compare] { return compare_command(*compare); });
}

}  // namespace onmanifold
