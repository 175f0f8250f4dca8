// SPDX-License-Identifier: Apache-2.0
#include "reports/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/math/quadrature.hpp"
#include "reports/axis_table.hpp"

namespace onmanifold {
namespace {

constexpr Index bootstrap_replicates = 2000;
constexpr int smallest_bootstrap = 5;  // blocks; below, the percentile interval is too short to be one

using ArmName = std::pair<std::string, std::string>;

/// What the ranking needs of one task.
struct TaskLosses {
  std::string name;
  std::string metric;
  std::map<ArmName, std::map<int, double>> losses;  // learners without failed cells, by seed; smaller is better
  std::set<ArmName> marked_best;
  double oracle = MetricRecord::unknown;  // mean losses
  double gaussian = MetricRecord::unknown;
  bool scored = false;  // the two are far enough apart for a normalised score
};

std::string metric_label(const MetricColumn& column) {
  const std::string arrow = direction_arrow(column.direction, column.target);
  return plain_text(
      fmt::format("{}{}{} ({})", column.name, arrow.empty() ? "" : " ", arrow, to_string(column.samples)));
}

std::string measured_text(double value, double spread) {
  const FormattedValue text = format_measured(value, spread);
  return text.spread.empty() ? text.value : text.value + " ± " + text.spread;
}

const Summary* summary_of(const TaskSummary& summary, std::size_t column, const std::string& method) {
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    if (summary.arms[a].method == method && summary.arms[a].lift == "none") return &summary.table[a][column];
  }
  return nullptr;
}

std::string lift_text(const std::string& lift) {
  return lift == "none" ? "" : plain_text(lift);
}

TaskLosses losses_of(const TaskResult& task, const TaskSummary& summary, std::size_t c) {
  TaskLosses result;
  const MetricColumn& column = summary.columns[c];
  result.name = task.name;
  result.metric = metric_label(column);
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Arm& arm = summary.arms[a];
    const Summary& entry = summary.table[a][c];
    if (arm.role != ArmRole::learner || entry.n_failed > 0 || entry.values.empty()) continue;
    std::map<int, double>& losses = result.losses[{arm.method, arm.lift}];
    for (const auto& [seed, value] : entry.values) losses[seed] = loss(column, value);
    if (entry.best) result.marked_best.insert({arm.method, arm.lift});
  }
  const Summary* oracle = summary_of(summary, c, "oracle");
  const Summary* gaussian = summary_of(summary, c, "gaussian");
  if (oracle != nullptr) result.oracle = loss(column, oracle->mean);
  if (gaussian != nullptr) result.gaussian = loss(column, gaussian->mean);
  const double distance = result.gaussian - result.oracle;
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
  std::string text(1, static_cast<char>('a' + i % 26));
  return i < 26 ? text : letter(i / 26 - 1) + text;
}

std::string interval_text(const Interval& interval, int digits) {
  if (!std::isfinite(interval.low)) return "—";
  return fmt::format("{:.{}f} to {:.{}f}", interval.low, digits, interval.high, digits);
}

Interval percentiles(const std::vector<double>& values) {
  const Eigen::Map<const Vector> all(values.data(), static_cast<Index>(values.size()));
  return {quantile(all, 0.025), quantile(all, 0.975)};
}

TableCell text_cell(std::string text) {
  TableCell cell;
  cell.text.value = std::move(text);
  return cell;
}

TableColumn plain_column(std::string name, std::string arrow = "") {
  TableColumn column;
  column.metric = std::move(name);
  column.arrow = std::move(arrow);
  return column;
}

std::string standard_errors_text(const TaskOverview& overview) {
  if (std::isnan(overview.difference) || std::isnan(overview.standard_error)) return "—";
  if (overview.standard_error == 0) return overview.difference == 0 ? "0" : "∞";
  return fmt::format("{:.1f}", overview.difference / overview.standard_error);
}

bool separated(const Ranking& ranking) {
  return ranking.groups.size() > 1;
}

}  // namespace

