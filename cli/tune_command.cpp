// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/messages.hpp"
#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "suite/scheduler.hpp"
#include "suite/tuning.hpp"

namespace onmanifold {
namespace {

struct TuneArguments {
  std::string suite;
  std::string output;     ///< empty: <directory>/tuned.toml
  std::string directory;  ///< empty: results/<suite>-tuning
  int workers = 0;        ///< 0: one a core
  std::string shard;      ///< as of run
  bool force = false;
  bool dry_run = false;
  std::vector<std::string> command_line;
};

int tune_command(const TuneArguments& arguments) {
  const SuiteSpec suite = load_suite(arguments.suite);
  const SuiteSpec trials = tuning_suite(suite);
  RunOptions options;
  options.directory = arguments.directory.empty() ? "results/" + trials.name : arguments.directory;
  options.workers = arguments.workers > 0 ? arguments.workers : available_cores();
  if (!arguments.shard.empty()) read_shard(arguments.shard, options);
  options.force = arguments.force;
  options.command_line = arguments.command_line;
  if (arguments.dry_run) {
    for (const Cell& cell : select(expand(trials), options)) {
      if (!is_finished(options.directory, cell)) fmt::print("{}\n", cell.key.text());
    }
    return exit_ok;
  }
  // A trial that diverges is one that was tried, and no failure of the run.
  options.on_cell = say_problem;
  const RunSummary summary = run_suite(trials, options);
  fmt::print("{}: {} trials: {} computed, {} already there, {} lost\n", trials.name, summary.selected,
             summary.computed + summary.measured, summary.skipped, summary.failed + summary.unsupported);
  if (!summary.complete || summary.busy > 0) {
    say("not finished; what is there is kept. The same command goes on.\n");
    return exit_failure;
  }
  if (options.shards > 1) {
    fmt::print("one share of {}: once all are done, the command without --shard chooses\n", options.shards);
    return exit_ok;
  }
  const std::string file = arguments.output.empty() ? options.directory + "/tuned.toml" : arguments.output;
  const Tuning tuning = collect_tuning(suite, options.directory);
  write_file(file, tuning_text(tuning));
  for (const TunedConfiguration& one : tuning.configurations) {
    fmt::print(
        "{:<24} {:<16} {:<16} {}\n", one.method, one.lift, one.task,
        one.learning_rate ? fmt::format("{}", *one.learning_rate) : std::string("none: every rate lost a replicate"));
  }
  fmt::print("settings: {}\n", file);
  return exit_ok;
}

}  // namespace

void add_tune_command(CommandLine& line) {
  const auto tune = std::make_shared<TuneArguments>();
  tune->command_line = line.words();
  Command command = line.add("tune", "Choose the learning rates of a suite by as many trials for every configuration");
  command.option("suite", tune->suite, "Name of a shipped suite, or a path to a TOML file", {.required = true});
  command.option("-o,--output", tune->output, "File to write (default: tuned.toml in the results directory)");
  command.option("--results", tune->directory, "Directory of the trials (default: results/<suite>-tuning)");
  command.option("-j,--jobs", tune->workers, "Worker processes (default: one a core)", {.positive = true});
  command.option("--shard", tune->shard, "Only the I-th of N shares of the trials, as I/N with I from 1");
  command.flag("--force", tune->force, "Compute trials again whose configuration changed");
  command.flag("--dry-run", tune->dry_run, "Print the trials left to do; compute nothing");
  command.footer(
      "Six learning rates of three replicates each for every method that leaves its learning_rate open, with each of its\n"
      "lifts, on the first task of every kind of manifold, at the suite's own sizes, on a master seed that no suite may\n"
      "have. Best mean of the task's primary metric; within one standard error, the smaller rate. Data sets are judged on\n"
      "their validation split. A suite takes the outcome with  tuned = \"FILE\"  under [suite], beside its own file.\n\n"
      "Finished trials are skipped, so the same command resumes an interrupted run.\n\n"
      "Examples:\n"
      "  onmanifold tune mine.toml --dry-run           the trials\n"
      "  onmanifold tune mine.toml -o mine.tuned.toml  run them and write what was chosen");
  command.action([tune] { return tune_command(*tune); });
}

}  // namespace onmanifold
