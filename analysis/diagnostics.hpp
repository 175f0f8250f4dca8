// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the diagnostics of a suite said, over seeds: one summary a diagnostic and task.

#include <string>
#include <vector>

#include "analysis/summary.hpp"

namespace onmanifold {

/// The answers of one arm to one diagnostic.
struct DiagnosticAnswer {
  std::vector<double> values;  ///< one a seed that has it
  double mean = MetricRecord::unknown;
  double sd = MetricRecord::unknown;  ///< NaN for one value
  std::string problem;                ///< of the last seed that has none
};

/// A row for each arm that was asked, a column for each scalar that is known of an arm. Series of several numbers, and
/// names with a slash, are details for the cell files.
struct DiagnosticSummary {
  struct Row {
    std::size_t arm = 0;  ///< of the task's summary
    int seeds = 0;        ///< that were asked
    std::vector<DiagnosticAnswer> answers;
  };
  std::string label;
  std::vector<std::string> names;
  std::vector<Row> rows;
  std::vector<std::string> problems;  ///< of all seeds without an answer, each once
};

[[nodiscard]] std::vector<DiagnosticSummary> summarise_diagnostics(const TaskSummary& summary);

}  // namespace onmanifold
