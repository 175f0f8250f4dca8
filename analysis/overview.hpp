// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who is best on one task, by its primary metric, and by how much against noise.

#include <limits>
#include <string>

#include "analysis/summary.hpp"

namespace onmanifold {

struct TaskOverview {
  std::string task;
  int column = -1;  ///< in the summary of the task; -1: nothing to rank, and reason says why
  int best = -1;    ///< arm; -1 if no learner can be ranked
  int second = -1;  ///< next learner; -1 if there is none
  int n_best = 0;   ///< learners that share the mark of the best
  double difference = std::numeric_limits<double>::quiet_NaN();      ///< second - best, positive: how much worse
  double standard_error = std::numeric_limits<double>::quiet_NaN();  ///< of the difference
  int pairs = 0;  ///< seeds that both have: the standard error is that of paired differences; 0: of two means
  ScaleEnds ends;
  /// Share of the way from the floor (0) to the oracle (1) that the best has come; NaN where the two are not apart.
  double way = std::numeric_limits<double>::quiet_NaN();
  bool below_floor = false;  ///< no learner is better than the floor
  std::string reason;

  /// The difference in standard errors; infinite for a spread of 0, NaN where it is not known.
  [[nodiscard]] double apart() const;
};
[[nodiscard]] TaskOverview task_overview(const TaskResult& task, const TaskSummary& summary);

}  // namespace onmanifold
