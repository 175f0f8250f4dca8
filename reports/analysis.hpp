// SPDX-License-Identifier: Apache-2.0
#pragma once
// All that a report says, as numbers: computed once, then written by reporters.

#include <string>
#include <vector>

#include "analysis/answers.hpp"
#include "analysis/axis.hpp"
#include "analysis/conclusions.hpp"
#include "analysis/diagnostics.hpp"
#include "analysis/lift_effect.hpp"
#include "analysis/matrix.hpp"
#include "analysis/overview.hpp"
#include "analysis/published.hpp"
#include "analysis/ranking.hpp"
#include "analysis/summary.hpp"
#include "claims/claims.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// One task; parts of \p result are pointed at.
struct TaskAnalysis {
  const TaskResult* result = nullptr;
  TaskSummary summary;
  TaskOverview overview;
  Axis axis;
  std::vector<DiagnosticSummary> diagnostics;
};

struct Analysis {
  const ResultSet* results = nullptr;
  SuiteInfo suite;  ///< without a name if the task files do not say
  Conclusions conclusions;
  std::vector<TaskAnalysis> tasks;  ///< in the order of the results
  Matrix matrix;                    ///< of the same tasks
  Answers answers;                  ///< to what a reader asks first
  Ranking ranking;
  std::vector<LiftEffect> lifts;
  std::vector<PublishedComparison> published;
  std::vector<ClaimResult> claims;  ///< of suites that are for the claims; empty otherwise
};

/// The matrix of the analysis by another metric than the primary ones, on the samples it is read on; a task without it
/// has no column. \throw InvalidInput where no task has it, listing those that there are.
[[nodiscard]] Matrix metric_matrix(const Analysis& analysis, const std::string& metric);

/// Everything once. \p results must outlive what is returned. Never throws on missing, failed or NaN data. O(cells ×
/// metrics) and the resamples of the ranking.
[[nodiscard]] Analysis analyse(const ResultSet& results);

}  // namespace onmanifold
