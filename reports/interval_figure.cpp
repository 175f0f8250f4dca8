// SPDX-License-Identifier: Apache-2.0
#include "reports/interval_figure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "reports/gnuplot.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

constexpr int most_panels = 5;  // beside each other
constexpr int panel_width = 215;
constexpr int row_height = 17;
constexpr int line_height = 18;
constexpr int character_width = 7;  // of the labels, at 11 points
constexpr std::string_view training_colour = "#b0413e";
// The scale shown: what is worse than the moment fit by more stands at the edge as an arrow.
constexpr double least_shown = -0.25;
constexpr double most_shown = 1.15;

/// Colour and mark of a kind of rows; colours are Okabe and Ito's, a little darker.
struct Series {
  const char* title;
  const char* colour;
  int mark;
};
constexpr std::array<Series, 4> series = {{{"no lift", "#2f8fd0", 7},
                                           {"isotropic lift", "#e08a00", 5},
                                           {"normal lift", "#12a07a", 9},
                                           {"oracle and controls", "#7a8a99", 2}}};

std::size_t series_of(const MatrixRow& row) {
  if (row.role != MethodRole::learner) return 3;
  switch (row.lift_type) {
    case LiftType::isotropic:
      return 1;
    case LiftType::normal:
      return 2;
    case LiftType::none:
      break;
  }
  return 0;
}

double shown(double score) {
  return std::clamp(score, least_shown, most_shown);
}

// One block a series: score, row, both ends of the interval.
std::string panel_data(const Matrix& matrix, std::size_t task, std::size_t number) {
  std::string data = fmt::format("$task{} << EOD\n", number);
  for (std::size_t s = 0; s < series.size(); ++s) {
    bool any = false;
    for (std::size_t r = 0; r < matrix.rows.size(); ++r) {
      const ScaledScore& score = matrix.rows[r].entries[task].score;
      if (series_of(matrix.rows[r]) != s || !score.known()) continue;
      const bool spread = std::isfinite(score.interval.low) && std::isfinite(score.interval.high);
      data += fmt::format("{} {} {} {} {}\n", shown(score.value), matrix.rows.size() - 1 - r,
                          shown(spread ? score.interval.low : score.value),
                          shown(spread ? score.interval.high : score.value), score.value < least_shown ? 1 : 0);
      any = true;
    }
    if (!any) data += "NaN NaN NaN NaN 0\n";
    data += "\n\n";
  }
  return data + "EOD\n";
}

std::string label_of(const MatrixRow& row) {
  return arm_label(row.method, row.lifted ? row.lift : "");
}

// The rows by name, or the same ticks without words.
std::string row_ticks(const Matrix& matrix, bool named) {
  std::string ticks;
  for (std::size_t r = 0; r < matrix.rows.size(); ++r) {
    ticks += fmt::format("{}{} {}", r == 0 ? "" : ", ", gnuplot_string(named ? label_of(matrix.rows[r]) : ""),
                         matrix.rows.size() - 1 - r);
  }
  return ticks;
}

/// One sign of the legend with its words, in pixels from the upper left corner.
struct LegendItem {
  double x = 0;
  double y = 0;
  std::optional<Series> mark;  ///< none: the line of the training points
  std::string words;
};

// On one line above the panels, or as many as fit the width.
std::vector<LegendItem> legend_items(int width, bool training) {
  std::vector<LegendItem> items;
  for (const Series& one : series) items.push_back({.mark = one, .words = one.title});
  if (training) items.push_back({.mark = std::nullopt, .words = "what the training points allow"});
  double x = 0;
  int line = 0;
  for (LegendItem& item : items) {
    const double room = 30 + character_width * display_width(item.words);
    if (x > 0 && x + room > width) {
      x = 0;
      ++line;
    }
    item.x = x + 14;
    item.y = line_height * (line + 0.5);
    x += room;
  }
  return items;
}

std::string legend_commands(const std::vector<LegendItem>& items, const Figure& figure) {
  const auto at = [&](double x, double y) {
    return fmt::format("screen {:.5f},{:.5f}", x / figure.width, 1.0 - y / figure.height);
  };
  std::string commands;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const LegendItem& item = items[i];
    commands += fmt::format("set label {} {} at {}\n", 2 * i + 1, gnuplot_string(item.words), at(item.x + 12, item.y));
    commands += item.mark ? fmt::format("set label {} '' at {} point pt {} ps 0.7 lc rgb '{}'\n", 2 * i + 2,
                                        at(item.x, item.y), item.mark->mark, item.mark->colour)
                          : fmt::format("set arrow 2 from {} to {} nohead dt 2 lw 1.2 lc rgb '{}'\n",
                                        at(item.x - 8, item.y), at(item.x + 8, item.y), training_colour);
  }
  return commands;
}

}  // namespace

