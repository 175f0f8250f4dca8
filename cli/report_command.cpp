// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "analysis/submissions.hpp"
#include "cli/commands.hpp"
#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/points_hash.hpp"
#include "metrics/registry.hpp"
#include "reports/latex_report.hpp"
#include "reports/report.hpp"
#include "reports/terminal_report.hpp"
#include "suite/score.hpp"

namespace onmanifold {
namespace {

/// The tables that stand in a manuscript alone.
enum class PaperTable { matrix, method };

}  // namespace

template <>
struct EnumNames<PaperTable> {
  static constexpr const char* kind = "table";
  static constexpr std::array<EnumName<PaperTable>, 2> names = {
      {{PaperTable::matrix, "matrix"}, {PaperTable::method, "method"}}};
};

namespace {

struct ReportArguments {
  std::string directory;
  std::string output;  ///< empty: the results directory
  std::vector<std::string> formats = {"html", "md", "csv", "tex"};
  std::vector<std::string> submissions;  ///< JSON files of score
  std::string metric;                    ///< of the matrix; empty: each task's primary one
  std::string method;                    ///< tasks × metrics of this configuration instead of the matrix
  std::string table;                     ///< one table for a paper, instead of a report
  double width = 3.17;                   ///< of that table in inches: a column of a two-column article
  bool spanning = false;
  bool no_notes = false;
};

/// One table for a manuscript into tables/, whose path is returned.
std::string write_paper_table(const Analysis& analysis, const ReportArguments& arguments, const std::string& output) {
  const bool matrix = parse_named<PaperTable>(arguments.table) == PaperTable::matrix;
  if (arguments.formats != std::vector<std::string>{"tex"}) {
    throw InvalidInput("--table writes LaTeX: it needs --format tex, and no other format");
  }
  if (matrix == !arguments.method.empty()) {
    throw InvalidInput(matrix ? "--method goes with --table method"
                              : "--table method needs --method, such as 'ddpm normal'");
  }
  if (!matrix && !arguments.metric.empty()) throw InvalidInput("--metric goes with --table matrix");
  if (!(arguments.width >= 2 && arguments.width <= 20)) {
    throw InvalidInput(fmt::format("--width: {:g} inches, which is not between 2 and 20", arguments.width));
  }
  LatexStyle style{
      .width = arguments.width, .spanning = arguments.spanning, .notes = !arguments.no_notes, .one_name = true};
  for (const auto& entry : metric_registry().entries()) {
    if (!entry.info.symbol.empty()) style.symbols[entry.name] = entry.info.symbol;
  }
  std::optional<Table> table;
  if (!matrix) {
    table = method_table(analysis, arguments.method);
  } else {
    table = arguments.metric.empty() ? matrix_table(analysis)
                                     : matrix_table(analysis, metric_matrix(analysis, arguments.metric));
  }
  if (!table) throw InvalidInput("no task of these results can be ranked");
  const std::string name = latex_name(arguments.metric.empty() ? table->name : table->name + "-" + arguments.metric);
  const std::string path = (std::filesystem::path(output) / "tables" / (name + ".tex")).string();
  write_file(path, render_latex(*table, name, style));
  return path;
}

/// Points of a submission against the task of the results: its reference draws, metrics and sizes.
Rescored rescore(const TaskResult& task, const SubmittedPoints& points) {
  const auto size = find_number(task.file->details, "n_reference");
  const auto seed = find_number(task.file->details, "seed");
  Rescored result;
  if (!(size >= 2 && size < 1e15) || (seed < 0 || seed >= 9e15)) {
    result.problem = "task.h5 does not say how many reference draws there were";
    return result;
  }
  ScoreRequest request;
  request.samples = points.samples;
  request.train = points.training;
  request.reference_size = static_cast<Index>(size);
  request.seed = std::isnan(seed) ? 0 : static_cast<std::uint64_t>(seed);
  request.allow_nonfinite = points.allow_nonfinite;
  std::optional<Task> made;
  try {
    made = task_from_file(*task.file);
  } catch (const InvalidInput& error) {
    result.problem = error.what();
    return result;
  }
  if (made->version != task.file->version || made->data_hash != task.file->data_hash) {
    result.problem = fmt::format("this program has another version of {}", task.name);
    return result;
  }
  const Score score = score_samples(request, *made);
  if (score.reference_hash != points_hash(task.file->reference)) {
    result.problem = fmt::format("the reference of {} in the results is not that of the task", task.name);
    return result;
  }
  for (const ScoredMetric& metric : score.metrics) {
    (parse_named<SampleKind>(metric.samples) == SampleKind::raw ? result.raw : result.projected)
        .push_back(metric.record);
  }
  return result;
}

SubmissionRules submission_rules() {
  SubmissionRules rules;
  for (const auto& entry : metric_registry().entries()) rules.metrics.emplace(entry.name, entry.info);
  rules.score = rescore;
  return rules;
}

int report_command(const ReportArguments& arguments) {
  check_report_formats(arguments.formats);
  ResultSet results = load_results(arguments.directory);
  const SubmissionRules rules = submission_rules();
  for (const std::string& file : arguments.submissions) add_submission(results, file, rules);
  const Analysis analysis = analyse(results);
  const std::string output = arguments.output.empty() ? arguments.directory : arguments.output;
  const bool asks_of_table =
      !arguments.metric.empty() || !arguments.method.empty() || arguments.spanning || arguments.no_notes;
  if (arguments.table.empty() && asks_of_table) {
    throw InvalidInput("--metric, --method, --spanning and --no-notes go with --table");
  }
  if (!arguments.table.empty()) {
    fmt::print("{}\n", write_paper_table(analysis, arguments, output));
    return exit_ok;
  }
  Report report(analysis);
  for (const auto& entry : metric_registry().entries()) report.metric_descriptions[entry.name] = entry.description;
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
  command.option("--format", report->formats, "Comma-separated: html, md, csv, tex, txt, figures (SVG, PDF, PNG)",
                 {.comma = true, .one_word = true, .default_text = "html,md,csv,tex"});
  command.option("--submission", report->submissions,
                 "JSON of score --task: a row beside the built-in ones; several, or repeated");
  command.option(
      "--table", report->table,
      "One table for a paper into tables/: matrix (methods by tasks) or method (tasks by metrics); needs --format tex");
  command.option("--metric", report->metric, "Metric of --table matrix (default: that each task is judged by)");
  command.option("--method", report->method, "Method and lift of --table method, such as 'ddpm normal'");
  command.option("--width", report->width, "Width of the table in inches", {.show_default = true});
  command.flag("--spanning", report->spanning, "The table spans both columns (table*)");
  command.flag("--no-notes", report->no_notes, "Leave out what stands below the table");
  command.footer(
      "A submission must have been scored on the same task, reference and sizes. Where its samples lie beside it, they\n"
      "are scored again; otherwise its row says so. What differs, or is no value of its metric, is told in one line:\n"
      "nothing is written, and the exit code is 2.\n\n"
      "Examples:\n"
      "  onmanifold report results/quick                       the table, and report.* beside the results\n"
      "  onmanifold report results/quick -o pages --format md  one format, into another folder\n"
      "  onmanifold report results/quick --format tex --table matrix --width 5.5\n"
      "  onmanifold report results/quick --submission mine.json");
  command.action([report] { return report_command(*report); });
}

}  // namespace onmanifold
