// SPDX-License-Identifier: Apache-2.0
#pragma once
// The figures of one task: seeds by arm, quality against constraint error and against time, quality over the
// level of the lift, curves of the training, score norms over noise levels; and mean ranks over all tasks.

#include <string>
#include <vector>

#include "reports/analysis.hpp"
#include "reports/figure.hpp"

namespace onmanifold {

/// A series of one cell.
struct Curve {
  std::string panel;  ///< curves of one panel share axes: a method
  std::string label;  ///< equal labels of a panel share a colour and a line in its key: a lift
  std::vector<double> x;
  std::vector<double> y;
};

/// Curves of one kind over all cells of a task.
struct CurveSet {
  std::string name;  ///< "loss"
  std::string title;
  std::string detail;
  std::string x_label;
  std::string y_label;
  bool log_x = false;
  bool log_y = false;  ///< where all values are positive
  std::vector<Curve> curves = {};
};

/// Losses and mean log-determinants over training, and mean square score norms over noise levels, where cells
/// have them: those of the first 30 cells of each arm, as at most 200 means over equal stretches. A file that
/// cannot be read goes to \p problems, one line each.
[[nodiscard]] std::vector<CurveSet> load_curves(const std::string& directory, const TaskAnalysis& task,
                                                std::vector<std::string>& problems);

/// One column of a task: seeds as dots and their mean as a cross, one line an arm, with the band null ± 2 sd.
[[nodiscard]] Figure dot_plot(const TaskAnalysis& task, std::size_t column);

/// An arm in a plot of two costs: means over seeds, smaller is better on both axes where \p y_higher is not
/// set.
struct ParetoPoint {
  std::string label;
  double x = 0;
  double y = 0;
  bool learner = true;
};
/// Indices of the points that no other is better than on one axis and at least as good on the other, by x.
/// Points that are no learners, or not finite, are left out.
[[nodiscard]] std::vector<std::size_t> pareto_front(const std::vector<ParetoPoint>& points, bool y_higher);

/// Quality on projected samples against the mean constraint error of raw samples; nothing below two learners.
[[nodiscard]] Figure constraint_pareto(const TaskAnalysis& task);
/// Quality against the CPU seconds of training and sampling, mean over seeds.
[[nodiscard]] Figure time_pareto(const TaskAnalysis& task);
/// Quality over σ of the normal lifts, mean and 95 % t interval over seeds, with the level of no lift;
/// nothing unless some method has three levels.
[[nodiscard]] Figure sigma_sweep(const TaskAnalysis& task);
/// The primary metric over the learning rates that were tried for this task, by method and lift, mean and standard
/// error over replicates; the chosen rates are rings. Nothing unless the trials were made on this task.
[[nodiscard]] Figure tuning_figure(const TaskAnalysis& task);
/// Small multiples, one a panel.
[[nodiscard]] Figure curves_figure(const TaskAnalysis& task, const CurveSet& set);

/// All figures of a task that have something to draw.
[[nodiscard]] std::vector<Figure> task_figures(const TaskAnalysis& task, const std::vector<CurveSet>& curves);

/// Mean ranks with their intervals, best at the top, and the arms that are not separated joined by bars.
[[nodiscard]] Figure rank_figure(const Ranking& ranking);

/// Methods with their lifts by tasks as a heat map: blue where the value falls, orange where it rises, in brackets what
/// is not decided. Empty below two rows or two tasks.
[[nodiscard]] Figure lift_figure(const std::vector<LiftEffect>& effects);

}  // namespace onmanifold
