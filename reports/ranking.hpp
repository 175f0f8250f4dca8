// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which method is best where, by how much against noise, and overall: one line a task, and mean ranks over
// tasks and seeds with intervals, a Friedman test and Nemenyi's critical difference. Raw metrics of different
// tasks are never averaged. The column of a task is its primary one: the first of its metrics.

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/math/statistics.hpp"
#include "reports/aggregate.hpp"
#include "reports/table.hpp"

namespace onmanifold {

// --- statistics of ranks

/// P(range of \p k independent standard normal numbers <= \p q): the studentised range with infinitely many
/// degrees of freedom, k ∫ φ(x) (Φ(x) - Φ(x - q))^(k-1) dx by Gauss–Legendre, absolute error below 1e-12 up
/// to k = 1000. \throw InvalidInput unless k >= 2.
[[nodiscard]] double studentised_range_cdf(double q, int k);
/// Its inverse by bisection. \throw InvalidInput unless 0 < p < 1 and k >= 2.
[[nodiscard]] double studentised_range_quantile(double p, int k);
/// Two of \p k mean ranks over \p blocks blocks differ at family level \p alpha if they are further apart
/// than q_alpha/√2 √(k (k + 1)/(6 blocks)) \cite demsar2006.
[[nodiscard]] double critical_difference(int k, double blocks, double alpha = 0.05);
/// Friedman's test of no difference between arms, tie-corrected \cite demsar2006. \p ranks: blocks × arms,
/// mid-ranks in each row; \p weights of the blocks in the mean ranks, sum 1 (equal weights: the classical
/// statistic). chi-squared with arms - 1 degrees; all ranks tied: statistic 0, p 1. \throw InvalidInput below
/// two arms or for other weights.
[[nodiscard]] TestResult friedman_test(const Points& ranks, const Vector& weights);
/// Maximal runs [first, last] of ascending \p mean_ranks that no critical difference \p cd separates.
[[nodiscard]] std::vector<std::pair<int, int>> unseparated_groups(const std::vector<double>& mean_ranks, double cd);

// --- one task

/// Who is best on one task.
struct TaskOverview {
  std::string task;
  int column = -1;  ///< in the summary of the task; -1: nothing to rank, and reason says why
  int best = -1;    ///< arm; -1 if no learner can be ranked
  int second = -1;  ///< next learner; -1 if there is none
  int n_best = 0;   ///< learners that share the mark of the best
  double difference = std::numeric_limits<double>::quiet_NaN();      ///< second - best, positive: how much worse
  double standard_error = std::numeric_limits<double>::quiet_NaN();  ///< of the difference
  int pairs = 0;  ///< seeds that both have: the standard error is that of paired differences; 0: of two means
  std::string reason;
};
/// The column by which the arms of a task are ranked: its primary one, or the first of the default columns where
/// nothing was measured on projected samples; -1 without either.
[[nodiscard]] int ranking_column(const TaskSummary& summary);
[[nodiscard]] TaskOverview task_overview(const TaskResult& task, const TaskSummary& summary);

// --- all tasks

/// One learner over the tasks of a ranking.
struct RankedArm {
  std::string method;
  std::string lift;
  double mean_rank = 0;            ///< mean over tasks of the mean over seeds
  Interval interval;               ///< 95 %, bootstrap over the seeds of each task; NaN where seeds are too few
  std::vector<double> task_ranks;  ///< mean over seeds, by task
  /// By task, 0 where the arm is as good as gaussian, 1 where as good as the oracle, unclipped; NaN where the
  /// two are closer than twice the spread of a perfect model.
  std::vector<double> task_scores;
  double score = std::numeric_limits<double>::quiet_NaN();  ///< mean of the known task_scores
  Interval score_interval;
  int times_best = 0;   ///< tasks where it has the mark of the best
  std::string letters;  ///< arms that share a letter are not separated
};

struct Ranking {
  std::vector<std::string> tasks;    ///< those ranked over, by name
  std::vector<std::string> metrics;  ///< "tvd ↓ (projected)", by task
  std::vector<int> seeds;            ///< blocks of each task
  std::vector<RankedArm> arms;       ///< by mean rank, then name; fewer than two: nothing was ranked
  TestResult friedman;               ///< over blocks (task, seed)
  double blocks = 0;  ///< effective number: T²/Σ 1/n_t for n_t seeds of T tasks, the number of blocks if n_t are equal
  double alpha = 0.05;
  double cd = std::numeric_limits<double>::quiet_NaN();        ///< for these tasks: blocks are (task, seed)
  double cd_tasks = std::numeric_limits<double>::quiet_NaN();  ///< for tasks like these: blocks are tasks; NaN for one
  std::vector<std::pair<int, int>> groups;  ///< of arms not separated; one of all where Friedman's test says nothing
  std::vector<std::string> left_out;        ///< "vae none: 3 of 5 tasks"
};

/// Learners are ranked in every block (task, seed) by direction, with mid-ranks, on complete blocks only. An
/// arm is on a task if it has values there and no failed cell. Ranked are those arms and tasks that keep the
/// most ranks (arms × blocks): all tasks of one arm or of a pair, all arms that have them, less those whose
/// missing seeds cost more than they bring. The same for any order of \p results. O(2000 blocks × arms)
/// beyond the summaries.
[[nodiscard]] Ranking rank_arms(const ResultSet& results, const std::vector<TaskSummary>& summaries,
                                double alpha = 0.05);

/// One line a task; nullopt where nothing can be ranked.
[[nodiscard]] std::optional<Table> make_overview_table(const ResultSet& results,
                                                       const std::vector<TaskSummary>& summaries);
/// nullopt below two arms or two blocks.
[[nodiscard]] std::optional<Table> make_ranking_table(const Ranking& ranking);
/// The same as sentences: the best of each task, by how much against noise, floor and oracle; then the
/// ranking.
[[nodiscard]] std::vector<std::string> overview_lines(const ResultSet& results,
                                                      const std::vector<TaskSummary>& summaries,
                                                      const Ranking& ranking);

}  // namespace onmanifold
