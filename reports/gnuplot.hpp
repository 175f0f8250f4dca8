// SPDX-License-Identifier: Apache-2.0
#pragma once
// Two-dimensional figures as SVG, drawn by gnuplot as a subprocess on a temporary script.

#include <string>
#include <string_view>
#include <vector>

#include "reports/aggregate.hpp"
#include "reports/ranking.hpp"

namespace onmanifold {

/// Runs gnuplot on \p commands (its terminal and output are set before them) and returns an SVG that can
/// stand in a page: ids start with \p id, black is the text colour of the page, no XML prologue. \throw
/// IoError naming the package if gnuplot is not installed, or with its message if it fails.
[[nodiscard]] std::string gnuplot_svg(std::string_view commands, int width, int height, std::string_view id,
                                      std::string_view title);

/// \p text as a string of a gnuplot script, quotes included, whatever is in it.
[[nodiscard]] std::string gnuplot_string(std::string_view text);

/// One column of a task: seeds as dots and their mean as a bar, one line an arm, with the band null ± 2 sd.
[[nodiscard]] std::string dot_plot_svg(const TaskSummary& summary, const MetricColumn& column,
                                       std::size_t index, std::string_view id);

/// Mean ranks with their intervals, best at the top, and the arms that are not separated joined by bars. "" below two arms.
[[nodiscard]] std::string rank_svg(const Ranking& ranking, std::string_view id);

/// A series over training.
struct Curve {
  std::string label;  ///< equal labels share a colour and a line in the key
  std::vector<double> x;
  std::vector<double> y;
};
/// Loss curves; logarithmic in y where all values are positive.
[[nodiscard]] std::string curves_svg(const std::vector<Curve>& curves, std::string_view x_label,
                                     std::string_view id);

}  // namespace onmanifold
