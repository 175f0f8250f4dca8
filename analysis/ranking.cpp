// SPDX-License-Identifier: Apache-2.0
#include "analysis/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analysis/rank_statistics.hpp"
#include "core/call_count.hpp"
#include "core/error.hpp"

namespace onmanifold {
namespace {

using ArmName = std::pair<std::string, std::string>;

/// What the ranking needs of one task.
struct TaskLosses {
  std::string name;
  MetricColumn metric;
  std::map<ArmName, std::map<int, double>> losses;  // learners without failed cells, by seed; smaller is better
  std::set<ArmName> marked_best;
  std::set<ArmName> lifted;
  double oracle = MetricRecord::unknown;  // mean losses
  double floor = MetricRecord::unknown;
  bool scored = false;  // the two are far enough apart for a normalised score

  [[nodiscard]] double score(double mean_loss) const { return (floor - mean_loss) / (floor - oracle); }
};

TaskLosses losses_of(const TaskSummary& summary, const TaskOverview& overview) {
  TaskLosses result;
  const auto c = static_cast<std::size_t>(overview.column);
  const MetricColumn& column = summary.columns[c];
  result.name = overview.task;
  result.metric = column;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Arm& arm = summary.arms[a];
    const Summary& entry = summary.table[a][c];
    if (!arm.learns() || entry.n_failed > 0 || entry.values.empty()) continue;
    const ArmName name{arm.method, arm.lift};
    std::map<int, double>& losses = result.losses[name];
    for (const auto& [seed, value] : entry.values) losses[seed] = loss(column, value);
    if (entry.best) result.marked_best.insert(name);
    if (arm.lifted()) result.lifted.insert(name);
  }
  const auto mean_loss = [&](int arm) {
    return arm < 0 ? MetricRecord::unknown : loss(column, summary.table[static_cast<std::size_t>(arm)][c].mean);
  };
  result.oracle = mean_loss(overview.ends.ceiling);
  result.floor = mean_loss(overview.ends.floor);
  const double distance = result.floor - result.oracle;
  const double noise = std::isfinite(column.null_sd) ? 2 * column.null_sd : 0.0;
  result.scored = std::isfinite(distance) && distance > 0 && distance >= noise;
  return result;
}

/// Arms and, by task, the seeds that all of them have.
struct Selection {
  std::vector<ArmName> arms;
  std::vector<std::size_t> tasks;
  std::vector<std::vector<int>> seeds;
  std::size_t ranks = 0;  // arms × blocks
};

std::vector<int> common_seeds(const TaskLosses& task, const std::vector<ArmName>& arms) {
  std::vector<int> seeds;
  for (const auto& [seed, value] : task.losses.at(arms.front())) seeds.push_back(seed);
  for (const ArmName& arm : arms) {
    const std::map<int, double>& own = task.losses.at(arm);
    seeds.erase(std::remove_if(seeds.begin(), seeds.end(), [&](int seed) { return !own.contains(seed); }), seeds.end());
  }
  return seeds;
}

Selection select(const std::vector<TaskLosses>& tasks, const std::vector<ArmName>& arms,
                 const std::vector<std::size_t>& wanted) {
  Selection selection;
  if (arms.size() < 2) return selection;
  selection.arms = arms;
  std::size_t blocks = 0;
  for (const std::size_t t : wanted) {
    std::vector<int> seeds = common_seeds(tasks[t], arms);
    if (seeds.empty()) continue;
    blocks += seeds.size();
    selection.tasks.push_back(t);
    selection.seeds.push_back(std::move(seeds));
  }
  selection.ranks = arms.size() * blocks;
  return selection;
}

// \p arms all ran on all \p wanted tasks; arms with few seeds are left out as long as that keeps more ranks.
Selection pruned(const std::vector<TaskLosses>& tasks, std::vector<ArmName> arms,
                 const std::vector<std::size_t>& wanted) {
  Selection best = select(tasks, arms, wanted);
  const auto seeds_of = [&](const ArmName& arm) {
    std::size_t count = 0;
    for (const std::size_t t : wanted) count += tasks[t].losses.at(arm).size();
    return count;
  };
  std::stable_sort(arms.begin(), arms.end(),
                   [&](const ArmName& a, const ArmName& b) { return seeds_of(a) > seeds_of(b); });
  while (arms.size() > 2) {
    arms.pop_back();
    Selection fewer = select(tasks, arms, wanted);
    if (fewer.ranks > best.ranks) best = std::move(fewer);
  }
  return best;
}

Selection best_selection(const std::vector<TaskLosses>& tasks, const std::set<ArmName>& arms) {
  std::map<ArmName, std::vector<bool>> ran;
  std::set<std::vector<bool>> candidates;
  for (const ArmName& arm : arms) {
    std::vector<bool> on(tasks.size());
    for (std::size_t t = 0; t < tasks.size(); ++t) on[t] = tasks[t].losses.contains(arm);
    candidates.insert(on);
    ran[arm] = std::move(on);
  }
  const std::vector<std::vector<bool>> singles(candidates.begin(), candidates.end());
  for (const std::vector<bool>& first : singles) {
    for (const std::vector<bool>& second : singles) {
      std::vector<bool> both(tasks.size());
      for (std::size_t t = 0; t < tasks.size(); ++t) both[t] = first[t] && second[t];
      candidates.insert(std::move(both));
    }
  }
  Selection best;
  for (const std::vector<bool>& candidate : candidates) {
    std::vector<std::size_t> wanted;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      if (candidate[t]) wanted.push_back(t);
    }
    std::vector<ArmName> present;
    for (const auto& [arm, on] : ran) {
      if (std::all_of(wanted.begin(), wanted.end(), [&on = on](std::size_t t) { return on[t]; }))
        present.push_back(arm);
    }
    if (wanted.empty()) continue;
    Selection selection = pruned(tasks, std::move(present), wanted);
    if (selection.ranks > best.ranks || (selection.ranks == best.ranks && selection.tasks.size() > best.tasks.size())) {
      best = std::move(selection);
    }
  }
  std::sort(best.arms.begin(), best.arms.end());
  return best;
}

