// SPDX-License-Identifier: Apache-2.0
// Tables over all tasks: who is best, the ranking, lifts, published numbers.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/tables.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

std::vector<TableColumn> named_columns(const std::vector<const char*>& names) {
  std::vector<TableColumn> columns;
  for (const char* name : names) columns.push_back({.name = name, .variant = ""});
  return columns;
}

// The label of the floor where all tasks have the same one.
std::string floor_name(const Analysis& analysis) {
  std::set<std::string> names;
  for (const TaskAnalysis& task : analysis.tasks) {
    const int floor = task.overview.ends.floor;
    if (floor >= 0) names.insert(task.summary.arms[static_cast<std::size_t>(floor)].method);
  }
  return names.size() == 1 ? plain_text(*names.begin()) : "floor";
}

TableRow overview_row(const TaskAnalysis& task) {
  const TaskOverview& overview = task.overview;
  const TaskSummary& summary = task.summary;
  const auto c = static_cast<std::size_t>(overview.column);
  const MetricColumn& column = summary.columns[c];
  TableRow row;
  row.name = plain_text(overview.task);
  TableColumn judged = metric_column(column);
  if (judged.samples == SampleKind::projected) judged.samples.reset();
  row.lift = metric_label(judged);
  const auto arm_cells = [&](int index) {
    TableCell name = word_cell("—");
    TableCell value = number_cell(Measured{});
    if (index >= 0) {
      const auto a = static_cast<std::size_t>(index);
      const Summary& entry = summary.table[a][c];
      name = word_cell(plain_text(short_label(summary.arms[a])));
      value.content = Measured{entry.mean, entry.sd};
      value.at_floor = entry.at_floor;
      name.best = value.best = entry.best;
      name.second = value.second = entry.second;
    }
    row.cells.push_back(std::move(name));
    row.cells.push_back(std::move(value));
  };
  arm_cells(overview.best);
  arm_cells(overview.second);
  row.cells.push_back(number_cell(Rounded{.value = overview.apart(), .digits = overview.apart() == 0 ? 0 : 1}));
  row.cells.back().detail = overview.pairs > 0 ? fmt::format("paired over {} seeds", overview.pairs) : "of two means";
  for (const int end : {overview.ends.floor, overview.ends.ceiling}) {
    TableCell cell = number_cell(Measured{});
    if (end >= 0) {
      const Summary& entry = summary.table[static_cast<std::size_t>(end)][c];
      cell.content = Measured{entry.mean, entry.sd};
    }
    row.cells.push_back(std::move(cell));
  }
  row.cells.push_back(number_cell(Measured{column.null, column.null_sd}));
  row.n_ok = row.n_cells = static_cast<int>(summary.table[static_cast<std::size_t>(overview.best)][c].values.size());
  return row;
}

