// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <chrono>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <sched.h>

#include "cli/commands.hpp"
#include "cli/messages.hpp"
#include "core/error.hpp"
#include "core/printable.hpp"
#include "results/provenance.hpp"
#include "suite/run_estimate.hpp"
#include "suite/scheduler.hpp"

namespace onmanifold {
namespace {

struct RunArguments {
  std::string suite;
  std::string directory;  ///< empty: results/<suite>
  int workers = 0;        ///< 0: one a core
  std::string seeds;      ///< empty: as the suite says
  std::string only = "*";
  std::string shard;  ///< "I/N", empty: everything
  bool force = false;
  bool recompute = false;
  bool metrics_only = false;
  bool dry_run = false;
  std::string costs;  ///< with dry_run: file for the costs of the finished cells; empty: none
  std::vector<std::string> command_line;
};

std::string join_quoted(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line.push_back(' ');
    line.append(shell_quote(word));
  }
  return line;
}

std::string duration(double seconds) {
  if (seconds < 100) return fmt::format("{:.0f} s", seconds);
  return seconds < 100 * 60 ? fmt::format("{:.0f} min", seconds / 60) : fmt::format("{:.1f} h", seconds / 3600);
}

/// Cells left to do on stdout; how long and how much on stderr.
int dry_run(const SuiteSpec& suite, const RunOptions& options, const std::string& costs_file) {
  const std::vector<Cell> cells = select(expand(suite), options);
  std::vector<Cell> todo;
  for (const Cell& cell : cells) {
    if (options.recompute || !is_finished(options.directory, cell)) todo.push_back(cell);
  }
  for (const Cell& cell : todo) fmt::print("{}\n", cell.key.text());
  const CostTable measured = measured_costs(options.directory);
  if (!costs_file.empty()) write_costs(costs_file, measured);
  const RunEstimate estimate =
      estimate_run(todo, options.workers, measured, shipped_costs(suite.source), speed_probe_seconds());
  say("{} cells, {} finished, {} workers, into {}\n", cells.size(), cells.size() - todo.size(), options.workers,
      options.directory);
  if (estimate.unknown < estimate.cells) {
    say("about {} and {:.0f} MB", duration(estimate.wall_seconds), estimate.bytes / 1e6);
    if (estimate.borrowed > 0) say("; {} cells by the cost of another lift", estimate.borrowed);
    say("\n");
  }
  if (estimate.unknown > 0) {
    say("{} cells of unknown cost: none of their task and method has finished here\n", estimate.unknown);
  }
  return exit_ok;
}

}  // namespace

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? std::max(CPU_COUNT(&set), 1) : 1;
}

void read_shard(const std::string& text, RunOptions& options) {
  const std::size_t slash = text.find('/');
  const auto number = [&](std::string_view part) {
    int value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || value < 1) {
      throw InvalidInput(fmt::format("--shard '{}' is not of the form I/N with 1 <= I <= N", text));
    }
    return value;
  };
  if (slash == std::string::npos) number("");
  options.shard = number(std::string_view(text).substr(0, slash));
  options.shards = number(std::string_view(text).substr(slash + 1));
}

std::string shell_quote(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=:,@%+-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('\'');
  return quoted;
}

namespace {

int run_command(const RunArguments& arguments) {
  SuiteSpec suite = load_suite(arguments.suite);
  for (const std::string& line : suite.left_out) say("left out: {}\n", line);
  if (!arguments.seeds.empty()) {
    const ReplicateRange range = parse_replicates(arguments.seeds, "--seeds");
    suite.first_replicate = range.first;
    suite.last_replicate = range.last;
  }
  RunOptions options;
  options.directory = arguments.directory.empty() ? "results/" + suite.name : arguments.directory;
  options.workers = arguments.workers > 0 ? arguments.workers : available_cores();
  options.only = arguments.only;
  if (!arguments.shard.empty()) read_shard(arguments.shard, options);
  options.force = arguments.force;
  options.recompute = arguments.recompute;
  options.metrics_only = arguments.metrics_only;
  options.command_line = arguments.command_line;
  if (arguments.dry_run) {
    return dry_run(suite, options, arguments.costs);
  }

  options.on_cell = say_problem;
  const auto start = std::chrono::steady_clock::now();
  const RunSummary summary = run_suite(suite, options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  fmt::print("{}: {} cells: {} computed, {} measured anew, {} already there, {} failed, {} unsupported", suite.name,
             summary.selected, summary.computed, summary.measured, summary.skipped, summary.failed,
             summary.unsupported);
  if (summary.busy > 0) fmt::print(", {} busy elsewhere", summary.busy);
  fmt::print(" ({:.1f} s, {} workers)\n", seconds, options.workers);
  if (!summary.complete) {
    say("interrupted; finished cells are kept. To go on: {}\n", join_quoted(arguments.command_line));
    return exit_failure;
  }
  fmt::print("results: {}\n", options.directory);
  return summary.failed > 0 ? exit_failure : exit_ok;
}

}  // namespace

void say_problem(const CellKey& key, const CellStatus& status) {
  if (status.ok()) return;
  say("{}: {}: {}\n", printable(key.text()), name_of(status.state), printable(status.message));
}

void add_run_command(CommandLine& line) {
  const auto run = std::make_shared<RunArguments>();
  run->command_line = line.words();
  Command command = line.add("run", "Run a suite: train, sample, project and measure every cell");
  command.option("suite", run->suite, "Name of a shipped suite, or a path to a TOML file", {.required = true});
  command.option("-o,--output", run->directory, "Results directory (default: results/<suite>)");
  command.option("-j,--jobs", run->workers, "Worker processes (default: one a core)", {.positive = true});
  command.option("--seeds", run->seeds, "Replicates A..B instead of the suite's own");
  command.option("--only", run->only, "Only cells <task>/<method>/<lift>/seed-<k> that match this shell glob");
  command.option("--shard", run->shard, "Only the I-th of N shares of the cells, as I/N with I from 1");
  command.flag("--force", run->force, "Compute cells again whose configuration changed");
  command.flag("--recompute", run->recompute, "Compute the selected cells again, whatever is there");
  command.flag("--metrics-only", run->metrics_only, "Recompute metrics from stored samples; train nothing");
  command.flag("--dry-run", run->dry_run,
               "Print the cells left to do, how long they will take and how much they will write; compute nothing");
  command.option("--write-costs", run->costs, "With --dry-run: write what the finished cells took to this .csv",
                 {.needs = "--dry-run"});
  command.footer(
      "Finished cells are skipped, so the same command resumes an interrupted run. Failed cells are tried again.\n"
      "Results do not depend on -j, --shard, order or interruption, bit for bit.\n\n"
      "Examples:\n"
      "  onmanifold run quick --dry-run                        what it would compute, and for how long\n"
      "  onmanifold run quick                                  into results/quick\n"
      "  onmanifold run paper --only 'sphere-*/ddpm/*' -j 4    some cells of a long suite\n"
      "  onmanifold run mine.toml --seeds 5..9                 more replicates of your own suite");
  command.action([run] { return run_command(*run); });
}

}  // namespace onmanifold
