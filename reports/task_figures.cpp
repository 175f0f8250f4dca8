// SPDX-License-Identifier: Apache-2.0
#include "reports/task_figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analysis/tuning_record.hpp"
#include "core/error.hpp"
#include "reports/gnuplot.hpp"
#include "reports/table.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

constexpr std::size_t values_per_curve = 200;
constexpr int curves_per_arm = 30;
// Frame, ticks and grid that all figures share.
constexpr std::string_view plain_axes =
    "set border 3 lc rgb '#8a929c'\nset tics nomirror scale 0.4 textcolor rgb 'black'\n"
    "set grid lc rgb '#8a929c' lw 0.3 dt 3\n";

// Okabe and Ito's colours for all kinds of colour vision, as they are or a little darker or lighter so that
// they show on white and on near-black.
constexpr std::array<std::string_view, 7> palette = {"#2f8fd0", "#e08a00", "#12a07a", "#d0569a",
                                                     "#d9622b", "#8a7fd6", "#7a8a99"};
// The same for many methods at once, grey apart.
constexpr std::array<std::string_view, 10> many_colours = {"#2f8fd0", "#e08a00", "#12a07a", "#d0569a", "#d9622b",
                                                           "#8a7fd6", "#a88b1c", "#3fb4c4", "#b0413e", "#5d8a3a"};

// Values to label on a logarithmic axis, of which gnuplot labels the powers of ten only: these where they are far
// apart, 1, 2 and 5 times them, all digits or tenths of them in a range that holds less than two of the coarser ones.
std::vector<double> logarithmic_tick_values(double low, double high) {
  constexpr std::size_t most = 10;
  const auto at = [&](const std::vector<double>& digits) {
    std::vector<double> ticks;
    for (int exponent = static_cast<int>(std::floor(std::log10(low))); exponent <= std::log10(high); ++exponent) {
      for (const double digit : digits) {
        const double tick = digit * std::pow(10.0, exponent);
        if (tick >= low && tick <= high) ticks.push_back(tick);
      }
    }
    return ticks;
  };
  std::vector<double> tenths;
  for (int i = 10; i < 100; ++i) tenths.push_back(i / 10.0);
  std::vector<double> ticks;
  // Over many decades the labels of 2 and 5 would run into each other.
  if (high > 100.0 * low) ticks = at({1});
  for (const std::vector<double>& digits : {std::vector<double>{1, 2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9}, tenths}) {
    if (ticks.size() < 2) ticks = at(digits);
  }
  const std::size_t step = (ticks.size() + most - 1) / most;
  for (std::size_t i = 0; i * step < ticks.size(); ++i) ticks[i] = ticks[i * step];
  if (step > 1) ticks.resize((ticks.size() + step - 1) / step);
  return ticks;
}

// The same as gnuplot takes them.
std::string logarithmic_ticks(double low, double high) {
  std::string text;
  for (const double tick : logarithmic_tick_values(low, high))
    text += fmt::format("{}'{:.3g}' {}", text.empty() ? "" : ", ", tick, tick);
  return text;
}

// At most values_per_curve means over equal stretches: a page is no place for every step.
Curve short_curve(std::string panel, std::string label, const Vector& x, const Vector& y) {
  Curve curve;
  curve.panel = std::move(panel);
  curve.label = std::move(label);
  const auto n = static_cast<std::size_t>(y.size());
  const std::size_t stretch = (n + values_per_curve - 1) / values_per_curve;
  for (std::size_t i = 0; i < n; i += stretch) {
    const auto count = static_cast<Index>(std::min(stretch, n - i));
    const auto first = static_cast<Index>(i);
    curve.y.push_back(y.segment(first, count).mean());
    curve.x.push_back(x.size() == y.size()
                          ? x.segment(first, count).mean()
                          : (static_cast<double>(first) + 0.5 * static_cast<double>(count)) / static_cast<double>(n));
  }
  return curve;
}

// A logarithmic axis y for values in [low, high], or nothing where it would not help.
std::string logarithmic_range(double low, double high) {
  if (!(low > 0.0) || !(high > 1.2 * low)) return "";
  return fmt::format("set logscale y\nset yrange [{0}:{1}]\nset ytics ({2})\n", low / 1.1, high * 1.1,
                     logarithmic_ticks(low / 1.1, high * 1.1));
}

std::string lift_of(const Arm& arm) {
  return arm.lifted() ? arm.lift : "no lift";
}

double mean_timing(const Arm& arm) {
  double sum = 0.0;
  int n = 0;
  for (const CellResult* cell : arm.cells) {
    const auto& timing = cell->head.timing;
    const auto fit = timing.find("fit_s");
    const auto sample = timing.find("sample_s");
    if (!cell->head.status.ok() || fit == timing.end() || sample == timing.end()) continue;
    sum += fit->second + sample->second;
    ++n;
  }
  return n == 0 ? MetricRecord::unknown : sum / n;
}