double studentised_range_cdf(double q, int k) {
  if (k < 2) throw InvalidInput("a range needs at least two numbers");
  if (!(q > 0)) return 0.0;
  // x is the largest number; beyond 9.5 standard deviations there is less than 1e-17 even for a thousand
  // numbers.
  static const QuadratureRule rule = gauss_legendre(400, -9.5, 9.5);
  double sum = 0.0;
  for (Index i = 0; i < rule.nodes.size(); ++i) {
    const double x = rule.nodes(i);
    sum += rule.weights(i) * std::exp(-0.5 * x * x) * std::pow(normal_mass(x - q, x), k - 1);
  }
  constexpr double inverse_root_two_pi = 0.39894228040143267794;
  return std::min(1.0, k * inverse_root_two_pi * sum);
}

double studentised_range_quantile(double p, int k) {
  if (!(p > 0 && p < 1)) throw InvalidInput("a quantile needs a probability between 0 and 1");
  double low = 0.0;
  double high = 19.0;
  for (int i = 0; i < 60; ++i) {  // 19 × 2^-60 is below one ulp of any quantile
    const double middle = 0.5 * (low + high);
    (studentised_range_cdf(middle, k) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

double critical_difference(int k, double blocks, double alpha) {
  return studentised_range_quantile(1 - alpha, k) * std::sqrt(k * (k + 1.0) / (12 * blocks));
}

TestResult friedman_test(const Points& ranks, const Vector& weights) {
  const Index k = ranks.cols();
  if (k < 2 || ranks.rows() < 1) throw InvalidInput("Friedman's test needs two arms and a block");
  if (weights.size() != ranks.rows() || std::abs(weights.sum() - 1) > 1e-9) {
    throw InvalidInput("Friedman's test needs one weight a block, with sum 1");
  }
  const double middle = 0.5 * static_cast<double>(k + 1);
  // Under the null hypothesis the deviations of a block have covariance v (I - 1/k), v = Σ_j deviation_j²/(k
  // - 1).
  double variance = 0.0;
  Vector deviation = Vector::Zero(k);
  for (Index b = 0; b < ranks.rows(); ++b) {
    double square = 0.0;
    for (Index j = 0; j < k; ++j) {
      const double d = ranks(b, j) - middle;
      square += d * d;
      deviation(j) += weights(b) * d;
    }
    variance += weights(b) * weights(b) * square / static_cast<double>(k - 1);
  }
  TestResult result;
  result.degrees = static_cast<double>(k - 1);
  result.method = "Friedman, tie-corrected chi-squared";
  result.statistic = variance > 0 ? deviation.squaredNorm() / variance : 0.0;
  result.p = variance > 0 ? chi_squared_survival(result.statistic, result.degrees) : 1.0;
  return result;
}

std::vector<std::pair<int, int>> unseparated_groups(const std::vector<double>& mean_ranks, double cd) {
  std::vector<std::pair<int, int>> groups;
  const int n = static_cast<int>(mean_ranks.size());
  int covered = -1;
  for (int first = 0; first < n; ++first) {
    int last = first;
    while (last + 1 < n &&
           !(mean_ranks[static_cast<std::size_t>(last + 1)] - mean_ranks[static_cast<std::size_t>(first)] > cd)) {
      ++last;
    }
    if (last > covered) groups.emplace_back(first, last);
    covered = std::max(covered, last);
  }
  return groups;
}

int ranking_column(const TaskSummary& summary) {
  const int primary = primary_column(summary);
  if (primary >= 0) return primary;
  const std::vector<int> columns = chosen_columns(summary, default_columns());
  return columns.empty() ? -1 : columns[0];
}

TaskOverview task_overview(const TaskResult& task, const TaskSummary& summary) {
  TaskOverview overview;
  overview.task = task.name;
  const int chosen = ranking_column(summary);
  if (chosen < 0) {
    overview.reason = "no metric";
    return overview;
  }
  const auto c = static_cast<std::size_t>(chosen);
  const MetricColumn& column = summary.columns[c];
  if (column.mixed_protocol) overview.reason = column.name + ": records differ in version, settings or sizes";
  if (direction_arrow(column.direction, column.target).empty()) overview.reason = column.name + " has no direction";
  if (!overview.reason.empty()) return overview;
  overview.column = chosen;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Summary& entry = summary.table[a][c];
    const double own = loss(column, entry.mean);
    if (summary.arms[a].role != ArmRole::learner || entry.n_failed > 0 || std::isnan(own)) continue;
    if (entry.best) ++overview.n_best;
    const auto before = [&](int other) {
      return other < 0 || own < loss(column, summary.table[static_cast<std::size_t>(other)][c].mean);
    };
    if (before(overview.best)) {
      overview.second = overview.best;
      overview.best = static_cast<int>(a);
    } else if (before(overview.second)) {
      overview.second = static_cast<int>(a);
    }
  }
  if (overview.best < 0) overview.reason = "no learner without failed cells";
  if (overview.second < 0) return overview;
  const Summary& best = summary.table[static_cast<std::size_t>(overview.best)][c];
  const Summary& second = summary.table[static_cast<std::size_t>(overview.second)][c];
  overview.difference = loss(column, second.mean) - loss(column, best.mean);
  overview.standard_error = std::hypot(best.standard_error, second.standard_error);
  // Seeds share data and evaluation. A distance to a target is no linear function: its mean is not that of
  // the seeds.
  if (column.direction == Direction::target) return overview;
  std::vector<double> differences;
  for (const auto& [seed, value] : best.values) {
    const auto same = std::find_if(second.values.begin(), second.values.end(),
                                   [s = seed](const auto& entry) { return entry.first == s; });
    if (same != second.values.end()) differences.push_back(loss(column, same->second) - loss(column, value));
  }
  const Eigen::Map<const Vector> paired(differences.data(), static_cast<Index>(differences.size()));
  if (paired.size() >= 2 && differences.size() == best.values.size() && differences.size() == second.values.size() &&
      std::isfinite(mean(paired))) {
    overview.pairs = static_cast<int>(paired.size());
    overview.standard_error = standard_error(paired);
  }
  return overview;
}

Ranking rank_arms(const ResultSet& results, const std::vector<TaskSummary>& summaries, double alpha) {
  if (summaries.size() != results.tasks.size()) throw InvalidInput("a ranking needs one summary a task");
  Ranking ranking;
  ranking.alpha = alpha;
  std::vector<TaskLosses> tasks;
  std::set<ArmName> arms;
  for (std::size_t t = 0; t < results.tasks.size(); ++t) {
    const TaskOverview overview = task_overview(results.tasks[t], summaries[t]);
    if (overview.column < 0) continue;
    tasks.push_back(losses_of(results.tasks[t], summaries[t], static_cast<std::size_t>(overview.column)));
    for (const auto& [arm, losses] : tasks.back().losses) arms.insert(arm);
  }
  // Names, not places, decide the order of the draws.
  std::sort(tasks.begin(), tasks.end(), [](const TaskLosses& a, const TaskLosses& b) { return a.name < b.name; });

  const Selection chosen = best_selection(tasks, arms);
  for (const ArmName& arm : arms) {
    if (std::find(chosen.arms.begin(), chosen.arms.end(), arm) != chosen.arms.end()) continue;
    std::size_t on = 0;
    for (const TaskLosses& task : tasks) on += task.losses.contains(arm) ? 1 : 0;
    ranking.left_out.push_back(
        plain_text(fmt::format("{}: complete on {} of {} tasks", arm_label(arm.first, arm.second), on, tasks.size())));
  }
  if (chosen.arms.size() < 2) return ranking;

  // Ranks block by block; the weight of a block makes every task count the same.
  const auto k = static_cast<Index>(chosen.arms.size());
  const std::size_t n_tasks = chosen.tasks.size();
  std::vector<Points> ranks;   // by task: seeds × arms
  std::vector<Points> losses;  // likewise
  Index n_blocks = 0;
  double inverse_seeds = 0.0;
  for (std::size_t t = 0; t < n_tasks; ++t) {
    const TaskLosses& task = tasks[chosen.tasks[t]];
    ranking.tasks.push_back(task.name);
    ranking.metrics.push_back(task.metric);
    ranking.seeds.push_back(static_cast<int>(chosen.seeds[t].size()));
    const auto n = static_cast<Index>(chosen.seeds[t].size());
    n_blocks += n;
    inverse_seeds += 1.0 / static_cast<double>(n);
    Points values(n, k);
    Points own(n, k);
    for (Index s = 0; s < n; ++s) {
      for (Index j = 0; j < k; ++j) {
        values(s, j) =
            task.losses.at(chosen.arms[static_cast<std::size_t>(j)]).at(chosen.seeds[t][static_cast<std::size_t>(s)]);
      }
      const Vector row = values.row(s).transpose();
      own.row(s) = mid_ranks(row).transpose();
    }
    ranks.push_back(std::move(own));
    losses.push_back(std::move(values));
  }
  const auto task_count = static_cast<double>(n_tasks);
  ranking.blocks = task_count * task_count / inverse_seeds;
  Points all(n_blocks, k);
  Vector weights(n_blocks);
  Index row = 0;
  for (const Points& own : ranks) {
    all.middleRows(row, own.rows()) = own;
    weights.segment(row, own.rows()).setConstant(1.0 / (task_count * static_cast<double>(own.rows())));
    row += own.rows();
  }
  ranking.friedman = friedman_test(all, weights);
  ranking.cd = critical_difference(static_cast<int>(k), ranking.blocks, alpha);
  if (n_tasks > 1) ranking.cd_tasks = critical_difference(static_cast<int>(k), task_count, alpha);

  const auto score = [&](std::size_t t, double mean_loss) {
    const TaskLosses& task = tasks[chosen.tasks[t]];
    return (task.gaussian - mean_loss) / (task.gaussian - task.oracle);
  };
  for (Index j = 0; j < k; ++j) {
    RankedArm arm;
    const ArmName& name = chosen.arms[static_cast<std::size_t>(j)];
    arm.method = name.first;
    arm.lift = name.second;
    double score_sum = 0.0;
    int scored = 0;
    for (std::size_t t = 0; t < n_tasks; ++t) {
      arm.task_ranks.push_back(mean(ranks[t].col(j)));
      arm.mean_rank += arm.task_ranks.back() / task_count;
      const bool known = tasks[chosen.tasks[t]].scored;
      arm.task_scores.push_back(known ? score(t, mean(losses[t].col(j))) : MetricRecord::unknown);
      if (known) {
        score_sum += arm.task_scores.back();
        ++scored;
      }
      arm.times_best += tasks[chosen.tasks[t]].marked_best.contains(name) ? 1 : 0;
    }
    if (scored > 0) arm.score = score_sum / scored;
    ranking.arms.push_back(std::move(arm));
  }

  // Bootstrap: the seeds of each task are drawn again, for all arms at once. Tasks stay: the interval is one
  // for these.
  const bool enough = n_blocks >= smallest_bootstrap &&
                      std::all_of(ranking.seeds.begin(), ranking.seeds.end(), [](int n) { return n >= 2; });
  if (enough) {
    std::vector<std::vector<double>> mean_ranks(static_cast<std::size_t>(k));
    std::vector<std::vector<double>> scores(static_cast<std::size_t>(k));
    const Stream stream(0, "reports/ranking");
    for (Index b = 0; b < bootstrap_replicates; ++b) {
      Stream draws = stream.at(static_cast<std::uint64_t>(b));
      Vector rank_sum = Vector::Zero(k);
      Vector score_sum = Vector::Zero(k);
      int scored = 0;
      for (std::size_t t = 0; t < n_tasks; ++t) {
        const Index n = ranks[t].rows();
        Vector drawn_ranks = Vector::Zero(k);
        Vector drawn_losses = Vector::Zero(k);
        for (Index i = 0; i < n; ++i) {
          const auto s = static_cast<Index>(draws.integer(static_cast<std::uint64_t>(n)));
          drawn_ranks += ranks[t].row(s).transpose();
          drawn_losses += losses[t].row(s).transpose();
        }
        rank_sum += drawn_ranks / static_cast<double>(n);
        if (!tasks[chosen.tasks[t]].scored) continue;
        ++scored;
        for (Index j = 0; j < k; ++j) score_sum(j) += score(t, drawn_losses(j) / static_cast<double>(n));
      }
      for (Index j = 0; j < k; ++j) {
        mean_ranks[static_cast<std::size_t>(j)].push_back(rank_sum(j) / task_count);
        if (scored > 0) scores[static_cast<std::size_t>(j)].push_back(score_sum(j) / scored);
      }
    }
    for (std::size_t j = 0; j < static_cast<std::size_t>(k); ++j) {
      ranking.arms[j].interval = percentiles(mean_ranks[j]);
      if (std::isfinite(ranking.arms[j].score)) ranking.arms[j].score_interval = percentiles(scores[j]);
    }
  }

  std::stable_sort(ranking.arms.begin(), ranking.arms.end(),
                   [](const RankedArm& a, const RankedArm& b) { return a.mean_rank < b.mean_rank; });
  if (ranking.friedman.p <= alpha) {
    std::vector<double> ordered;
    for (const RankedArm& arm : ranking.arms) ordered.push_back(arm.mean_rank);
    ranking.groups = unseparated_groups(ordered, ranking.cd);
  } else {
    ranking.groups = {{0, static_cast<int>(k) - 1}};
  }
  for (std::size_t g = 0; g < ranking.groups.size(); ++g) {
    for (int a = ranking.groups[g].first; a <= ranking.groups[g].second; ++a) {
      std::string& letters = ranking.arms[static_cast<std::size_t>(a)].letters;
      letters += (letters.empty() || g < 26 ? "" : " ") + letter(g);
    }
  }
  return ranking;
}

std::optional<Table> make_overview_table(const ResultSet& results, const std::vector<TaskSummary>& summaries) {
  Table table;
  table.title = "Which method is best where";
  table.description =
      "By the first metric of each task, on projected samples unless said otherwise: the best learner and "
      "the next one, how far apart they are in "
      "standard errors, "
      "and what to hold them against.";
  table.row_header = "Task";
  table.lift_header = "Metric";
  for (const char* name : {"best", "value", "second", "value", "apart", "gaussian", "oracle", "perfect model"}) {
    table.columns.push_back(plain_column(name));
  }
  bool any = false;
  for (std::size_t t = 0; t < results.tasks.size(); ++t) {
    const TaskOverview overview = task_overview(results.tasks[t], summaries[t]);
    if (overview.column < 0 && results.tasks[t].cells.empty()) continue;
    TableRow row;
    row.method = plain_text(overview.task);
    if (overview.best < 0) {
      table.footnotes.push_back(plain_text(fmt::format("{}: {}", overview.task, overview.reason)));
      continue;
    }
    any = true;
    const TaskSummary& summary = summaries[t];
    const auto c = static_cast<std::size_t>(overview.column);
    const MetricColumn& column = summary.columns[c];
    row.lift = metric_label(column);
    if (const std::size_t known = row.lift.find(" (projected)"); known != std::string::npos) row.lift.erase(known);
    const auto arm_cells = [&](int index) {
      if (index < 0) {
        row.cells.push_back(text_cell("—"));
        row.cells.push_back(text_cell("—"));
        return;
      }
      const Arm& arm = summary.arms[static_cast<std::size_t>(index)];
      const Summary& entry = summary.table[static_cast<std::size_t>(index)][c];
      TableCell name = text_cell(plain_text(arm_label(arm.method, lift_text(arm.lift))));
      TableCell value;
      value.text = format_measured(entry.mean, entry.sd);
      value.at_floor = entry.at_floor;
      name.best = value.best = entry.best;
      name.second = value.second = entry.second;
      row.cells.push_back(std::move(name));
      row.cells.push_back(std::move(value));
    };
    arm_cells(overview.best);
    arm_cells(overview.second);
    row.cells.push_back(text_cell(standard_errors_text(overview)));
    row.cells.back().detail = overview.pairs > 0 ? fmt::format("paired over {} seeds", overview.pairs) : "of two means";
    for (const char* end : {"gaussian", "oracle"}) {
      const Summary* entry = summary_of(summary, c, end);
      TableCell cell = text_cell("—");
      if (entry != nullptr) cell.text = format_measured(entry->mean, entry->sd);
      row.cells.push_back(std::move(cell));
    }
    TableCell null;
    null.text = format_measured(column.null, column.null_sd);
    row.cells.push_back(std::move(null));
    row.seeds = fmt::format("{}", summary.table[static_cast<std::size_t>(overview.best)][c].values.size());
    if (overview.n_best > 1) {
      table.footnotes.push_back(
          plain_text(fmt::format("{}: {} learners share the first place, within one standard error of the best",
                                 overview.task, overview.n_best)));
    }
    table.rows.push_back(std::move(row));
  }
  if (!any) return std::nullopt;
  for (const TableRow& row : table.rows) {
    table.equal_seeds = table.equal_seeds && row.seeds == table.rows.front().seeds;
  }
  table.footnotes.insert(table.footnotes.begin(),
                         "apart: mean difference of the two over its standard error, paired where both have "
                         "the same seeds; the two were chosen "
                         "after the fact, so this describes and is no test; perfect model: what it would "
                         "get, ± sd of one value");
  return table;
}

std::optional<Table> make_ranking_table(const Ranking& ranking) {
  if (ranking.arms.size() < 2 || std::accumulate(ranking.seeds.begin(), ranking.seeds.end(), 0) < 2)
    return std::nullopt;
  Table table;
  table.title = ranking.tasks.size() == 1 ? "Ranking over seeds" : "Ranking over tasks";
  table.description = plain_text(
      fmt::format("Mean rank of each learner over {} task{} ({}), every task with the same weight.",
                  ranking.tasks.size(), ranking.tasks.size() == 1 ? "" : "s", fmt::join(ranking.tasks, ", ")));
  table.columns = {plain_column("mean rank", "↓"), plain_column("95 %"),       plain_column("group"),
                   plain_column("best on"),        plain_column("score", "↑"), plain_column("95 % of score")};
  const int seeds = std::accumulate(ranking.seeds.begin(), ranking.seeds.end(), 0);
  for (std::size_t a = 0; a < ranking.arms.size(); ++a) {
    const RankedArm& arm = ranking.arms[a];
    TableRow row;
    row.method = plain_text(arm.method);
    row.lift = plain_text(arm.lift);
    row.seeds = fmt::format("{}", seeds);
    TableCell rank = text_cell(fmt::format("{:.2f}", arm.mean_rank));
    rank.best = separated(ranking) && static_cast<int>(a) <= ranking.groups.front().second;
    std::vector<std::string> details;
    for (std::size_t t = 0; t < ranking.tasks.size(); ++t) {
      details.push_back(plain_text(fmt::format("{} {:.2f}", ranking.tasks[t], arm.task_ranks[t])));
    }
    rank.detail = fmt::format("{}", fmt::join(details, ", "));
    row.cells.push_back(std::move(rank));
    row.cells.push_back(text_cell(interval_text(arm.interval, 2)));
    row.cells.push_back(text_cell(arm.letters));
    row.cells.push_back(text_cell(fmt::format("{}", arm.times_best)));
    TableCell score = text_cell(std::isfinite(arm.score) ? fmt::format("{:.3f}", arm.score) : "—");
    details.clear();
    for (std::size_t t = 0; t < ranking.tasks.size(); ++t) {
      if (std::isnan(arm.task_scores[t])) continue;
      details.push_back(plain_text(fmt::format("{} {:.3f}", ranking.tasks[t], arm.task_scores[t])));
    }
    score.detail = fmt::format("{}", fmt::join(details, ", "));
    row.cells.push_back(std::move(score));
    row.cells.push_back(text_cell(interval_text(arm.score_interval, 3)));
    table.rows.push_back(std::move(row));
  }
  std::vector<std::string> by_task;
  for (std::size_t t = 0; t < ranking.tasks.size(); ++t) {
    by_task.push_back(fmt::format("{} by {}, {} seeds", ranking.tasks[t], ranking.metrics[t], ranking.seeds[t]));
  }
  table.footnotes.push_back(
      plain_text(fmt::format("ranks in every block (task, seed), mid-ranks for ties, 1 is best: {}; 95 %: "
                             "bootstrap over the seeds of each task, "
                             "{} resamples",
                             fmt::join(by_task, "; "), bootstrap_replicates)));
  table.footnotes.push_back(fmt::format(
      "Friedman χ² {:.4g} with {:.0f} degrees, p {:.2g}; critical difference of Nemenyi at {:g}: {:.2f} for "
      "these tasks ({:.4g} "
      "blocks){}; arms that share a letter are not separated{}",
      ranking.friedman.statistic, ranking.friedman.degrees, ranking.friedman.p, ranking.alpha, ranking.cd,
      ranking.blocks,
      std::isfinite(ranking.cd_tasks)
          ? fmt::format(", {:.2f} for tasks like these ({} blocks)", ranking.cd_tasks, ranking.tasks.size())
          : "",
      separated(ranking) ? "; bold: not separated from the first" : ""));
  table.footnotes.push_back(
      "best on: tasks where the arm has the mark of the best; score: mean over tasks of (gaussian - "
      "arm)/(gaussian - oracle), 0 as good as "
      "gaussian, 1 as good as the oracle, unclipped, without tasks where the two are within twice the spread "
      "of a perfect model");
  if (!ranking.left_out.empty()) {
    table.footnotes.push_back(
        fmt::format("not ranked, for want of complete blocks: {}", fmt::join(ranking.left_out, "; ")));
  }
  return table;
}

std::vector<std::string> overview_lines(const ResultSet& results, const std::vector<TaskSummary>& summaries,
                                        const Ranking& ranking) {
  std::vector<std::string> lines;
  for (std::size_t t = 0; t < results.tasks.size(); ++t) {
    const TaskOverview overview = task_overview(results.tasks[t], summaries[t]);
    if (overview.best < 0) continue;
    const TaskSummary& summary = summaries[t];
    const auto c = static_cast<std::size_t>(overview.column);
    const MetricColumn& column = summary.columns[c];
    const auto label = [&](int index) {
      const Arm& arm = summary.arms[static_cast<std::size_t>(index)];
      return arm_label(arm.method, lift_text(arm.lift));
    };
    const auto value = [](const Summary* entry) { return measured_text(entry->mean, entry->sd); };
    const Summary& best = summary.table[static_cast<std::size_t>(overview.best)][c];
    std::string line = fmt::format("{}, {}: best is {} with {}", overview.task, metric_label(column),
                                   label(overview.best), value(&best));
    if (overview.n_best > 1) {
      line += fmt::format(", which {} share{} within one standard error",
                          overview.n_best == 2 ? "one other" : fmt::format("{} others", overview.n_best - 1),
                          overview.n_best == 2 ? "s" : "");
    } else if (overview.second >= 0) {
      const std::string apart = standard_errors_text(overview);
      line += fmt::format(", ahead of {} with {}{}", label(overview.second),
                          value(&summary.table[static_cast<std::size_t>(overview.second)][c]),
                          apart == "—" ? "" : fmt::format(" by {} standard errors", apart));
    }
    line += "; ";
    for (const char* end : {"gaussian", "oracle"}) {
      const Summary* const entry = summary_of(summary, c, end);
      if (entry != nullptr && !std::isnan(entry->mean)) line += fmt::format("{} {}, ", end, value(entry));
    }
    line += "perfect model " + measured_text(column.null, column.null_sd);
    if (best.at_floor) line += "; the best is not to be told from a perfect model";
    const Summary* const gaussian = summary_of(summary, c, "gaussian");
    if (gaussian != nullptr && loss(column, best.mean) > loss(column, gaussian->mean))
      line += "; no learner is better than gaussian";
    lines.push_back(plain_text(line + "."));
  }
  if (!make_ranking_table(ranking)) return lines;
  const RankedArm& first = ranking.arms.front();
  const std::string name = arm_label(first.method, lift_text(first.lift));
  if (!separated(ranking)) {
    lines.push_back(
        plain_text(fmt::format("Over {} task{} no two of {} learners are separated (Friedman p {:.2g}, "
                               "critical difference {:.2f}); the first is {} "
                               "with mean rank {:.2f}.",
                               ranking.tasks.size(), ranking.tasks.size() == 1 ? "" : "s", ranking.arms.size(),
                               ranking.friedman.p, ranking.cd, name, first.mean_rank)));
    return lines;
  }
  const int with = ranking.groups.front().second;
  lines.push_back(plain_text(fmt::format(
      "Over {} task{} {} has the best mean rank of {} learners, {:.2f}{}; {} (critical difference "
      "{:.2f}).",
      ranking.tasks.size(), ranking.tasks.size() == 1 ? "" : "s", name, ranking.arms.size(), first.mean_rank,
      std::isfinite(first.interval.low) ? fmt::format(" (95 % {})", interval_text(first.interval, 2)) : "",
      with == 0   ? "every other is separated from it"
      : with == 1 ? "one other is not separated from it"
                  : fmt::format("{} others are not separated from it", with),
      ranking.cd)));
  return lines;
}

}  // namespace onmanifold