// "sphere-vmf6 2.50, plane-gmm9 1.25", without unknown ones.
std::string by_task(const Ranking& ranking, const std::vector<double>& values, int digits) {
  std::vector<std::string> parts;
  for (std::size_t t = 0; t < ranking.tasks.size(); ++t) {
    if (std::isnan(values[t])) continue;
    parts.push_back(plain_text(fmt::format("{} {:.{}f}", ranking.tasks[t].name, values[t], digits)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

void add_ranking_notes(Table& table, const Ranking& ranking) {
  std::vector<std::string> tasks;
  for (const RankedTask& task : ranking.tasks) {
    tasks.push_back(fmt::format("{} by {}, {} seeds", task.name, metric_label(task.metric), task.seeds));
  }
  table.footnotes.emplace_back(plain_text(fmt::format(
      "ranks in every block (task, seed), mid-ranks for ties, 1 is best: {}; 95 %: t over the "
      "seeds of each task, with one block more at the far end; of the score: t over the seeds, given the means of "
      "gaussian and oracle",
      fmt::join(tasks, "; "))));
  table.footnotes.emplace_back(fmt::format(
      "Friedman χ² {:.4g} with {:.0f} degrees, p {:.2g}; critical difference of Nemenyi at {:g}: {:.2f} for these tasks "
      "({:.4g} blocks){}; methods that share a letter are not separated{}",
      ranking.friedman.statistic, ranking.friedman.degrees, ranking.friedman.p, ranking.alpha, ranking.cd,
      ranking.blocks,
      std::isfinite(ranking.cd_tasks)
          ? fmt::format(", {:.2f} for tasks like these ({} blocks)", ranking.cd_tasks, ranking.tasks.size())
          : "",
      ranking.separated() ? "; bold: not separated from the first" : ""));
  table.footnotes.emplace_back(
      "best on: tasks where the method has the mark of the best; score: mean over tasks of (gaussian - method)/(gaussian - "
      "oracle), 0 as good as gaussian, 1 as good as the oracle, unclipped, without tasks where the two are within twice "
      "the spread of a perfect model");
  if (ranking.left_out.empty()) return;
  std::vector<std::string> out;
  for (const UnrankedArm& arm : ranking.left_out) {
    out.push_back(plain_text(fmt::format("{}: complete on {} of {} tasks", arm_label(arm.method, arm.lift),
                                         arm.complete_on, ranking.tasks_tried)));
  }
  table.footnotes.emplace_back(fmt::format("not ranked, for want of complete blocks: {}", fmt::join(out, "; ")));
}

/// Labels of lifts by kind, then by level: one label is one level of its task, so levels are compared by their mean
/// logarithm.
std::vector<std::string> ordered_lifts(const std::vector<LiftEffect>& effects) {
  struct Level {
    bool isotropic = false;
    double sum = 0;
    int count = 0;
  };
  std::map<std::string, Level> levels;
  for (const LiftEffect& effect : effects) {
    Level& level = levels[effect.lift];
    level.isotropic = effect.isotropic;
    if (!(effect.sigma > 0)) continue;
    level.sum += std::log(effect.sigma);
    ++level.count;
  }
  std::vector<std::tuple<bool, double, std::string>> order;
  for (const auto& [lift, level] : levels) {
    order.emplace_back(level.isotropic, level.count > 0 ? level.sum / level.count : 0.0, lift);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::string> lifts;
  for (auto& [isotropic, level, lift] : order) lifts.push_back(std::move(lift));
  return lifts;
}

TableCell lift_cell(const LiftEffect& effect) {
  TableCell cell = number_cell(Rounded{.value = effect.change, .style = Rounded::Style::percent, .sign = true});
  cell.best = effect.helps;
  cell.harms = effect.harms;
  cell.detail = fmt::format("σ {:.3g}, σ/reach {:.3g}", effect.sigma, effect.sigma / effect.reach);
  if (effect.n > 1) {
    const auto percent = [](double share, bool sign) {
      Decimal number = round_percent(share);
      number.plus = sign && share > 0;
      return to_text(number);
    };
    cell.detail += fmt::format(", 95 % [{}, {}], sd over seeds {}", percent(effect.interval.low, true),
                               percent(effect.interval.high, true), percent(effect.spread, false));
  }
  return cell;
}

}  // namespace

std::optional<Table> overview_table(const Analysis& analysis) {
  Table table;
  table.name = "overview";
  table.title = "Which method is best where";
  table.description =
      "By the first metric of each task, on projected samples unless said otherwise: the best learner and the next one, "
      "how far apart they are in standard errors, and what to hold them against.";
  table.row_header = "Task";
  table.lift_header = "Metric";
  table.rows_are_arms = false;
  table.columns = named_columns({"best", "value", "second", "value", "apart", "gaussian", "oracle", "perfect model"});
  table.columns[5].name = floor_name(analysis);
  table.footnotes.emplace_back(
      "apart: mean difference of the two over its standard error, paired where both have the same seeds; the two were "
      "chosen after the fact, so this describes and is no test; perfect model: what it would get, ± sd of one value");
  for (const TaskAnalysis& task : analysis.tasks) {
    const TaskOverview& overview = task.overview;
    if (overview.column < 0 && task.result->cells.empty()) continue;
    if (overview.best < 0) {
      table.footnotes.emplace_back(plain_text(fmt::format("{}: {}", overview.task, overview.reason)));
      continue;
    }
    table.rows.push_back(overview_row(task));
    if (overview.n_best > 1) {
      table.footnotes.emplace_back(
          plain_text(fmt::format("{}: {} learners share the first place, within one standard error of the best",
                                 overview.task, overview.n_best)));
    }
  }
  if (table.rows.empty()) return std::nullopt;
  for (const TableRow& row : table.rows) {
    table.equal_seeds = table.equal_seeds && row.n_cells == table.rows.front().n_cells;
  }
  return table;
}

std::optional<Table> ranking_table(const Ranking& ranking) {
  if (!ranking.holds()) return std::nullopt;
  Table table;
  table.name = "ranking";
  table.title = ranking.tasks.size() == 1 ? "Ranking over seeds" : "Ranking over tasks";
  std::vector<std::string> names;
  for (const RankedTask& task : ranking.tasks) names.push_back(task.name);
  table.description =
      plain_text(fmt::format("Mean rank of each learner over {} task{} ({}), every task with the same weight.",
                             names.size(), names.size() == 1 ? "" : "s", fmt::join(names, ", ")));
  table.columns = named_columns({"mean rank", "95 %", "group", "best on", "score", "95 % of score"});
  table.columns[0].direction = Direction::lower;
  table.columns[4].direction = Direction::higher;
  for (std::size_t a = 0; a < ranking.arms.size(); ++a) {
    const RankedArm& arm = ranking.arms[a];
    TableRow row{.name = plain_text(arm.method),
                 .lift = plain_text(arm.lift),
                 .n_ok = ranking.seeds,
                 .n_cells = ranking.seeds,
                 .cells = {}};
    TableCell rank = number_cell(Rounded{.value = arm.mean_rank, .digits = 2});
    rank.best = ranking.separated() && static_cast<int>(a) <= ranking.groups.front().second;
    rank.detail = by_task(ranking, arm.task_ranks, 2);
    TableCell score = number_cell(Rounded{.value = arm.score, .digits = 3});
    score.detail = by_task(ranking, arm.task_scores, 3);
    row.cells = {
        std::move(rank),        number_cell(Range{arm.interval, 2}),
        word_cell(arm.letters), number_cell(Rounded{.value = static_cast<double>(arm.times_best), .digits = 0}),
        std::move(score),       number_cell(Range{arm.score_interval, 3})};
    table.rows.push_back(std::move(row));
  }
  add_ranking_notes(table, ranking);
  return table;
}

std::optional<Table> lift_table(const std::vector<LiftEffect>& effects) {
  const std::vector<std::string> lifts = ordered_lifts(effects);
  Table table;
  table.name = "lift-effect";
  table.title = "When does a lift help?";
  table.description = "Change of the first metric on projected samples against the same method without a lift.";
  table.rows_are_arms = false;
  table.columns = named_columns({"codimension", "reach"});
  for (const std::string& lift : lifts) table.columns.push_back({.name = plain_text(lift), .variant = ""});
  std::set<std::string> metrics;
  for (const LiftEffect& effect : effects) {
    metrics.insert(effect.metric);
    const std::string name = plain_text(fmt::format("{}, {}", effect.task, effect.method));
    if (table.rows.empty() || table.rows.back().name != name) {
      TableRow& line = table.rows.emplace_back();
      line.name = name;
      line.cells.resize(table.columns.size());
      if (std::isfinite(effect.codimension)) line.cells[0].content = Rounded{.value = effect.codimension, .digits = 0};
      if (!std::isnan(effect.reach)) line.cells[1].content = Measured{.value = effect.reach};
    }
    TableRow& line = table.rows.back();
    const auto column = std::find(lifts.begin(), lifts.end(), effect.lift) - lifts.begin();
    line.cells[2 + static_cast<std::size_t>(column)] = lift_cell(effect);
    line.n_ok = line.n_cells = std::max(line.n_cells, effect.n);
  }
  if (table.rows.size() < 2) return std::nullopt;
  table.footnotes.emplace_back(plain_text(fmt::format(
      "{} by task; change of the geometric mean of the seeds' ratios, each seed paired with itself; bold: "
      "better, !: worse, with the whole 95 % t interval on that side; not corrected for the number of cells",
      fmt::join(metrics, ", "))));
  return table;
}

std::optional<Table> published_table(const std::vector<PublishedComparison>& comparisons) {
  if (comparisons.empty()) return std::nullopt;
  Table table;
  table.name = "published";
  table.title = "Published and ours";
  table.description =
      "The same method under a protocol of our own (network, budget, split); numbers in the measure of the paper.";
  table.row_header = "Task";
  table.lift_header = "Metric";
  table.rows_are_arms = false;
  table.equal_seeds = false;
  table.columns = named_columns({"method", "published", "ours †", "difference", "tolerance", "within"});
  table.footnotes.emplace_back(
      "ours: mean ± standard deviation over seeds; tolerance: two standard deviations of the difference of one run of "
      "theirs and one of ours, with the spread of the null where their distribution is another draw");
  std::set<std::string> told;
  for (const PublishedComparison& one : comparisons) {
    const auto significant = [](double value, int digits) {
      return Rounded{.value = value, .digits = digits, .style = Rounded::Style::significant};
    };
    // The digits of the paper, not those of a rule for ours.
    Rounded published = significant(one.published, 4);
    if (one.published_spread > 0) published.spread = one.published_spread;
    Rounded difference = significant(one.difference, 2);
    difference.sign = true;
    TableRow row{
        .name = plain_text(one.task), .lift = plain_text(one.metric), .n_ok = one.n, .n_cells = one.n, .cells = {}};
    row.cells = {word_cell(plain_text(
                     fmt::format("{} ({}{})", one.published_method, one.source, one.verified ? "" : ", unverified"))),
                 number_cell(published),
                 number_cell(Measured{one.ours, one.sd}),
                 number_cell(difference),
                 number_cell(significant(one.tolerance, 2)),
                 word_cell(!one.within   ? "not comparable"
                           : *one.within ? "yes"
                                         : "no")};
    row.cells[2].detail = arm_label(one.method, one.lift);
    table.rows.push_back(std::move(row));
    const std::string shift =
        one.shift == 0 ? "" : fmt::format("ours is {:.4f} lower here than in the task's table", one.shift);
    const std::string note = one.note + (one.note.empty() || shift.empty() ? "" : "; ") + shift;
    if (note.empty()) continue;
    const std::string line = plain_text(fmt::format("† {}: {}", one.task, note));
    if (told.insert(line).second) table.footnotes.emplace_back(line);
  }
  return table;
}

ReportTables make_tables(const Analysis& analysis) {
  ReportTables tables;
  tables.matrix = matrix_table(analysis);
  tables.overview = overview_table(analysis);
  tables.ranking = ranking_table(analysis.ranking);
  tables.lifts = lift_table(analysis.lifts);
  tables.published = published_table(analysis.published);
  for (const TaskAnalysis& task : analysis.tasks) {
    TaskTables& own = tables.tasks.emplace_back();
    own.main = task_table(task, asked_columns(task.summary));
    own.axis = axis_table(task);
    for (const DiagnosticSummary& one : task.diagnostics) own.diagnostics.push_back(diagnostic_table(task, one));
  }
  return tables;
}

}  // namespace onmanifold