std::string axis_text(const MetricColumn& column) {
  return fmt::format("{} ({}) {}", column.name, name_of(column.samples),
                     direction_arrow(column.direction, column.target));
}

/// A mean and half the width of its interval; NaN for no interval.
struct Cost {
  double value = MetricRecord::unknown;
  double half = MetricRecord::unknown;
};

// Rounding lies decades below all that is measured: the least value that is shown at its place, where a gap of four
// decades or more lies below it.
double first_shown(std::vector<double> values) {
  constexpr double gap = 1e4;
  std::sort(values.begin(), values.end());
  double first = values.front();
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] > gap * values[i - 1]) first = values[i];
  }
  return first;
}

// no lift: disc, isotropic: square, any other lift: triangle; the oracle: open diamond; other controls: cross.
int mark_of(const Arm& arm) {
  switch (arm.role) {
    case MethodRole::oracle:
      return 12;
    case MethodRole::analytic:
      return 10;
    case MethodRole::control:
      return 2;
    case MethodRole::learner:
      break;
  }
  return !arm.lifted() ? 7 : arm.lift_type == LiftType::isotropic ? 5 : 9;
}

// Two costs of all arms: colours are methods, marks are lifts, a line joins the learners that nothing beats.
std::string pareto_commands(const TaskSummary& summary, std::vector<Cost> x, const std::vector<Cost>& y,
                            const std::string& x_label, const std::string& y_label, bool y_higher) {
  std::vector<ParetoPoint> points;
  std::vector<double> positive;
  double largest = 0.0;
  double lowest_y = std::numeric_limits<double>::infinity();
  double highest_y = -lowest_y;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    if (!std::isfinite(x[a].value) || !std::isfinite(y[a].value)) continue;
    if (x[a].value > 0.0) positive.push_back(x[a].value);
    largest = std::max(largest, x[a].value);
    lowest_y = std::min(lowest_y, y[a].value);
    highest_y = std::max(highest_y, y[a].value);
  }
  if (positive.empty()) return "";
  const double least = first_shown(positive);
  // Behind a break of the axis stand zero and what lies decades below the rest.
  const double edge = least / 4.0;
  double most_behind = 0.0;
  bool broken = false;
  for (Cost& cost : x) {
    if (!(cost.value < least)) continue;
    most_behind = std::max(most_behind, cost.value);
    cost = {.value = edge};
    broken = true;
  }
  int learners = 0;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const bool learner = summary.arms[a].learns();
    points.push_back({short_label(summary.arms[a]), x[a].value, y[a].value, learner});
    if (learner && std::isfinite(x[a].value) && std::isfinite(y[a].value)) ++learners;
  }
  if (learners < 2) return "";
  std::string data;
  std::string plots;
  std::map<std::string, std::size_t> colour_of;
  std::set<std::string> named;
  for (std::size_t a = 0; a < points.size(); ++a) {
    if (!std::isfinite(points[a].x) || !std::isfinite(points[a].y)) continue;
    const Arm& arm = summary.arms[a];
    const std::string_view colour =
        points[a].learner
            ? many_colours[colour_of.try_emplace(arm.method, colour_of.size()).first->second % many_colours.size()]
            : palette.back();
    const double dx = std::isfinite(x[a].half) ? x[a].half : 0.0;
    const double dy = std::isfinite(y[a].half) ? y[a].half : 0.0;
    // A logarithmic axis ends at its edge, not at zero.
    data += fmt::format("$p{} << EOD\n{} {} {} {} {} {}\nEOD\n", a, points[a].x, points[a].y,
                        std::max(points[a].x - dx, edge), points[a].x + dx, std::max(points[a].y - dy, 0.5 * lowest_y),
                        points[a].y + dy);
    plots +=
        fmt::format(", $p{} using 1:2:3:4:5:6 with xyerrorbars pt {} ps 1.1 lw 1.2 lc rgb '{}' {}", a, mark_of(arm),
                    colour, named.insert(arm.method).second ? "title " + gnuplot_string(arm.method) : "notitle");
  }
  // The ends of the front by name: the arms that are best on one axis.
  const std::vector<std::size_t> front = pareto_front(points, y_higher);
  std::string names;
  int number = 0;
  data += "$front << EOD\n";
  for (const std::size_t i : front) {
    data += fmt::format("{} {}\n", points[i].x, points[i].y);
    if (i != front.front() && i != front.back()) continue;
    const bool right = points[i].x > std::sqrt(least * largest);
    names +=
        fmt::format("set label {} {} at {},{} {} offset {},{} font ',9'\n", ++number, gnuplot_string(points[i].label),
                    points[i].x, points[i].y, right ? "right" : "left", right ? -0.6 : 0.6, y_higher ? 0.9 : -0.9);
  }
  data += "EOD\n";
  data += names;
  const bool log_y = lowest_y > 0.0 && highest_y > 8.0 * lowest_y;
  // What stands behind the break is told by its bound.
  const std::string behind =
      broken ? fmt::format(
                   "set xtics add ('≤{:.0e}' {})\nset arrow 99 from {},graph 0 to {},graph 1 nohead dt 3 lw 1.2 lc "
                   "rgb '#8a929c'\n",
                   most_behind, edge, least / 2.0, least / 2.0)
             : "";
  return fmt::format(
      "{}{}set logscale x\nset xrange [{}:{}]\n{}set format x '%.0e'\n{}{}set xlabel {}\nset ylabel {}\nset "
      "key outside right top samplen 1\n"
      "plot $front using 1:2 with lines lw 1 dt 2 lc rgb 'black' title 'not beaten'{}\n",
      data, plain_axes, least / 6.0, largest * 2.0,
      largest < 2000.0 * least ? fmt::format("set xtics ({})\n", logarithmic_ticks(least / 1.01, largest * 2.0))
                               // Five labels at most.
                               : fmt::format("set xtics {:g},{:g}\n", std::pow(10.0, std::ceil(std::log10(least))),
                                             std::pow(10.0, std::ceil(std::log10(largest / least) / 5.0))),
      behind,
      log_y ? fmt::format("set logscale y\nset yrange [{0}:{1}]\nset ytics ({2})\n", lowest_y / 1.3, highest_y * 1.3,
                          logarithmic_ticks(lowest_y / 1.3, highest_y * 1.3))
            : "",
      gnuplot_string(x_label), gnuplot_string(y_label), plots);
}

}  // namespace