// 0 -> "a", 25 -> "z", 26 -> "aa".
std::string letter(std::size_t i) {
  std::string text;
  for (++i; i > 0; i = (i - 1) / 26) text.insert(text.begin(), static_cast<char>('a' + (i - 1) % 26));
  return text;
}

/// Seeds within tasks that all have the same weight.
struct Strata {
  double mean = 0;
  double variance = 0;  // of the mean
  double degrees = 0;   // of Welch and Satterthwaite; 0 where nothing varies
  Index fewest = 0;     // seeds of a task
};

Strata strata_of(const std::vector<Vector>& tasks) {
  if (tasks.empty()) throw InvalidInput("an interval over seeds needs a task");
  const auto count = static_cast<double>(tasks.size());
  Strata strata;
  strata.fewest = tasks.front().size();
  double squares = 0.0;
  for (const Vector& seeds : tasks) {
    if (seeds.size() < 2) throw InvalidInput("an interval over seeds needs two of each task");
    const auto n = static_cast<double>(seeds.size());
    const double part = std::pow(standard_error(seeds) / count, 2);
    strata.fewest = std::min(strata.fewest, seeds.size());
    strata.mean += mean(seeds) / count;
    strata.variance += part;
    squares += part * part / (n - 1);
  }
  if (squares > 0) strata.degrees = strata.variance * strata.variance / squares;
  return strata;
}

/// Ranks and losses of the chosen arms on one task: seeds × arms.
struct TaskBlocks {
  const TaskLosses* task = nullptr;
  Points ranks;
  Points losses;
};

