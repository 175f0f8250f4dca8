// SPDX-License-Identifier: Apache-2.0
#include "reports/lift_effect.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "reports/axis_table.hpp"
#include "reports/gnuplot.hpp"

namespace onmanifold {
namespace {

/// Per-seed ratios of two arms, seeds that have both.
Vector log_ratios(const Summary& lifted, const Summary& unlifted) {
  std::vector<double> ratios;
  for (const auto& [seed, value] : lifted.values) {
    const auto same = std::find_if(unlifted.values.begin(), unlifted.values.end(),
                                   [s = seed](const auto& entry) { return entry.first == s; });
    if (same == unlifted.values.end()) continue;
    const double ratio = value / same->second;
    if (!(value > 0 && same->second > 0) || !std::isfinite(std::log(ratio))) return {};
    ratios.push_back(std::log(ratio));
  }
  return Eigen::Map<const Vector>(ratios.data(), static_cast<Index>(ratios.size()));
}

std::string percent(double share) {
  const double value = 100 * share;
  return fmt::format("{}{:.{}f} %", value > 0 ? "+" : "", value, std::abs(value) < 10 ? 1 : 0);
}

}  // namespace

std::vector<LiftEffect> lift_effects(const ResultSet& results, const std::vector<TaskSummary>& summaries) {
  std::vector<LiftEffect> effects;
  for (std::size_t t = 0; t < results.tasks.size(); ++t) {
    const TaskResult& task = results.tasks[t];
    const TaskSummary& summary = summaries[t];
    const int primary = primary_column(summary);
    if (primary < 0) continue;
    const auto c = static_cast<std::size_t>(primary);
    const MetricColumn& metric = summary.columns[c];
    const bool lower = metric.direction == Direction::lower;
    if (metric.mixed_protocol || (!lower && metric.direction != Direction::higher)) continue;
    for (std::size_t a = 0; a < summary.arms.size(); ++a) {
      const Arm& arm = summary.arms[a];
      if (arm.role != ArmRole::learner || (arm.lift_type != "normal" && arm.lift_type != "isotropic")) continue;
      const auto plain = std::find_if(summary.arms.begin(), summary.arms.end(), [&](const Arm& other) {
        return other.method == arm.method && other.lift_type == "none";
      });
      if (plain == summary.arms.end()) continue;
      const Vector logs =
          log_ratios(summary.table[a][c], summary.table[static_cast<std::size_t>(plain - summary.arms.begin())][c]);
      if (logs.size() == 0) continue;
      LiftEffect effect;
      effect.task = task.name;
      effect.method = arm.method;
      effect.lift = arm.lift;
      effect.metric = metric.name;
      effect.isotropic = arm.lift_type == "isotropic";
      effect.sigma = arm.lift_sigma;
      if (task.file) {
        effect.reach = find_number(task.file->details, "reach");
        effect.codimension =
            find_number(task.file->details, "ambient_dimension") - find_number(task.file->details, "dimension");
      }
      effect.n = static_cast<int>(logs.size());
      effect.change = std::expm1(mean(logs));
      effect.interval = {MetricRecord::unknown, MetricRecord::unknown};
      if (logs.size() > 1) {
        effect.spread = standard_deviation(logs.array().exp().matrix());
        const Interval interval = t_interval(logs);
        effect.interval = {std::expm1(interval.low), std::expm1(interval.high)};
        effect.helps = lower ? effect.interval.high < 0 : effect.interval.low > 0;
        effect.harms = lower ? effect.interval.low > 0 : effect.interval.high < 0;
      }
      effects.push_back(std::move(effect));
    }
  }
  std::stable_sort(effects.begin(), effects.end(), [](const LiftEffect& a, const LiftEffect& b) {
    return std::tie(a.task, a.method) < std::tie(b.task, b.method);
  });
  return effects;
}

std::optional<Table> make_lift_table(const std::vector<LiftEffect>& effects) {
  // Columns by kind, then by level: one label is one level of its task, so levels are compared by their mean logarithm.
  std::map<std::string, std::pair<double, int>> level_of;
  std::map<std::string, bool> isotropic;
  std::vector<std::pair<std::string, std::string>> rows;
  std::set<std::string> metrics;
  for (const LiftEffect& effect : effects) {
    auto& [sum, count] = level_of[effect.lift];
    if (effect.sigma > 0) {
      sum += std::log(effect.sigma);
      ++count;
    }
    isotropic[effect.lift] = effect.isotropic;
    metrics.insert(effect.metric);
    const std::pair<std::string, std::string> row{effect.task, effect.method};
    if (rows.empty() || rows.back() != row) rows.push_back(row);
  }
  if (rows.size() < 2) return std::nullopt;
  std::vector<std::string> lifts;
  for (const auto& entry : level_of) lifts.push_back(entry.first);
  const auto rank = [&](const std::string& lift) {
    const auto& [sum, count] = level_of.at(lift);
    return std::tuple(isotropic.at(lift), count > 0 ? sum / count : 0.0, lift);
  };
  std::sort(lifts.begin(), lifts.end(), [&](const std::string& a, const std::string& b) { return rank(a) < rank(b); });

  Table table;
  table.title = "When does a lift help?";
  table.description = "Change of the first metric on projected samples against the same method without a lift.";
  for (const std::string& name : {std::string("codimension"), std::string("reach")}) {
    TableColumn column;
    column.metric = name;
    table.columns.push_back(column);
  }
  for (const std::string& lift : lifts) {
    TableColumn column;
    column.metric = plain_text(lift);
    table.columns.push_back(column);
  }
  for (const auto& [task, method] : rows) {
    TableRow line;
    line.method = plain_text(fmt::format("{}, {}", task, method));
    line.cells.resize(2 + lifts.size());
    for (TableCell& cell : line.cells) cell.text.value = "";
    int n = 0;
    for (const LiftEffect& effect : effects) {
      if (effect.task != task || effect.method != method) continue;
      if (std::isfinite(effect.codimension)) line.cells[0].text.value = fmt::format("{:.0f}", effect.codimension);
      if (!std::isnan(effect.reach)) line.cells[1].text = format_measured(effect.reach, MetricRecord::unknown);
      const auto column = std::find(lifts.begin(), lifts.end(), effect.lift) - lifts.begin();
      TableCell& cell = line.cells[2 + static_cast<std::size_t>(column)];
      cell.text.value = percent(effect.change) + (effect.harms ? " !" : "");
      cell.best = effect.helps;
      cell.detail = fmt::format("σ {:.3g}, σ/reach {:.3g}", effect.sigma, effect.sigma / effect.reach);
      if (effect.n > 1) {
        cell.detail += fmt::format(", 95 % [{}, {}], sd over seeds {}", percent(effect.interval.low),
                                   percent(effect.interval.high), percent(effect.spread).substr(1));
      }
      n = std::max(n, effect.n);
    }
    line.seeds = fmt::format("{}", n);
    table.rows.push_back(std::move(line));
  }
  std::string names;
  for (const std::string& metric : metrics) names += (names.empty() ? "" : ", ") + metric;
  table.footnotes.push_back(plain_text(fmt::format(
      "{} by task; change of the geometric mean of the seeds' ratios, each seed paired with itself; bold: "
      "better, !: worse, with the whole 95 % t interval on that side; not corrected for the number of cells",
      names)));
  return table;
}

Figure lift_phase_figure(const std::vector<LiftEffect>& effects) {
  Figure figure;
  figure.name = "lifts";
  figure.title = "Level and codimension";
  figure.detail = "normal lifts; filled: decided, hollow: not";
  figure.height = 380;
  struct Mark {
    double x;
    double y;
    const LiftEffect* effect;
  };
  std::vector<Mark> marks;
  double least = std::numeric_limits<double>::infinity();
  double largest = 0;
  for (const LiftEffect& effect : effects) {
    if (effect.isotropic || !(effect.sigma > 0) || !(effect.codimension > 0) || !(effect.reach > 0)) continue;
    marks.push_back({effect.sigma / effect.reach, effect.codimension, &effect});
    if (std::isinf(effect.reach)) continue;
    least = std::min(least, marks.back().x);
    largest = std::max(largest, marks.back().x);
  }
  if (marks.size() < 2 || !(largest > 0)) return figure;
  const double edge = least / 3;  // where flat manifolds stand
  std::string data;
  std::map<std::pair<double, double>, int> taken;
  for (Mark& mark : marks) {
    if (!(mark.x > 0)) mark.x = edge;
    // Marks of one place stand beside each other.
    const int before = taken[{mark.x, mark.y}]++;
    const double colour = std::clamp(mark.effect->change, -0.5, 0.5);
    data += fmt::format("{} {} {} {}\n", mark.x * std::pow(1.07, before), mark.y * std::pow(1.12, before), colour,
                        mark.effect->helps || mark.effect->harms ? 1 : 0);
  }
  figure.commands = fmt::format(
      "$d << EOD\n{}EOD\nset border 3 lc rgb '#8a929c'\nset tics nomirror scale 0.4 textcolor rgb 'black'\n"
      "unset key\nset logscale xy\nset xrange [{}:{}]\nset yrange [0.7:*]\n"
      "set xlabel 'lift level over reach (left edge: flat)'\nset ylabel 'codimension'\n"
      "set palette defined (-0.5 '#2166ac', 0 '#d8d8d8', 0.5 '#b2182b')\nset cbrange [-0.5:0.5]\n"
      "set cblabel 'change against no lift'\nset format cb '%+.1f'\n"
      "plot $d using ($4==1?$1:NaN):2:3 with points pt 7 ps 1.3 lc palette, "
      "$d using ($4==0?$1:NaN):2:3 with points pt 6 ps 1.1 lw 1.4 lc palette\n",
      data, edge / 1.5, 1.6 * largest);
  return figure;
}

}  // namespace onmanifold
