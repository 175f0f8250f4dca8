// SPDX-License-Identifier: Apache-2.0
#pragma once
// The subcommands: plain arguments in, exit code out. Only cli/ touches stdout, stderr and exit codes.

#include <string>
#include <vector>

#include "datasets/readers/structure_files.hpp"
#include "reports/compare.hpp"
#include "suite/score.hpp"

namespace onmanifold {

/// Exit codes that other programs rely on.
enum ExitCode : int {
  exit_ok = 0,
  exit_failure = 1,         ///< a regression, a failed cell, or a fault of the environment
  exit_bad_input = 2,       ///< wrong usage or bad input
  exit_not_comparable = 3,  ///< nothing comparable
};

struct RunArguments {
  std::string suite;
  std::string directory;  ///< empty: results/<suite>
  int workers = 0;        ///< 0: one a core
  std::string seeds;      ///< empty: as the suite says
  std::string only = "*";
  std::string shard;  ///< "I/N", empty: everything
  bool force = false;
  bool metrics_only = false;
  bool dry_run = false;
  std::string costs;  ///< with dry_run: file for the costs of the finished cells; empty: none
  std::vector<std::string> command_line;
};
int run_command(const RunArguments& arguments);

/// Cores this process may use: what a container or taskset leaves, not what the machine has.
[[nodiscard]] int available_cores();
/// \p word as a POSIX shell reads it back.
[[nodiscard]] std::string shell_quote(const std::string& word);

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
int slurm_command(const SlurmArguments& arguments);

struct ReportArguments {
  std::string directory;
  std::string output;  ///< empty: the results directory
  std::string formats = "html,md,csv,tex";
  std::vector<std::string> submissions;  ///< JSON files of score
};
int report_command(const ReportArguments& arguments);

struct CompareArguments {
  std::string baseline;
  std::string candidate;
  CompareOptions options;
  std::string json;          ///< file, empty for none
  std::string markdown;      ///< file, empty for none
};
int compare_command(const CompareArguments& arguments);

struct ScoreArguments {
  ScoreRequest request;
  std::string json;  ///< file for the JSON, "-" for stdout instead of the table, empty for none
};
int score_command(const ScoreArguments& arguments);

struct ExportArguments {
  std::string task;
  long n = 0;
  int seed = -1;           ///< replicate; must be given unless reference
  bool reference = false;  ///< the reference draws instead of training points
  std::string lift;        ///< empty: none
  bool full = false;       ///< with the coordinates that the task leaves out because they are constant
  std::string output;      ///< .npy, .csv or .h5
};
int export_command(const ExportArguments& arguments);

struct AdviseArguments {
  std::string task;           ///< name of a task, or name(settings); empty: train is used
  std::string train;          ///< file of clean points, N×D as NumPy sees it; only without task
  std::string manifold;       ///< specification; only with train
  long points = 10000;        ///< at most
  double smallest_noise = 0;  ///< s_min in standardised units; 0: the task's, or .01
  double effect = 0;          ///< mean paired difference to find; 0: none
  double sd = 0;              ///< its spread over seeds
  std::string json;           ///< file for the JSON, "-" for stdout instead of the table, empty for none
};
int advise_command(const AdviseArguments& arguments);

struct FragmentsArguments {
  std::string folder;
  std::string output;  ///< .h5
  CutOptions options;
};
int fragments_command(const FragmentsArguments& arguments);

struct LenetArguments {
  std::string task;
  bool force = false;  ///< train again
};
int lenet_command(const LenetArguments& arguments);

int list_command(const std::string& kind);
int describe_command(const std::string& name);
int verify_command(const std::string& directory);

}  // namespace onmanifold