std::vector<CurveSet> load_curves(const std::string& directory, const TaskAnalysis& task,
                                  std::vector<std::string>& problems) {
  CurveSet loss;
  loss.name = "loss";
  loss.title = "Training loss";
  loss.detail =
      "One line a seed, at most 30 of an arm. Arms with different lifts learn different targets: their "
      "losses "
      "need not be comparable.";
  loss.y_label = "loss";
  loss.log_y = true;
  CurveSet determinant;
  determinant.name = "log-det";
  determinant.title = "Mean log-determinant of a flow over training";
  determinant.detail = "A flow that squeezes space onto a manifold has a determinant that grows as long as it trains.";
  determinant.y_label = "mean log |det|";
  loss.x_label = determinant.x_label = "training step";
  CurveSet score;
  score.name = "score-norm";
  score.title = "Score norm over the noise level";
  score.detail = "Mean square of the learned score at each noise level, one line a seed.";
  score.x_label = "noise level";
  score.y_label = "mean square of the score";
  score.log_x = score.log_y = true;
  for (const Arm& arm : task.summary.arms) {
    int seen = 0;
    for (const CellResult* one : arm.cells) {
      const CellResult& cell = *one;
      if (!cell.head.status.ok() || cell.submission) continue;
      if (++seen > curves_per_arm) break;
      try {
        const Curves training = read_training_curves(cell.key.raw_path(directory));
        const auto step = training.find("step");
        const auto add = [&](CurveSet& set, const Vector& y) {
          if (y.size() < 2) return;
          const bool has_steps = step != training.end() && step->second.size() == y.size();
          if (!has_steps) set.x_label = "share of the training";
          set.curves.push_back(short_curve(arm.method, lift_of(arm), has_steps ? step->second : Vector(), y));
        };
        const auto found = std::find_if(training.begin(), training.end(), [](const auto& series) {
          return series.first.find("loss") != std::string::npos && series.second.size() >= 2;
        });
        if (found != training.end()) add(loss, found->second);
        if (const auto mean = training.find("mean_log_det"); mean != training.end()) add(determinant, mean->second);
      } catch (const std::runtime_error& error) {
        problems.push_back(fmt::format("{}: {}", cell.key.text(), error.what()));
      }
      for (const auto& [label, record] : cell.head.diagnostics) {
        const auto level = record.numbers.find("level");
        const auto square = record.numbers.find("total_square");
        if (level == record.numbers.end() || square == record.numbers.end()) continue;
        if (level->second.size() < 2 || level->second.size() != square->second.size()) continue;
        score.curves.push_back(short_curve(arm.method, lift_of(arm), level->second, square->second));
        break;
      }
    }
  }
  std::vector<CurveSet> sets;
  for (CurveSet* set : {&loss, &determinant, &score}) {
    if (!set->curves.empty()) sets.push_back(std::move(*set));
  }
  return sets;
}

