// SPDX-License-Identifier: Apache-2.0
#pragma once
// Results of other people beside the built-in ones: the JSON that `score` wrote becomes a row of its task's
// tables, if it was measured in the same way.

#include <string>

#include "results/result_set.hpp"

namespace onmanifold {

/// What stands in the place of the lift of a submitted row, and as the state of its cell: nothing is known of
/// its training.
inline constexpr const char* submission_mark = "submission";

/// Adds the score in \p file to the task that it names, as a cell with the lift "submission"; the seed counts
/// the submissions of one name from 0. Metrics that the results do not have are left out. \throw InvalidInput
/// in one line, and \p results stay as they were, if the file is no score of a task; its task is not in the
/// results; version, data, reference draws, or of a metric the definition, settings or sizes differ from
/// theirs; none of its metrics is theirs; or the points beside the file (mine.npy beside mine.json) are not
/// those that were scored.
void add_submission(ResultSet& results, const std::string& file);

}  // namespace onmanifold