TaskBlocks blocks_of(const TaskLosses& task, const std::vector<ArmName>& arms, const std::vector<int>& seeds) {
  TaskBlocks blocks;
  blocks.task = &task;
  blocks.losses.resize(static_cast<Index>(seeds.size()), static_cast<Index>(arms.size()));
  blocks.ranks = blocks.losses;
  for (Index s = 0; s < blocks.losses.rows(); ++s) {
    for (Index j = 0; j < blocks.losses.cols(); ++j) {
      blocks.losses(s, j) = task.losses.at(arms[static_cast<std::size_t>(j)]).at(seeds[static_cast<std::size_t>(s)]);
    }
    const Vector row = blocks.losses.row(s).transpose();
    blocks.ranks.row(s) = mid_ranks(row).transpose();
  }
  return blocks;
}

// Friedman's test and the critical differences; the weight of a block makes every task count the same.
void test_blocks(Ranking& ranking, const std::vector<TaskBlocks>& tasks) {
  const auto k = static_cast<int>(tasks.front().ranks.cols());
  const auto task_count = static_cast<double>(tasks.size());
  double inverse_seeds = 0.0;
  for (const TaskBlocks& task : tasks) inverse_seeds += 1.0 / static_cast<double>(task.ranks.rows());
  ranking.blocks = task_count * task_count / inverse_seeds;
  Points all(ranking.seeds, k);
  Vector weights(ranking.seeds);
  Index row = 0;
  for (const TaskBlocks& task : tasks) {
    const Index n = task.ranks.rows();
    all.middleRows(row, n) = task.ranks;
    weights.segment(row, n).setConstant(1.0 / (task_count * static_cast<double>(n)));
    row += n;
  }
  ranking.friedman = friedman_test(all, weights);
  ranking.cd = critical_difference(k, ranking.blocks, ranking.alpha);
  if (tasks.size() > 1) ranking.cd_tasks = critical_difference(k, task_count, ranking.alpha);
}

RankedArm ranked_arm(const ArmName& name, Index j, const std::vector<TaskBlocks>& tasks) {
  RankedArm arm;
  arm.method = name.first;
  arm.lift = name.second;
  double score_sum = 0.0;
  int scored = 0;
  for (const TaskBlocks& blocks : tasks) {
    const TaskLosses& task = *blocks.task;
    arm.lifted = arm.lifted || task.lifted.contains(name);
    arm.task_ranks.push_back(mean(blocks.ranks.col(j)));
    arm.mean_rank += arm.task_ranks.back() / static_cast<double>(tasks.size());
    arm.task_scores.push_back(task.scored ? task.score(mean(blocks.losses.col(j))) : MetricRecord::unknown);
    if (task.scored) {
      score_sum += arm.task_scores.back();
      ++scored;
    }
    arm.times_best += task.marked_best.contains(name) ? 1 : 0;
  }
  if (scored > 0) arm.score = score_sum / scored;
  return arm;
}

// Two seeds a task or more. Tasks stay: the intervals are for these.
void add_intervals(std::vector<RankedArm>& arms, const std::vector<TaskBlocks>& tasks) {
  const auto k = static_cast<int>(arms.size());
  for (int j = 0; j < k; ++j) {
    std::vector<Vector> ranks;
    std::vector<Vector> scores;
    for (const TaskBlocks& task : tasks) {
      ranks.emplace_back(task.ranks.col(j));
      if (!task.task->scored) continue;
      scores.emplace_back(task.losses.col(j).unaryExpr([&](double loss) { return task.task->score(loss); }));
    }
    RankedArm& arm = arms[static_cast<std::size_t>(j)];
    arm.interval = mean_rank_interval(ranks, k);
    if (std::isfinite(arm.score)) arm.score_interval = stratified_t_interval(scores);
  }
}

// Groups of neighbours that are not separated, and their letters.
void group_arms(Ranking& ranking) {
  std::vector<double> ordered;
  for (const RankedArm& arm : ranking.arms) ordered.push_back(arm.mean_rank);
  ranking.groups = ranking.friedman.p <= ranking.alpha
                       ? unseparated_groups(ordered, ranking.cd)
                       : std::vector<std::pair<int, int>>{{0, static_cast<int>(ranking.arms.size()) - 1}};
  for (std::size_t g = 0; g < ranking.groups.size(); ++g) {
    for (int a = ranking.groups[g].first; a <= ranking.groups[g].second; ++a) {
      std::string& letters = ranking.arms[static_cast<std::size_t>(a)].letters;
      if (!letters.empty() && g >= 26) letters += ' ';
      letters += letter(g);
    }
  }
}

}  // namespace

