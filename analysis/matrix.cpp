// SPDX-License-Identifier: Apache-2.0
#include "analysis/matrix.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "core/call_count.hpp"

namespace onmanifold {
namespace {

Vector losses_of(const MetricColumn& column, const Summary& entry) {
  Vector losses(static_cast<Index>(entry.values.size()));
  for (Index i = 0; i < losses.size(); ++i) losses(i) = loss(column, entry.values[static_cast<std::size_t>(i)].second);
  return losses;
}

bool same_seeds(const Summary& a, const Summary& b) {
  return std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first; });
}

// p of "the loss of \p one is the greater one"; 1 where nothing can be tested.
double p_worse(const MetricColumn& column, const Summary& one, const Summary& other) {
  const Vector a = losses_of(column, one);
  const Vector b = losses_of(column, other);
  if (a.size() < 2 || b.size() < 2 || !a.allFinite() || !b.allFinite()) return 1.0;
  const TestResult result =
      same_seeds(one, other) ? paired_t_test(a - b, Alternative::greater) : welch_t_test(a, b, Alternative::greater);
  return std::isnan(result.p) ? 1.0 : result.p;
}

/// Value and interval of one arm on the scale of its task.
class Scale {
 public:
  Scale(const TaskSummary& summary, const TaskOverview& overview) : summary_(summary) {
    if (overview.column < 0) return;
    column_ = static_cast<std::size_t>(overview.column);
    const auto mean = [&](int arm) {
      return arm < 0 ? MetricRecord::unknown
                     : loss(summary.columns[column_], summary.table[static_cast<std::size_t>(arm)][column_].mean);
    };
    floor_ = mean(overview.ends.floor);
    ceiling_ = mean(overview.ends.ceiling);
    // Ends that noise alone may exchange make no scale.
    const double spread = summary.columns[column_].null_sd;
    known_ = floor_ - ceiling_ > (std::isfinite(spread) ? 2 * spread : 0.0);
  }

  [[nodiscard]] ScaledScore operator()(std::size_t arm) const {
    ScaledScore score;
    if (!known_) return score;
    const Summary& entry = summary_.table[arm][column_];
    score.value = place(loss(summary_.columns[column_], entry.mean));
    const Vector losses = losses_of(summary_.columns[column_], entry);
    if (losses.size() < 2 || !losses.allFinite()) return score;
    const Interval interval = t_interval(losses);
    score.interval = {place(interval.high), place(interval.low)};
    return score;
  }

 private:
  [[nodiscard]] double place(double loss) const { return (floor_ - loss) / (floor_ - ceiling_); }

  const TaskSummary& summary_;
  std::size_t column_ = 0;
  double floor_ = 0;
  double ceiling_ = 0;
  bool known_ = false;
};

// Learners first; of them, those come first that leave the greatest share of the others behind.
struct RowOrder {
  MethodRole role = MethodRole::learner;
  double share = 0;  // mean over tasks of (rank - 1)/(ranked - 1)
  std::string method;
  std::string lift;
};

RowOrder order_of(const MatrixRow& row, const std::vector<MatrixTask>& tasks) {
  RowOrder order{row.role, 0, row.method, row.lift};
  int n = 0;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    if (row.entries[t].rank == 0) continue;
    order.share += tasks[t].ranked > 1 ? (row.entries[t].rank - 1.0) / (tasks[t].ranked - 1.0) : 0.0;
    ++n;
  }
  order.share = n > 0 ? order.share / n : 2.0;  // behind all that have a rank
  return order;
}

