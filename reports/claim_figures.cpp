// SPDX-License-Identifier: Apache-2.0
#include "reports/claim_figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "reports/gnuplot.hpp"

namespace onmanifold {
namespace {

constexpr std::array<const char*, 7> palette = {"#2f8fd0", "#e08a00", "#12a07a", "#d0569a",
                                                "#d9622b", "#8a7fd6", "#7a8a99"};
const char* const frame =
    "set border 3 lc rgb '#8a929c'\nset tics nomirror scale 0.4 textcolor rgb 'black'\n"
    "set grid ytics lc rgb '#8a929c' lw 0.3 dt 3\n";

Figure curve_figure(const CurveFigure& figure, const std::string& name) {
  Figure drawn{name, figure.title, "", "", 760, 300};
  std::string data;
  std::string plots;
  std::map<std::string, std::size_t> colour_of;
  std::set<std::string> titled;
  for (std::size_t i = 0; i < figure.bands.size(); ++i) {
    const CurveBand& band = figure.bands[i];
    const std::string& coloured = band.group.empty() ? band.label : band.group;
    const bool first = titled.insert(band.label).second;
    const char* const colour =
        palette[colour_of.try_emplace(coloured, colour_of.size()).first->second % palette.size()];
    data += fmt::format("$b{} << EOD\n", i);
    bool any = false;
    bool interval = false;
    for (Index k = 0; k < band.x.size(); ++k) {
      const bool shown =
          std::isfinite(band.mean[k]) && (!figure.log_y || band.mean[k] > 0) && (!figure.log_x || band.x[k] > 0);
      if (!shown) continue;
      const bool has = std::isfinite(band.low[k]) && (!figure.log_y || band.low[k] > 0);
      data += fmt::format("{} {} {} {}\n", band.x[k], band.mean[k], has ? band.low[k] : band.mean[k],
                          has ? band.high[k] : band.mean[k]);
      any = true;
      interval = interval || has;
    }
    data += "EOD\n";
    if (!any) continue;
    if (interval && !band.reference) {
      plots += fmt::format("{}$b{} using 1:3:4 with filledcurves fs transparent solid 0.2 noborder lc rgb '{}' notitle",
                           plots.empty() ? "plot " : ", ", i, colour);
    }
    plots += fmt::format("{}$b{} using 1:2 with {} lw 1.6 {} lc rgb '{}' {}", plots.empty() ? "plot " : ", ", i,
                         band.x.size() <= 12 && !band.reference ? "linespoints pt 7 ps 0.5" : "lines",
                         band.reference ? "dt 2" : "", colour,
                         first ? "title " + gnuplot_string(band.label) : std::string("notitle"));
  }
  if (plots.empty()) return drawn;
  drawn.commands = fmt::format("{}{}{}{}set xlabel {}\nset ylabel {}\nset key outside right top reverse Left\n{}\n",
                               data, frame, figure.log_x ? "set logscale x\nset format x '%g'\n" : "",
                               figure.log_y ? "set logscale y\nset format y '%g'\n" : "",
                               gnuplot_string(figure.x_label), gnuplot_string(figure.y_label), plots);
  return drawn;
}

/// One row of a picture with dots.
struct Row {
  std::string label;
  Vector values;
  double mean = MetricRecord::unknown;
  Interval interval;
  Interval accepted;
};

/// Rows over one axis: dots, mean with interval, and in green where the mean should be.
Figure rows_figure(const std::vector<Row>& rows, const std::string& x_label, const std::string& name,
                   const std::string& title) {
  const auto n = static_cast<int>(rows.size());
  Figure figure{name, title, "", "", 760, 80 + 26 * n};
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  const auto cover = [&](double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (const Row& row : rows) {
    for (const double value : row.values) cover(value);
    for (const double value : {row.mean, row.interval.low, row.interval.high, row.accepted.low, row.accepted.high})
      cover(value);
  }
  if (!(low <= high)) return figure;
  const double margin = 0.06 * std::max(high - low, 1e-3 * std::max(std::abs(low), std::abs(high)) + 1e-12);
  low -= margin;
  high += margin;
  std::string dots;
  std::string means;
  std::string ticks;
  std::string boxes;
  for (int r = 0; r < n; ++r) {
    const Row& row = rows[static_cast<std::size_t>(r)];
    const int y = n - 1 - r;
    ticks += fmt::format("{}{} {}", r == 0 ? "" : ", ", gnuplot_string(row.label), y);
    for (const double value : row.values) {
      if (std::isfinite(value)) dots += fmt::format("{} {}\n", value, y);
    }
    if (std::isfinite(row.mean)) {
      const bool has = std::isfinite(row.interval.low);
      means += fmt::format("{} {} {} {}\n", row.mean, y, has ? row.interval.low : row.mean,
                           has ? row.interval.high : row.mean);
    }
    if (!std::isnan(row.accepted.low)) {
      boxes += fmt::format(
          "set object {} rectangle from {},{} to {},{} fs transparent solid 0.22 noborder fc rgb '#12a07a' "
          "behind\n",
          r + 1, std::max(low, row.accepted.low), y - 0.42, std::min(high, row.accepted.high), y + 0.42);
    }
  }
  if (means.empty()) return figure;
  if (dots.empty()) dots = "NaN NaN\n";
  figure.commands = fmt::format(
      "$dots << EOD\n{}EOD\n$means << EOD\n{}EOD\nset border 1 lc rgb '#8a929c'\n"
      "set tics scale 0.4 textcolor rgb 'black'\nset xtics nomirror\nunset key\nset xrange [{}:{}]\n"
      "set yrange [-0.6:{}]\nset ytics ({}) nomirror scale 0\nset xlabel {}\n{}"
      "plot $dots using 1:2 with points pt 7 ps 0.5 lc rgb '{}', "
      "$means using 1:2:3:4 with xerrorbars pt 2 ps 1 lw 1.6 lc rgb 'black'\n",
      dots, means, low, high, n - 0.4, ticks, gnuplot_string(x_label), boxes, palette[0]);
  return figure;
}

bool same_interval(const Interval& a, const Interval& b) {
  const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  return same(a.low, b.low) && same(a.high, b.high);
}

/// Evidence by what it asks for: rows of one picture share their axis.
std::vector<ClaimFigure> evidence_figures(const ClaimResult& result) {
  struct Group {
    bool relative;
    Interval accepted;
    std::vector<Row> rows;
  };
  std::vector<Group> groups;
  for (const TaskEvidence& evidence : result.tasks) {
    if (evidence.values.size() == 0) continue;
    const bool relative = evidence.margin > 0;
    const Vector values = relative ? Vector(evidence.values / evidence.margin) : evidence.values;
    if (!values.allFinite()) continue;
    Row row{fmt::format("{}  {}", evidence.task, evidence.quantity), values, mean(values), {}, evidence.accepted};
    if (values.size() >= 2) row.interval = t_interval(values);
    const auto place = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
      return group.relative == relative && same_interval(group.accepted, evidence.accepted);
    });
    if (place == groups.end()) {
      groups.push_back({relative, evidence.accepted, {std::move(row)}});
    } else {
      place->rows.push_back(std::move(row));
    }
  }
  std::vector<ClaimFigure> figures;
  for (const Group& group : groups) {
    const std::string name =
        fmt::format("claim-{}{}", result.claim.id, figures.empty() ? "" : fmt::format("-{}", 1 + figures.size()));
    const std::string title = fmt::format("{}: every seed, mean and 95 % interval", result.claim.id);
    Figure figure =
        rows_figure(group.rows,
                    group.relative ? "in units of the smallest relevant effect; green: what the claim asks for"
                    : std::isnan(group.accepted.low) ? "value"
                                                     : "green: what the claim asks for",
                    name, title);
    if (!figure.commands.empty()) figures.push_back({result.claim.id, std::move(figure)});
  }
  return figures;
}

Figure verdict_figure(const std::vector<ClaimResult>& judged) {
  std::vector<Row> rows;
  for (const ClaimResult& result : judged) {
    const bool in_effects = std::any_of(result.tasks.begin(), result.tasks.end(),
                                        [](const TaskEvidence& evidence) { return evidence.margin > 0; });
    if (!in_effects || std::isnan(result.test.statistic)) continue;
    const auto asked = std::find_if(result.tasks.begin(), result.tasks.end(),
                                    [](const TaskEvidence& evidence) { return evidence.margin > 0; });
    // Non-inferiority counts what is worse.
    const bool turned = asked->accepted.low == -1 && std::isinf(asked->accepted.high);
    const double sign = turned ? -1 : 1;
    Row row{fmt::format("{}  {}", result.claim.id, to_string(result.verdict)),
            Vector(),
            sign * result.test.statistic,
            {sign * result.test.interval.low, sign * result.test.interval.high},
            asked->accepted};
    if (turned) std::swap(row.interval.low, row.interval.high);
    rows.push_back(std::move(row));
  }
  return rows_figure(rows, "mean over seeds in units of the smallest relevant effect, 95 % interval; green: reproduced",
                     "claims", "Claims that are counted in smallest relevant effects");
}

}  // namespace

std::vector<ClaimFigure> claim_figures(const ResultSet& results, const std::vector<ClaimResult>& judged) {
  std::vector<ClaimFigure> figures = {{"", verdict_figure(judged)}};
  for (const ClaimResult& result : judged) {
    if (result.verdict == Verdict::not_tested) continue;
    for (ClaimFigure& figure : evidence_figures(result)) figures.push_back(std::move(figure));
    int count = 0;
    if (!result.claim.curves) continue;
    for (const CurveFigure& curves : result.claim.curves(results)) {
      figures.push_back(
          {result.claim.id, curve_figure(curves, fmt::format("claim-{}-curve-{}", result.claim.id, ++count))});
    }
  }
  std::erase_if(figures, [](const ClaimFigure& one) { return one.figure.commands.empty(); });
  return figures;
}

}  // namespace onmanifold