Figure dot_plot(const TaskAnalysis& task, std::size_t index) {
  const TaskSummary& summary = task.summary;
  const MetricColumn& column = summary.columns[index];
  Figure figure;
  figure.name = task.result->name + "-seeds";
  figure.title = column.name + " of every seed";
  figure.detail = "Dots are seeds, crosses their mean; the band is where a perfect model falls (null ± 2 sd).";
  std::string ticks;
  std::string dots;
  std::string means;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  const auto arms = static_cast<int>(summary.arms.size());
  const auto cover = [&](double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (int a = 0; a < arms; ++a) {
    const Arm& arm = summary.arms[static_cast<std::size_t>(a)];
    const Summary& entry = summary.table[static_cast<std::size_t>(a)][index];
    const int y = arms - 1 - a;
    const bool lifted = arm.learns() || arm.lifted();
    const std::string label = lifted ? arm.method + " " + arm.lift : arm.method;
    ticks += fmt::format("{}{} {}", a == 0 ? "" : ", ", gnuplot_string(label), y);
    for (const auto& [seed, value] : entry.values) {
      if (!std::isfinite(value)) continue;
      dots += fmt::format("{} {} {}\n", value, y, arm.learns() ? 0 : 1);
      cover(value);
    }
    if (std::isfinite(entry.mean)) means += fmt::format("{} {}\n", entry.mean, y);
  }
  if (dots.empty()) return figure;
  const bool has_band = std::isfinite(column.null) && std::isfinite(column.null_sd);
  const double band_low = column.null - 2.0 * column.null_sd;
  const double band_high = column.null + 2.0 * column.null_sd;
  if (has_band) {
    cover(band_low);
    cover(band_high);
  }
  const bool logarithmic = low > 0.0 && high > 8.0 * low;
  const double margin = logarithmic ? 0.0 : 0.06 * std::max(high - low, 1e-12);
  const double left = logarithmic ? low / 1.15 : low - margin;
  const double right = logarithmic ? high * 1.15 : high + margin;
  std::string commands = fmt::format(
      "$dots << EOD\n{}EOD\n$means << EOD\n{}EOD\n"
      "set border 1 lc rgb '#8a929c'\nset tics scale 0.4 textcolor rgb 'black'\nunset key\n{}"
      "set xrange [{}:{}]\nset yrange [-0.6:{}]\nset ytics ({}) nomirror scale 0\n"
      "set grid ytics lc rgb '#8a929c' lw 0.3 dt 3\nset xlabel {}\n",
      dots, means,
      logarithmic ? fmt::format("set logscale x\nset xtics ({}) nomirror\n", logarithmic_ticks(left, right))
                  : std::string("set xtics nomirror\n"),
      left, right, arms - 0.4, ticks,
      gnuplot_string(fmt::format("{} ({}) {}", column.name, name_of(column.samples),
                                 direction_arrow(column.direction, column.target))));
  if (has_band) {
    commands += fmt::format(
        "set object 1 rectangle from {},-0.6 to {},{} fs transparent solid 0.22 noborder fc rgb '#12a07a' "
        "behind\n",
        band_low, band_high, arms - 0.4);
  }
  commands += fmt::format(
      "plot $means using 1:2 with points pt 2 ps 1.1 lw 1.6 lc rgb 'black', "
      "$dots using 1:($3==0?$2:NaN) with points pt 7 ps 0.55 lc rgb '{}', "
      "$dots using 1:($3==1?$2:NaN) with points pt 7 ps 0.55 lc rgb '{}'\n",
      palette[0], palette[6]);
  figure.commands = commands;
  figure.height = 80 + 26 * arms;
  return figure;
}

std::vector<std::size_t> pareto_front(const std::vector<ParetoPoint>& points, bool y_higher) {
  const auto cost = [&](std::size_t i) { return y_higher ? -points[i].y : points[i].y; };
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].learner && std::isfinite(points[i].x) && std::isfinite(points[i].y)) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::make_pair(points[a].x, cost(a)) < std::make_pair(points[b].x, cost(b));
  });
  std::vector<std::size_t> front;
  for (const std::size_t i : order) {
    if (front.empty() || cost(i) < cost(front.back())) front.push_back(i);
  }
  return front;
}