Interval stratified_t_interval(const std::vector<Vector>& tasks, double level) {
  const Strata strata = strata_of(tasks);
  if (strata.degrees == 0) return {strata.mean, strata.mean};
  const double half = t_quantile((1 + level) / 2, strata.degrees) * std::sqrt(strata.variance);
  return {strata.mean - half, strata.mean + half};
}

Interval mean_rank_interval(const std::vector<Vector>& tasks, int arms, double level) {
  const Strata strata = strata_of(tasks);
  // As if every task had as few seeds as the one with fewest.
  const auto count = static_cast<double>(tasks.size());
  const double blocks = count * static_cast<double>(strata.fewest);
  const double degrees = blocks - count;
  const double t = t_quantile((1 + level) / 2, degrees);
  const auto bound = [&](double end) {
    const double away = end - strata.mean;
    const double squares = degrees * blocks * strata.variance + away * away * blocks / (blocks + 1);
    const double half = t * std::sqrt(squares / (degrees + 1) / (blocks + 1));
    return strata.mean + away / (blocks + 1) + std::copysign(half, away);
  };
  return {std::max(1.0, bound(1)), std::min<double>(arms, bound(arms))};
}

Ranking rank_arms(const std::vector<TaskSummary>& summaries, const std::vector<TaskOverview>& overviews, double alpha) {
  count_call("rank_arms");
  if (summaries.size() != overviews.size()) throw InvalidInput("a ranking needs one overview a task");
  Ranking ranking;
  ranking.alpha = alpha;
  std::vector<TaskLosses> tasks;
  std::set<ArmName> arms;
  for (std::size_t t = 0; t < summaries.size(); ++t) {
    if (overviews[t].column < 0) continue;
    tasks.push_back(losses_of(summaries[t], overviews[t]));
    for (const auto& [arm, losses] : tasks.back().losses) arms.insert(arm);
  }
  ranking.tasks_tried = static_cast<int>(tasks.size());
  // Names, not places, decide the order of the draws.
  std::sort(tasks.begin(), tasks.end(), [](const TaskLosses& a, const TaskLosses& b) { return a.name < b.name; });

  const Selection chosen = best_selection(tasks, arms);
  for (const ArmName& arm : arms) {
    if (std::find(chosen.arms.begin(), chosen.arms.end(), arm) != chosen.arms.end()) continue;
    const auto on =
        std::count_if(tasks.begin(), tasks.end(), [&](const TaskLosses& task) { return task.losses.contains(arm); });
    ranking.left_out.push_back({arm.first, arm.second, static_cast<int>(on)});
  }
  if (chosen.arms.size() < 2) return ranking;

  std::vector<TaskBlocks> blocks;
  bool enough = true;  // for intervals
  for (std::size_t t = 0; t < chosen.tasks.size(); ++t) {
    const TaskLosses& task = tasks[chosen.tasks[t]];
    const auto n = static_cast<int>(chosen.seeds[t].size());
    ranking.tasks.push_back({task.name, task.metric, n});
    ranking.seeds += n;
    enough = enough && n >= 2;
    blocks.push_back(blocks_of(task, chosen.arms, chosen.seeds[t]));
  }
  test_blocks(ranking, blocks);
  for (std::size_t j = 0; j < chosen.arms.size(); ++j) {
    ranking.arms.push_back(ranked_arm(chosen.arms[j], static_cast<Index>(j), blocks));
  }
  if (enough) add_intervals(ranking.arms, blocks);
  std::stable_sort(ranking.arms.begin(), ranking.arms.end(),
                   [](const RankedArm& a, const RankedArm& b) { return a.mean_rank < b.mean_rank; });
  group_arms(ranking);
  return ranking;
}

}  // namespace onmanifold
