// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "results/provenance.hpp"
#include "suite/scheduler.hpp"

namespace onmanifold {
namespace {

struct SlurmArguments {
  std::string suite;
  std::string directory;   ///< empty: results/<suite>
  int tasks = 0;           ///< 0: one a cell, at most 32
  std::string seeds;       ///< as of run
  std::string only = "*";  ///< as of run
  bool force = false;      ///< as of run
  bool submit = false;
  std::vector<std::string> options;  ///< for sbatch, "--partition=long"
};

namespace fs = std::filesystem;

constexpr std::size_t most_tasks = 32;  // unless asked for: a cluster is shared

/// Lines of the script that Slurm reads have no quoting of ours.
void check_options(const std::vector<std::string>& options) {
  for (const std::string& option : options) {
    if (!option.starts_with('-') || option.find_first_of("\n\r") != std::string::npos) {
      throw InvalidInput(fmt::format("'{}' is not an option of sbatch, like --partition=long", option));
    }
    if (option.starts_with("--array") || option.starts_with("-a")) {
      throw InvalidInput(fmt::format("'{}': the array is set by --array before the '--'", option));
    }
  }
}

/// Jobs start in another directory, maybe on another machine.
std::string absolute(const std::string& path) {
  return fs::absolute(path).lexically_normal().string();
}

int slurm_command(const SlurmArguments& arguments) {
  check_options(arguments.options);
  SuiteSpec suite = load_suite(arguments.suite);
  if (!arguments.seeds.empty()) {
    const ReplicateRange range = parse_replicates(arguments.seeds, "--seeds");
    suite.first_replicate = range.first;
    suite.last_replicate = range.last;
  }
  RunOptions selection;
  selection.only = arguments.only;
  const std::size_t cells = select(expand(suite), selection).size();
  const std::size_t tasks =
      arguments.tasks > 0 ? std::min(static_cast<std::size_t>(arguments.tasks), cells) : std::min(cells, most_tasks);
  const std::string directory = absolute(arguments.directory.empty() ? "results/" + suite.name : arguments.directory);
  if (directory.find_first_of("\n\r%\"\\") != std::string::npos) {
    throw InvalidInput(fmt::format(
        "{}: Slurm cannot write logs into a directory with %, a quote or a backslash in its name", directory));
  }

  std::string script = fmt::format(
      "#!/usr/bin/env bash\n"
      "# Suite {0}: {1} cells in {2} shares, one a task of the array. Finished cells are skipped, so a task "
      "that is killed,\n"
      "# requeued or submitted again goes on where it stopped; a lock on each cell in {3}/.lock\n"
      "# keeps two tasks from the same work.\n"
      "#SBATCH --job-name={0}\n"
      "#SBATCH --array=1-{2}\n"
      "#SBATCH --output=\"{3}/slurm-%A_%a.log\"\n"
      "#SBATCH --open-mode=append\n"
      "#SBATCH --requeue\n",
      suite.name, cells, tasks, directory);
  for (const std::string& option : arguments.options) script += fmt::format("#SBATCH {}\n", option);
  script += fmt::format("exec {} run {} -o {} -j \"${{SLURM_CPUS_PER_TASK:-1}}\" --shard \"$SLURM_ARRAY_TASK_ID/{}\"",
                        shell_quote(fs::read_symlink("/proc/self/exe").string()), shell_quote(absolute(suite.source)),
                        shell_quote(directory), tasks);
  if (!arguments.seeds.empty()) script += " --seeds " + shell_quote(arguments.seeds);
  if (arguments.only != "*") script += " --only " + shell_quote(arguments.only);
  if (arguments.force) script += " --force";
  script += "\n";

  std::error_code error;
  fs::create_directories(directory, error);  // Slurm opens the logs before the first task starts
  if (error) throw IoError(fmt::format("{}: cannot be made: {}", directory, error.message()));
  const std::string path = (fs::path(directory) / "slurm.sh").string();
  write_file(path, script);
  if (!arguments.submit) {
    fmt::print("{}\nsubmit with: sbatch {}\n", path, shell_quote(path));
    return exit_ok;
  }
  const std::string command = "sbatch " + shell_quote(path);
  const int status = std::system(command.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
  if (status != 0) {
    throw IoError(fmt::format("'{}' failed ({}); is this a machine that jobs are submitted from?", command,
                              WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status)) : "killed"));
  }
  return exit_ok;
}

}  // namespace

void add_slurm_command(CommandLine& line) {
  const auto slurm = std::make_shared<SlurmArguments>();
  Command command =
      line.add("slurm", "Write a Slurm job array that runs a suite over a shared directory, or submit it");
  command.option("suite", slurm->suite, "Name of a shipped suite, or a path to a TOML file", {.required = true});
  command.option("-o,--output", slurm->directory, "Results directory that all nodes see (default: results/<suite>)");
  command.option("--array", slurm->tasks, "Tasks of the array (default: one a cell, at most 32)", {.positive = true});
  command.option("--seeds", slurm->seeds, "Replicates A..B instead of the suite's own");
  command.option("--only", slurm->only, "Only cells that match this shell glob, as of run");
  command.flag("--force", slurm->force, "Compute cells again whose configuration changed");
  command.flag("--submit", slurm->submit, "Submit the script with sbatch");
  command.option("sbatch", slurm->options, "After '--': options of sbatch, e.g. -- --partition=long --time=4:00:00");
  command.footer(
      "Writes DIR/slurm.sh. Each task runs its share, 'run --shard I/N', on --cpus-per-task workers (default 1). Tasks may\n"
      "be killed, requeued and submitted again; 'onmanifold run' with the same -o shows what is left.\n\n"
      "Example:\n"
      "  onmanifold slurm paper -o /shared/paper --array 16 -- --time=4:00:00");
  command.action([slurm] { return slurm_command(*slurm); });
}

}  // namespace onmanifold