Figure constraint_pareto(const TaskAnalysis& task) {
  const TaskSummary& summary = task.summary;
  Figure figure;
  figure.name = task.result->name + "-pareto-constraint";
  figure.title = "Quality against constraint error";
  figure.detail =
      "Means over seeds with 95 % intervals. Disc: no lift, square: isotropic, triangle: normal, open diamond: oracle, cross: "
      "control. The line joins the learners that no other beats on both; left of the dotted line is rounding.";
  figure.height = 340;
  const int quality = summary.primary;
  const auto constraint = std::find_if(summary.columns.begin(), summary.columns.end(), [](const MetricColumn& one) {
    return one.samples == SampleKind::raw && one.constraint;
  });
  const int error = constraint == summary.columns.end() ? -1 : static_cast<int>(constraint - summary.columns.begin());
  if (quality < 0 || error < 0) return figure;
  const MetricColumn& column = summary.columns[static_cast<std::size_t>(quality)];
  if (!column.direction || column.direction == Direction::target) return figure;
  std::vector<Cost> x;
  std::vector<Cost> y;
  const auto cost_of = [](const Summary& entry) { return Cost{entry.mean, entry.interval}; };
  for (const std::vector<Summary>& arm : summary.table) {
    x.push_back(cost_of(arm[static_cast<std::size_t>(error)]));
    y.push_back(cost_of(arm[static_cast<std::size_t>(quality)]));
  }
  figure.commands = pareto_commands(summary, x, y, axis_text(summary.columns[static_cast<std::size_t>(error)]),
                                    axis_text(column), column.direction == Direction::higher);
  return figure;
}

Figure time_pareto(const TaskAnalysis& task) {
  const TaskSummary& summary = task.summary;
  Figure figure;
  figure.name = task.result->name + "-pareto-time";
  figure.title = "Quality against time";
  figure.detail =
      "Seconds of training and sampling of one cell on one core, mean over seeds, as measured in this run; timings are "
      "machine-dependent.";
  figure.height = 340;
  const int quality = summary.primary;
  if (quality < 0) return figure;
  const MetricColumn& column = summary.columns[static_cast<std::size_t>(quality)];
  if (!column.direction || column.direction == Direction::target) return figure;
  std::vector<Cost> x;
  std::vector<Cost> y;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Summary& entry = summary.table[a][static_cast<std::size_t>(quality)];
    // Controls and the oracle train nothing.
    x.push_back({.value = summary.arms[a].learns() ? mean_timing(summary.arms[a]) : MetricRecord::unknown});
    y.push_back({entry.mean, entry.interval});
  }
  figure.commands = pareto_commands(summary, x, y, "seconds of training and sampling", axis_text(column),
                                    column.direction == Direction::higher);
  return figure;
}

Figure sigma_sweep(const TaskAnalysis& task) {
  const TaskSummary& summary = task.summary;
  Figure figure;
  figure.name = task.result->name + "-sigma";
  figure.title = "Quality over the level of the lift";
  figure.detail =
      "Normal lifts, mean and 95 % t interval over seeds; broken lines are the same methods without a lift. "
      "The "
      "upright line is the level chosen before the run.";
  figure.height = 320;
  const int quality = summary.primary;
  if (quality < 0) return figure;
  const auto c = static_cast<std::size_t>(quality);
  struct Level {
    double sigma;
    double mean;
    double half;
  };
  std::map<std::string, std::vector<Level>> levels;
  std::map<std::string, double> without;
  double least = std::numeric_limits<double>::infinity();
  double largest = 0.0;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Arm& arm = summary.arms[a];
    const Summary& entry = summary.table[a][c];
    if (!arm.learns() || !std::isfinite(entry.mean)) continue;
    if (!arm.lifted()) {
      without[arm.method] = entry.mean;
    } else if (arm.lift_type == LiftType::normal && arm.lift_sigma > 0.0) {
      levels[arm.method].push_back({arm.lift_sigma, entry.mean, std::isfinite(entry.interval) ? entry.interval : 0.0});
    }
  }
  std::erase_if(levels, [](const auto& entry) { return entry.second.size() < 3; });
  if (levels.empty()) return figure;
  std::string data;
  std::string plots;
  std::size_t number = 0;
  for (auto& [method, list] : levels) {
    std::sort(list.begin(), list.end(), [](const Level& a, const Level& b) { return a.sigma < b.sigma; });
    data += fmt::format("$s{} << EOD\n", number);
    for (const Level& level : list) {
      data += fmt::format("{} {} {} {}\n", level.sigma, level.mean, level.mean - level.half, level.mean + level.half);
      least = std::min(least, level.sigma);
      largest = std::max(largest, level.sigma);
      low = std::min(low, level.mean - level.half);
      high = std::max(high, level.mean + level.half);
    }
    data += "EOD\n";
    const std::string_view colour = palette[number % (palette.size() - 1)];
    plots += fmt::format("{0}$s{1} using 1:2:3:4 with yerrorlines pt 7 ps 0.7 lw 1.5 lc rgb '{2}' title {3}",
                         number == 0 ? "" : ", ", number, colour, gnuplot_string(method));
    if (const auto base = without.find(method); base != without.end()) {
      plots += fmt::format(", {} with lines lw 1.2 dt 2 lc rgb '{}' notitle", base->second, colour);
      low = std::min(low, base->second);
      high = std::max(high, base->second);
    }
    ++number;
  }
  std::string choice;
  const double chosen =
      task.result->file ? find_number(task.result->file->details, "preregistered_sigma") : MetricRecord::unknown;
  if (chosen >= least / 1.5 && chosen <= largest * 1.5) {
    choice = fmt::format("set arrow 1 from {0}, graph 0 to {0}, graph 1 nohead lw 1 dt 3 lc rgb 'black'\n", chosen);
  }
  const MetricColumn& column = summary.columns[c];
  figure.commands = fmt::format(
      "{}{}{}set logscale x\nset xrange [{}:{}]\nset xtics ({})\n{}set xlabel 'level of the lift, data "
      "units'\nset ylabel {}\n"
      "set key outside right top samplen 2\nplot {}\n",
      data, plain_axes, choice, least / 1.5, largest * 1.5, logarithmic_ticks(least / 1.5, largest * 1.5),
      logarithmic_range(low, high), gnuplot_string(axis_text(column)), plots);
  return figure;
}