void fill_task(Matrix& matrix, std::size_t t, const TaskSummary& summary, const TaskOverview& overview) {
  MatrixTask& task = matrix.tasks[t];
  task.name = overview.task;
  task.column = overview.column;
  task.reason = overview.reason;
  const Scale scale(summary, overview);
  std::vector<std::pair<double, int>> ranked;  // loss, arm
  std::map<int, MatrixEntry*> entries;
  for (MatrixRow& row : matrix.rows) {
    const auto arm = std::find_if(summary.arms.begin(), summary.arms.end(),
                                  [&](const Arm& one) { return one.method == row.method && one.lift == row.lift; });
    if (arm == summary.arms.end()) continue;
    const auto a = static_cast<std::size_t>(arm - summary.arms.begin());
    MatrixEntry& entry = row.entries[t];
    entry.arm = static_cast<int>(a);
    entries[entry.arm] = &entry;
    if (overview.column < 0) continue;
    const auto c = static_cast<std::size_t>(overview.column);
    entry.score = scale(a);
    const Summary& summed = summary.table[a][c];
    const double value = loss(summary.columns[c], summed.mean);
    if (arm->role == MethodRole::control && !arm->floor && entry.score.known() &&
        !(task.training.value >= entry.score.value)) {
      task.training = entry.score;
    }
    if (arm->learns()) task.reached = task.reached || summed.at_floor;
    // As the overview does: the mean of an arm with a failed cell is one over the survivors.
    if (!arm->learns() || summed.n_failed > 0 || std::isnan(value)) continue;
    const auto seeds = static_cast<int>(summed.values.size());
    task.seeds = ranked.empty() ? seeds : std::min(task.seeds, seeds);
    ranked.emplace_back(value, entry.arm);
  }
  std::stable_sort(ranked.begin(), ranked.end());
  task.ranked = static_cast<int>(ranked.size());
  std::vector<int> learners;
  for (const auto& [value, arm] : ranked) {
    learners.push_back(arm);
    entries[arm]->rank = static_cast<int>(learners.size());
  }
  if (learners.empty()) return;
  const std::vector<int> candidates = best_candidates(summary, static_cast<std::size_t>(overview.column), learners);
  for (const int arm : candidates) entries[arm]->may_be_best = true;
  task.candidates = static_cast<int>(candidates.size());
}

}  // namespace

bool ScaledScore::known() const {
  return std::isfinite(value);
}

std::vector<int> best_candidates(const TaskSummary& summary, std::size_t column, const std::vector<int>& ranked,
                                 double alpha) {
  const auto entry_of = [&](int arm) -> const Summary& { return summary.table[static_cast<std::size_t>(arm)][column]; };
  const double level = ranked.size() > 1 ? alpha / static_cast<double>(ranked.size() - 1) : alpha;
  std::vector<int> candidates;
  for (const int one : ranked) {
    const bool beaten = std::any_of(ranked.begin(), ranked.end(), [&](int other) {
      return other != one && p_worse(summary.columns[column], entry_of(one), entry_of(other)) < level;
    });
    if (!beaten) candidates.push_back(one);
  }
  return candidates;
}

Matrix make_matrix(const std::vector<TaskSummary>& summaries, const std::vector<TaskOverview>& overviews) {
  count_call("make_matrix");
  Matrix matrix;
  matrix.tasks.resize(summaries.size());
  std::map<std::pair<std::string, std::string>, std::size_t> rows;
  for (const TaskSummary& summary : summaries) {
    for (const Arm& arm : summary.arms) {
      if (!rows.try_emplace({arm.method, arm.lift}, matrix.rows.size()).second) continue;
      matrix.rows.push_back({.method = arm.method,
                             .lift = arm.lift,
                             .lifted = arm.lifted(),
                             .lift_type = arm.lift_type,
                             .role = arm.role,
                             .entries = std::vector<MatrixEntry>(summaries.size())});
    }
  }
  for (std::size_t t = 0; t < summaries.size(); ++t) fill_task(matrix, t, summaries[t], overviews[t]);
  std::stable_sort(matrix.rows.begin(), matrix.rows.end(), [&](const MatrixRow& a, const MatrixRow& b) {
    const RowOrder x = order_of(a, matrix.tasks);
    const RowOrder y = order_of(b, matrix.tasks);
    return std::tuple(x.role != MethodRole::learner, x.role, x.share, x.method, x.lift) <
           std::tuple(y.role != MethodRole::learner, y.role, y.share, y.method, y.lift);
  });
  for (std::size_t t = 0; t < matrix.tasks.size(); ++t) {
    for (std::size_t r = 0; r < matrix.rows.size(); ++r) {
      if (matrix.rows[r].entries[t].rank == 1) matrix.tasks[t].candidate = static_cast<int>(r);
    }
  }
  return matrix;
}

}  // namespace onmanifold
