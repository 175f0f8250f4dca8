// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which method is best overall: mean ranks over tasks and seeds with intervals, a Friedman test and Nemenyi's critical
// difference. Raw metrics of different tasks are never averaged. The column of a task is its primary one.

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "analysis/overview.hpp"
#include "analysis/summary.hpp"
#include "core/math/statistics.hpp"

namespace onmanifold {

/// One learner over the tasks of a ranking.
struct RankedArm {
  std::string method;
  std::string lift;
  bool lifted = false;
  double mean_rank = 0;            ///< mean over tasks of the mean over seeds
  Interval interval;               ///< 95 % for these tasks (mean_rank_interval); NaN where a task has one seed only
  std::vector<double> task_ranks;  ///< mean over seeds, by task
  /// By task, 0 where the arm is as good as the floor, 1 where as good as the oracle, unclipped; NaN where the
  /// two are closer than twice the spread of a perfect model.
  std::vector<double> task_scores;
  double score = std::numeric_limits<double>::quiet_NaN();  ///< mean of the known task_scores
  Interval score_interval;  ///< 95 %, stratified_t_interval, given the means of oracle and floor
  int times_best = 0;       ///< tasks where it has the mark of the best
  std::string letters;      ///< arms that share a letter are not separated
};

/// A learner without complete blocks.
struct UnrankedArm {
  std::string method;
  std::string lift;
  int complete_on = 0;  ///< tasks
};

/// A task of a ranking.
struct RankedTask {
  std::string name;
  MetricColumn metric;
  int seeds = 0;
};

struct Ranking {
  std::vector<RankedTask> tasks;  ///< by name
  std::vector<RankedArm> arms;    ///< by mean rank, then name; fewer than two: nothing was ranked
  TestResult friedman;            ///< over blocks (task, seed)
  int seeds = 0;                  ///< blocks in all
  double blocks = 0;  ///< effective number: T²/Σ 1/n_t for n_t seeds of T tasks, the number of blocks if n_t are equal
  double alpha = 0.05;
  double cd = std::numeric_limits<double>::quiet_NaN();        ///< for these tasks: blocks are (task, seed)
  double cd_tasks = std::numeric_limits<double>::quiet_NaN();  ///< for tasks like these: blocks are tasks; NaN for one
  std::vector<std::pair<int, int>> groups;  ///< of arms not separated; one of all where Friedman's test says nothing
  int tasks_tried = 0;                      ///< tasks that could be ranked on
  std::vector<UnrankedArm> left_out;

  /// Two arms and two blocks: there is something to say.
  [[nodiscard]] bool holds() const { return arms.size() >= 2 && seeds >= 2; }
  [[nodiscard]] bool separated() const { return groups.size() > 1; }
};

/// Interval of the mean of independent normal seeds within each task, tasks of the same weight: t with the degrees of
/// freedom of Welch and Satterthwaite. \p tasks: the values of each task's seeds. \pre two seeds a task.
/// \throw InvalidInput otherwise.
[[nodiscard]] Interval stratified_t_interval(const std::vector<Vector>& tasks, double level = 0.95);

/// Interval of a mean rank among \p arms arms: within tasks as above, with one block more at the end that the bound
/// looks to (last for the upper one, first for the lower one), within 1 … arms. Ranks are few and bounded, so seeds
/// often agree by chance, and an interval from their spread alone (t, bootstrap) is then a point; the block more keeps
/// the level, at two seeds of one task by saying nearly nothing. \p tasks: the ranks of each task's seeds. \pre two
/// seeds a task. \throw InvalidInput otherwise.
[[nodiscard]] Interval mean_rank_interval(const std::vector<Vector>& tasks, int arms, double level = 0.95);

/// Learners are ranked in every block (task, seed) by direction, with mid-ranks, on complete blocks only. An
/// arm is on a task if it has values there and no failed cell. Ranked are those arms and tasks that keep the
/// most ranks (arms × blocks): all tasks of one arm or of a pair, all arms that have them, less those whose
/// missing seeds cost more than they bring. The same for any order of the tasks.
[[nodiscard]] Ranking rank_arms(const std::vector<TaskSummary>& summaries, const std::vector<TaskOverview>& overviews,
                                double alpha = 0.05);

}  // namespace onmanifold