Figure tuning_figure(const TaskAnalysis& task) {
  Figure figure;
  figure.name = task.result->name + "-tuning";
  figure.title = "Sensitivity to the learning rate";
  figure.height = 340;
  const std::optional<TuningRecord> record =
      task.result->file ? tuning_record(task.result->file->details) : std::nullopt;
  if (!record || record->rates.empty()) return figure;
  figure.detail = fmt::format(
      "{}, on a master seed of their own; mean and standard error. Rings are the rates that were chosen; a point that is "
      "not there lost every replicate.",
      record->text());
  std::string data;
  std::string plots;
  std::string rings;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  std::size_t number = 0;
  for (const TuningCurve& curve : record->curves) {
    if (curve.task != task.result->name) continue;
    std::string lines;
    for (std::size_t i = 0; i < record->rates.size(); ++i) {
      if (!std::isfinite(curve.mean[i]) || !(record->rates[i] > 0)) continue;
      const double error = std::isfinite(curve.error[i]) ? curve.error[i] : 0;
      lines +=
          fmt::format("{} {} {} {}\n", record->rates[i], curve.mean[i], curve.mean[i] - error, curve.mean[i] + error);
      low = std::min(low, curve.mean[i] - error);
      high = std::max(high, curve.mean[i] + error);
      if (record->rates[i] == curve.rate) rings += fmt::format("{} {}\n", curve.rate, curve.mean[i]);
    }
    if (lines.empty()) continue;
    data += fmt::format("$t{} << EOD\n{}EOD\n", number, lines);
    plots += fmt::format("{0}$t{1} using 1:2:3:4 with yerrorlines pt 7 ps 0.5 lw 1.3 lc rgb '{2}' title {3}",
                         number == 0 ? "" : ", ", number, many_colours[number % many_colours.size()],
                         gnuplot_string(arm_label(curve.method, curve.lift)));
    ++number;
  }
  if (number == 0) return figure;
  if (!rings.empty()) {
    data += fmt::format("$chosen << EOD\n{}EOD\n", rings);
    plots += ", $chosen using 1:2 with points pt 6 ps 1.6 lw 1.6 lc rgb 'black' title 'chosen'";
  }
  const auto [least, largest] = std::minmax_element(record->rates.begin(), record->rates.end());
  figure.commands = fmt::format(
      "{}{}set logscale x\nset xrange [{}:{}]\nset xtics ({})\n{}set xlabel 'learning rate'\nset ylabel {}\n"
      "set key outside right top samplen 2\nplot {}\n",
      data, plain_axes, *least / 1.3, *largest * 1.3, logarithmic_ticks(*least / 1.3, *largest * 1.3),
      logarithmic_range(low, high), gnuplot_string(record->metric), plots);
  return figure;
}

