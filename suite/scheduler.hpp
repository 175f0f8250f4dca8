// SPDX-License-Identifier: Apache-2.0
#pragma once
// Runs the cells of a suite on worker processes, skips what is there, records what fails.

#include <functional>
#include <string>
#include <vector>

#include "suite/suite_spec.hpp"

namespace onmanifold {

struct RunOptions {
  std::string directory;   ///< results directory; made if missing
  int workers = 1;         ///< -j
  std::string only = "*";  ///< glob on the cell key
  int shard = 1;           ///< this share of the cells, 1 … shards
  int shards = 1;
  bool force = false;         ///< recompute cells whose configuration changed
  bool recompute = false;     ///< compute every selected cell again, whatever is there
  bool metrics_only = false;  ///< train nothing; recompute metrics from stored samples
  /// Computes one cell after the other in this process instead of workers: for methods that live in it. No limits of
  /// time and memory; what a method throws beside a std::exception ends the run and reaches the caller.
  bool in_process = false;
  std::vector<std::string> command_line;  ///< for provenance
  /// After every cell, in the parent: key, state ("ok", "failed", …) and message.
  std::function<void(const CellKey&, const CellStatus&)> on_cell;
};

/// What a run did.
struct RunSummary {
  Index selected = 0;  ///< cells of the suite after --only and --shard
  Index skipped = 0;   ///< finished before this run, or by another one meanwhile
  Index measured = 0;  ///< only metrics were computed anew
  Index computed = 0;  ///< trained and sampled
  Index failed = 0;    ///< failed, diverged or timed out
  Index unsupported = 0;
  Index busy = 0;        ///< being computed by another run at this moment
  bool complete = true;  ///< false: stopped by a signal
};

/// The cells that a run would look at, in order.
[[nodiscard]] std::vector<Cell> select(std::vector<Cell> cells, const RunOptions& options);

/// Whether a run would leave this cell alone: samples and metrics are there, of this configuration.
[[nodiscard]] bool is_finished(const std::string& directory, const Cell& cell);

/// Runs the suite. Cells whose files are complete and unchanged are skipped, unless \p options.recompute; failed ones
/// are tried again. What was asked for is written down, whatever the shard (CellPlan). A directory in which all is
/// there need not be writable. \throw InvalidInput if a finished cell has another configuration and \p options.force is
/// off (the message shows the difference), or if the directory cannot be used; IoError on a fault of the environment.
RunSummary run_suite(const SuiteSpec& suite, const RunOptions& options);

/// One line per setting that differs, "method.settings.steps: 7000 -> 5000".
[[nodiscard]] std::vector<std::string> describe_difference(const Value& before, const Value& after);

}  // namespace onmanifold