Figure interval_figure(const Matrix& matrix) {
  Figure figure;
  figure.name = "intervals";
  figure.title = "From gaussian (0) to oracle (1)";
  std::vector<std::size_t> panels;
  for (std::size_t t = 0; t < matrix.tasks.size(); ++t) {
    if (std::any_of(matrix.rows.begin(), matrix.rows.end(),
                    [&](const MatrixRow& row) { return row.entries[t].score.known(); })) {
      panels.push_back(t);
    }
  }
  if (panels.empty()) return figure;
  figure.detail =
      "Mean and 95 % interval over seeds; at 0 a method has learned mean and covariance only, at 1 it is as good as fresh "
      "samples of the truth. Dashed: what the training points allow without learning. Arrows: worse than −0.25.";
  int label_width = 0;
  for (const MatrixRow& row : matrix.rows) label_width = std::max(label_width, display_width(label_of(row)));
  const auto rows = static_cast<int>(matrix.rows.size());
  const auto count = static_cast<int>(panels.size());
  const int across = std::min(count, most_panels);
  const int down = (count + across - 1) / across;
  const int left = 14 + character_width * label_width;
  const int block = 50 + row_height * rows;  // a line of panels with its titles and ticks
  const bool training =
      std::any_of(panels.begin(), panels.end(), [&](std::size_t t) { return matrix.tasks[t].training.known(); });
  figure.width = left + across * panel_width + 16;
  const std::vector<LegendItem> legend = legend_items(figure.width, training);
  const int key = static_cast<int>(legend.back().y + 0.5 * line_height);
  figure.height = key + down * block;
  std::string data;
  std::string plots;
  for (int p = 0; p < count; ++p) {
    const std::size_t t = panels[static_cast<std::size_t>(p)];
    const MatrixTask& task = matrix.tasks[t];
    data += panel_data(matrix, t, static_cast<std::size_t>(p));
    const double x = left + p % across * panel_width;
    const double y = key + p / across * block + 22;
    plots += fmt::format(
        "set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\nset tmargin at screen {:.5f}\n"
        "set bmargin at screen {:.5f}\nset title {} offset 0,-0.6\nset ytics ({})\n",
        (x + 6) / figure.width, (x + panel_width - 10) / figure.width, 1.0 - y / figure.height,
        1.0 - (y + row_height * rows) / figure.height, gnuplot_string(task.name), row_ticks(matrix, p % across == 0));
    if (task.training.known()) {
      plots += fmt::format("set arrow 1 from {0},graph 0 to {0},graph 1 nohead dt 2 lw 1.2 lc rgb '{1}'\n",
                           shown(task.training.value), training_colour);
    }
    plots += "plot ";
    for (std::size_t s = 0; s < series.size(); ++s) {
      plots += fmt::format("$task{} index {} using 1:2:3:4 with xerrorbars pt {} ps 0.7 lw 1.4 lc rgb '{}', ", p, s,
                           series[s].mark, series[s].colour);
    }
    plots += fmt::format("$task{} using ($5==1?$1:NaN):2:(-0.08):(0) with vectors head filled lw 1.4 lc rgb '{}'\n", p,
                         series.back().colour);
    if (task.training.known()) plots += "unset arrow 1\n";
    if (p == 0) plots += "unset label\nunset arrow\n";
  }
  figure.commands = fmt::format(
      "{}set multiplot\nunset key\n{}set border 1 lc rgb '#8a929c'\nset tics scale 0.4 textcolor rgb 'black'\n"
      "set xrange [{}:{}]\nset yrange [-0.7:{}]\nset xtics (0, 0.5, 1) nomirror\nset ytics nomirror scale 0\n"
      "set grid xtics ytics lc rgb '#8a929c' lw 0.3 dt 3\n{}unset multiplot\n",
      data, legend_commands(legend, figure), least_shown - 0.1, most_shown, rows - 0.3, plots);
  return figure;
}

}  // namespace onmanifold