Figure curves_figure(const TaskAnalysis& task, const CurveSet& set) {
  Figure figure;
  figure.name = task.result->name + "-" + set.name;
  figure.title = set.title;
  figure.detail = set.detail;
  std::vector<std::string> panels;
  for (const Curve& curve : set.curves) {
    if (std::find(panels.begin(), panels.end(), curve.panel) == panels.end()) panels.push_back(curve.panel);
  }
  std::string data;
  std::string body;
  int drawn = 0;
  for (const std::string& panel : panels) {
    std::map<std::string, std::size_t> colour_of;
    std::string plots;
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    double last = 0.0;
    for (std::size_t i = 0; i < set.curves.size(); ++i) {
      const Curve& curve = set.curves[i];
      if (curve.panel != panel) continue;
      std::string lines;
      for (std::size_t k = 0; k < curve.y.size(); ++k) {
        if (!std::isfinite(curve.y[k]) || (set.log_x && !(curve.x[k] > 0.0))) continue;
        lines += fmt::format("{:.6g} {:.6g}\n", curve.x[k], curve.y[k]);
        low = std::min(low, curve.y[k]);
        high = std::max(high, curve.y[k]);
        last = std::max(last, curve.x[k]);
      }
      if (lines.empty()) continue;
      const auto [colour, first] = colour_of.try_emplace(curve.label, colour_of.size());
      data += fmt::format("$c{} << EOD\n{}EOD\n", i, lines);
      plots += fmt::format("{}$c{} using 1:2 with lines lw 1.1 lc rgb '{}' {}", plots.empty() ? "plot " : ", ", i,
                           palette[colour->second % palette.size()],
                           first ? "title " + gnuplot_string(curve.label) : std::string("notitle"));
    }
    if (plots.empty()) continue;
    ++drawn;
    const std::string range = set.log_y ? logarithmic_range(low, high) : "";
    body += range.empty() ? "unset logscale y\nset yrange [*:*]\nset ytics autofreq\n" : range;
    // Four ticks at most: more would run into each other.
    if (!set.log_x && last > 0.0) {
      const double power = std::pow(10.0, std::floor(std::log10(last / 4.0)));
      const double steps = last / 4.0 / power;
      body += fmt::format("set xrange [0:{}]\nset xtics {}\n", last,
                          power * (steps <= 1.0   ? 1.0
                                   : steps <= 2.0 ? 2.0
                                   : steps <= 5.0 ? 5.0
                                                  : 10.0));
    }
    body += fmt::format("{}\nset title {}\n{}\n",
                        colour_of.size() > 1 ? "set key below horizontal samplen 1 font ',9'" : "unset key",
                        gnuplot_string(panel), plots);
  }
  if (drawn == 0) return figure;
  const int columns = drawn == 1 ? 1 : 2;
  const int rows = (drawn + columns - 1) / columns;
  figure.height = drawn == 1 ? 300 : 230 * rows + 20;
  figure.commands = fmt::format(
      "{}{}{}set xlabel {}\nset ylabel {} offset 1.5,0\n"
      "set format y '%g'\nset tics font ',9'\nset multiplot layout {},{}\n{}unset multiplot\n",
      data, plain_axes, set.log_x ? "set logscale x\nset format x '%g'\n" : "", gnuplot_string(set.x_label),
      gnuplot_string(set.y_label), rows, columns, body);
  return figure;
}

std::vector<Figure> task_figures(const TaskAnalysis& task, const std::vector<CurveSet>& curves) {
  std::vector<Figure> figures;
  const int column = task.summary.primary;
  if (column >= 0) figures.push_back(dot_plot(task, static_cast<std::size_t>(column)));
  figures.push_back(constraint_pareto(task));
  figures.push_back(time_pareto(task));
  figures.push_back(sigma_sweep(task));
  figures.push_back(tuning_figure(task));
  for (const CurveSet& set : curves) figures.push_back(curves_figure(task, set));
  std::erase_if(figures, [](const Figure& figure) { return figure.commands.empty(); });
  return figures;
}

