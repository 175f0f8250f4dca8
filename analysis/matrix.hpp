// SPDX-License-Identifier: Apache-2.0
#pragma once
// Methods × tasks, each task by its primary metric: mean and interval, rank, which learners may be the best, and where
// they stand between the moment fit and fresh draws of the truth.

#include <limits>
#include <string>
#include <vector>

#include "analysis/overview.hpp"
#include "analysis/ranking.hpp"
#include "analysis/summary.hpp"
#include "core/math/statistics.hpp"

namespace onmanifold {

/// A place on the scale of a task: 0 as good as the moment fit, 1 as good as the oracle, both taken as they are.
struct ScaledScore {
  double value = std::numeric_limits<double>::quiet_NaN();
  Interval interval;  ///< 95 %, t over seeds; NaN for one seed
  [[nodiscard]] bool known() const;
};

struct MatrixEntry {
  int arm = -1;              ///< of the task's summary; -1: not run on this task
  int rank = 0;              ///< among the ranked learners of the task, 1 is best; 0: not ranked
  bool may_be_best = false;  ///< in the confidence set of the best learner
  ScaledScore score;
};

struct MatrixTask {
  std::string name;
  int column = -1;  ///< of the summary; -1: nothing to rank by, and reason says why
  std::string reason = "";
  int ranked = 0;             ///< learners with a rank
  int seeds = 0;              ///< the least that one of them has
  int candidates = 0;         ///< learners that may be the best; 1: the best is decided
  int candidate = -1;         ///< row of the best mean; -1 without a ranked learner
  bool reached = false;       ///< some learner is indistinguishable from a perfect model
  ScaledScore training = {};  ///< the best control but the moment fit: what the training points allow without learning
};

struct MatrixRow {
  std::string method;
  std::string lift;
  bool lifted = false;
  LiftType lift_type = LiftType::none;
  MethodRole role = MethodRole::learner;
  std::vector<MatrixEntry> entries;  ///< by task
};

struct Matrix {
  std::vector<MatrixTask> tasks;  ///< in the order of the summaries
  std::vector<MatrixRow> rows;    ///< learners by their mean share of the ranks below them, then the others
  [[nodiscard]] bool empty() const { return rows.empty() || tasks.empty(); }
};

/// Learners that may be the best of a column: those that no other learner beats in a one-sided test over seeds at level
/// \p alpha over the number of the others (t of paired differences where both have the same seeds, Welch's t
/// otherwise). The true best is among them with probability 1 - alpha, whichever had the best mean. With one seed all
/// are. \p ranked: indices of arms. Returned in the order given.
[[nodiscard]] std::vector<int> best_candidates(const TaskSummary& summary, std::size_t column,
                                               const std::vector<int>& ranked, double alpha = 0.05);

/// Never throws on missing, failed or NaN data. O(tasks × learners²) tests.
[[nodiscard]] Matrix make_matrix(const std::vector<TaskSummary>& summaries, const std::vector<TaskOverview>& overviews);

}  // namespace onmanifold
