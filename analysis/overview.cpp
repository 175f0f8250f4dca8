// SPDX-License-Identifier: Apache-2.0
#include "analysis/overview.hpp"

#include <algorithm>
#include <cmath>

#include "core/call_count.hpp"
#include "core/math/statistics.hpp"

namespace onmanifold {
namespace {

// Seeds share data and evaluation: where both have the same seeds, the standard error is that of their differences.
void compare_best(TaskOverview& overview, const MetricColumn& column, const Summary& best, const Summary& second) {
  overview.difference = loss(column, second.mean) - loss(column, best.mean);
  overview.standard_error = std::hypot(best.standard_error, second.standard_error);
  // A distance to a target is no linear function: its mean is not that of the seeds.
  if (column.direction == Direction::target || best.values.size() != second.values.size()) return;
  Vector differences(static_cast<Index>(best.values.size()));
  for (std::size_t i = 0; i < best.values.size(); ++i) {
    if (best.values[i].first != second.values[i].first) return;
    differences(static_cast<Index>(i)) = loss(column, second.values[i].second) - loss(column, best.values[i].second);
  }
  if (differences.size() < 2 || !differences.allFinite()) return;
  overview.pairs = static_cast<int>(differences.size());
  overview.standard_error = standard_error(differences);
}

}  // namespace

double TaskOverview::apart() const {
  if (standard_error == 0 && difference == 0) return 0;
  return difference / standard_error;
}

TaskOverview task_overview(const TaskResult& task, const TaskSummary& summary) {
  count_call("task_overview");
  TaskOverview overview;
  overview.task = task.name;
  overview.ends = scale_ends(summary);
  if (summary.primary < 0) {
    overview.reason = "no metric";
    return overview;
  }
  const auto c = static_cast<std::size_t>(summary.primary);
  const MetricColumn& column = summary.columns[c];
  if (column.mixed_protocol) overview.reason = column.name + ": records differ in version, settings or sizes";
  if (!column.direction) overview.reason = column.name + " has no direction";
  if (!overview.reason.empty()) return overview;
  overview.column = summary.primary;
  const auto entry_of = [&](int arm) -> const Summary& { return summary.table[static_cast<std::size_t>(arm)][c]; };
  const auto loss_of = [&](int arm) { return arm < 0 ? MetricRecord::unknown : loss(column, entry_of(arm).mean); };
  std::vector<int> ranked;
  for (int a = 0; a < static_cast<int>(summary.arms.size()); ++a) {
    if (!summary.arms[static_cast<std::size_t>(a)].learns() || entry_of(a).n_failed > 0 || std::isnan(loss_of(a)))
      continue;
    ranked.push_back(a);
    if (entry_of(a).best) ++overview.n_best;
  }
  std::stable_sort(ranked.begin(), ranked.end(), [&](int a, int b) { return loss_of(a) < loss_of(b); });
  if (ranked.empty()) {
    overview.reason = "no learner without failed cells";
    return overview;
  }
  overview.best = ranked.front();
  const double floor = loss_of(overview.ends.floor);
  const double ceiling = loss_of(overview.ends.ceiling);
  overview.below_floor = loss_of(overview.best) > floor;
  if (floor > ceiling) overview.way = (floor - loss_of(overview.best)) / (floor - ceiling);
  if (ranked.size() < 2) return overview;
  overview.second = ranked[1];
  compare_best(overview, column, entry_of(overview.best), entry_of(overview.second));
  return overview;
}

}  // namespace onmanifold