Figure rank_figure(const Ranking& ranking) {
  Figure figure;
  figure.name = "ranks";
  figure.title = "Mean ranks";
  figure.detail =
      "Lines are 95 % intervals over seeds; a bar at the right joins methods that the critical difference does "
      "not separate.";
  const auto arms = static_cast<int>(ranking.arms.size());
  if (arms < 2) return figure;
  std::string data;
  std::string ticks;
  double most = 0.0;
  for (int a = 0; a < arms; ++a) {
    const RankedArm& arm = ranking.arms[static_cast<std::size_t>(a)];
    const bool known = std::isfinite(arm.interval.low) && std::isfinite(arm.interval.high);
    data += fmt::format("{} {} {} {}\n", arm.mean_rank, arms - 1 - a, known ? arm.interval.low : arm.mean_rank,
                        known ? arm.interval.high : arm.mean_rank);
    ticks += fmt::format("{}{} {}", a == 0 ? "" : ", ",
                         gnuplot_string(arm_label(arm.method, arm.lifted ? arm.lift : "")), arms - 1 - a);
    most = std::max({most, arm.mean_rank, known ? arm.interval.high : 0.0});
  }
  // Each group is a bar of its own, right of the ranks.
  const double step = 0.035 * most;
  std::string bars;
  int number = 0;
  for (const auto& [first, last] : ranking.groups) {
    if (last <= first) continue;
    ++number;
    const double x = most + step * (number + 1);
    bars += fmt::format("set arrow {} from {},{} to {},{} nohead lw 4 lc rgb '{}'\n", number, x, arms - 1 - first + 0.2,
                        x, arms - 1 - last - 0.2, palette[6]);
  }
  // The critical difference as a length, above the best.
  std::string scale;
  const bool has_cd = std::isfinite(ranking.cd) && ranking.cd < most;
  if (has_cd) {
    scale = fmt::format(
        "set arrow {0} from 1,{1} to {2},{1} heads size screen 0.006,90 lw 1.6 lc rgb 'black'\n"
        "set label 1 'critical difference' at {2},{1} offset 0.8,0\n",
        number + 1, arms - 0.1, 1.0 + ranking.cd);
  }
  figure.commands = fmt::format(
      "$ranks << EOD\n{}EOD\n{}{}set border 1 lc rgb '#8a929c'\nset tics scale 0.4 textcolor rgb "
      "'black'\nunset key\n"
      "set xrange [0.8:{}]\nset yrange [-0.6:{}]\nset ytics ({}) nomirror scale 0\nset xtics 1,{},{} "
      "nomirror\n"
      "set grid ytics lc rgb '#8a929c' lw 0.3 dt 3\nset xlabel 'mean rank (1 is best)'\n"
      "plot $ranks using 1:2:3:4 with xerrorbars pt 7 ps 0.7 lw 1.4 lc rgb '{}'\n",
      data, bars, scale, most + step * (number + 2), arms - (has_cd ? -0.4 : 0.4), ticks, 1 + arms / 12, arms,
      palette[0]);
  figure.height = 90 + 24 * arms;
  return figure;
}

Figure lift_figure(const std::vector<LiftEffect>& effects) {
  Figure figure;
  figure.name = "lifts";
  figure.title = "Change against no lift, percent";
  figure.detail =
      "Blue: the primary metric falls, orange: it rises (beyond 50 % no darker). In brackets: the 95 % interval over seeds "
      "holds 0.";
  const auto place = [](std::vector<std::string>& names, const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    names.push_back(name);
    return names.size() - 1;
  };
  std::vector<std::string> tasks;
  std::vector<std::string> rows;
  std::string data;
  for (const LiftEffect& effect : effects) {
    const std::size_t x = place(tasks, effect.task);
    const std::size_t y = place(rows, arm_label(effect.method, effect.lift));
    const std::string change = fmt::format("{:+.0f}", 100 * effect.change);
    data += fmt::format("{} {} {} {}\n", x, y, std::clamp(effect.change, -0.5, 0.5),
                        effect.helps || effect.harms ? change : "(" + change + ")");
  }
  // One row or column is no map; the table says it.
  if (rows.size() < 2 || tasks.size() < 2) return figure;
  const auto ticks = [](const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
      text += fmt::format("{}{} {}", i == 0 ? "" : ", ", gnuplot_string(names[i]), i);
    }
    return text;
  };
  const auto widest = [](const std::vector<std::string>& names) {
    int width = 0;
    for (const std::string& name : names) width = std::max(width, display_width(name));
    return width;
  };
  constexpr int character = 7;  // pixels, at 11 points
  const int column = std::max(64, 14 + character * widest(tasks));
  const int left = 20 + character * widest(rows);
  constexpr int row = 24;
  const auto columns = static_cast<int>(tasks.size());
  const auto lines = static_cast<int>(rows.size());
  figure.width = left + column * columns + 20;
  figure.height = 42 + row * lines;
  // Text on a cell is dark in the dark as well, as the cells are light.
  figure.commands = fmt::format(
      "$d << EOD\n{}EOD\nunset border\nunset key\nunset colorbox\nset tics scale 0 textcolor rgb 'black'\n"
      "set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\nset tmargin at screen {:.5f}\n"
      "set bmargin at screen {:.5f}\nset xrange [-0.5:{}]\nset yrange [{}:-0.5]\nset xtics ({})\nset ytics ({})\n"
      "set palette defined (-0.5 '#6aaed6', 0 '#ededed', 0.5 '#f4a261')\nset cbrange [-0.5:0.5]\n"
      "plot $d using 1:2:(0.48):(0.46):3 with boxxyerror fillstyle solid noborder lc palette, "
      "$d using 1:2:4 with labels tc rgb '#1b2026'\n",
      data, 1.0 * left / figure.width, 1.0 - 20.0 / figure.width, 1.0 - 8.0 / figure.height, 34.0 / figure.height,
      columns - 0.5, lines - 0.5, ticks(tasks), ticks(rows));
  return figure;
}

}  // namespace onmanifold
