// SPDX-License-Identifier: Apache-2.0
#pragma once
// Results of other people beside the built-in ones: the JSON that `score` wrote becomes a row of its task's
// tables, if it was measured in the same way. Nothing in it is believed that can be computed here.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "results/result_set.hpp"

namespace onmanifold {

/// What stands in the place of the lift of a submitted row: nothing is known of its training.
inline constexpr const char* submission_mark = "submission";
/// The same where the samples are not at hand.
inline constexpr const char* unchecked_submission_mark = "submission (not re-scored)";

/// A distance of two laws below the null by more than this many null_sd is none of independent draws, however good the
/// model.
inline constexpr double most_null_sd = 8;

/// Where the points of a submission are.
struct SubmittedPoints {
  std::string samples;           ///< as PointReader reads it
  std::string training;          ///< empty: not at hand
  bool allow_nonfinite = false;  ///< the submission says that it left some out
};

/// What this program finds for the points of a submission.
struct Rescored {
  std::vector<MetricRecord> raw, projected;
  std::string problem;  ///< one line: why they cannot be scored here; empty where they were
};

/// What submissions are judged by.
struct SubmissionRules {
  std::map<std::string, MetricInfo> metrics;  ///< what the registry says of each metric
  /// Scores points again, against the task as the results have it. \throw InvalidInput for points that cannot be read.
  std::function<Rescored(const TaskResult& task, const SubmittedPoints& points)> score;
};

/// Adds the score in \p file to the task that it names, as a cell with submission_mark for a lift; the seed counts
/// the submissions of one name from 0. Points beside the file (those that it names, or mine.npy, .csv, .h5 beside
/// mine.json) are scored again, and the row has what was found; without them it has unchecked_submission_mark and the
/// numbers of the file. Metrics that the results lack are left out; targets and nulls are those of the results.
/// \throw InvalidInput in one line, and \p results stay as they were, if the file is no score of a task; its task is
/// not in the results; version, data, reference draws, or of a metric the definition, unit, settings or sizes differ
/// from theirs; none of its metrics is theirs; the points are not those that were scored, or give other values; or a
/// value is none that the metric can take, or a discrepancy better than a perfect model's by more than most_null_sd.
void add_submission(ResultSet& results, const std::string& file, const SubmissionRules& rules);

}  // namespace onmanifold
