// SPDX-License-Identifier: Apache-2.0
#include "reports/task_figures.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "reports/figure_report.hpp"
#include "reports/gnuplot.hpp"
#include "tests/support/made_report.hpp"
#include "tests/support/synthetic_results.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ParetoFront, HoldsWhatNothingBeats) {
  std::vector<ParetoPoint> points = {
      {"a", 1.0, 5.0}, {"b", 2.0, 3.0}, {"c", 3.0, 4.0}, {"d", 4.0, 1.0}, {"e", 2.0, 6.0}};
  EXPECT_EQ(pareto_front(points, false), (std::vector<std::size_t>{0, 1, 3}));
  // Where high is good.
  EXPECT_EQ(pareto_front(points, true), (std::vector<std::size_t>{0, 4}));
  // Equal on one axis and worse on the other is beaten; what is no learner, or not finite, beats nobody.
  points.push_back({"f", 2.0, 3.5});
  points.push_back({"oracle", 0.0, 0.0, false});
  points.push_back({"g", std::nan(""), 0.0});
  EXPECT_EQ(pareto_front(points, false), (std::vector<std::size_t>{0, 1, 3}));
  EXPECT_TRUE(pareto_front({}, false).empty());
}

ResultSet made_results() {
  static const TemporaryDirectory directory;
  write_synthetic_results(directory.path(), {.seeds = 1, .samples = 5, .reference = 5, .mesh_resolution = 4});
  return load_results(directory.path());
}

// Many small files: made once.
const Analysis& made() {
  static const MadeReport made(made_results());
  return made.analysis;
}

TEST(TaskFigures, TheFrontAndTheMarksAreInTheScript) {
  const Figure figure = constraint_pareto(made().tasks[1]);
  EXPECT_EQ(figure.name, "synthetic-plane-pareto-constraint");
  EXPECT_THAT(figure.commands, HasSubstr("$front << EOD"));
  EXPECT_THAT(figure.commands, HasSubstr("title 'ddpm'"));
  EXPECT_THAT(figure.commands, HasSubstr("set logscale x"));
  EXPECT_THAT(gnuplot_svg(figure.commands, figure.width, figure.height, "p", "t"), HasSubstr("</svg>"));
}

TEST(TaskFigures, ASweepNeedsThreeLevels) {
  TaskAnalysis task = made().tasks[1];
  TaskSummary& summary = task.summary;
  EXPECT_EQ(sigma_sweep(task).commands, "");
  const auto lifted = std::find_if(summary.arms.begin(), summary.arms.end(),
                                   [](const Arm& arm) { return arm.method == "ddpm" && arm.lift == "normal-0.1"; });
  ASSERT_NE(lifted, summary.arms.end());
  const auto a = static_cast<std::size_t>(lifted - summary.arms.begin());
  summary.arms[a].lift_type = LiftType::normal;
  for (const double sigma : {0.2, 0.4}) {
    Arm arm = summary.arms[a];
    arm.lift_sigma = sigma;
    summary.arms.push_back(arm);
    summary.table.push_back(summary.table[a]);
  }
  const Figure figure = sigma_sweep(task);
  EXPECT_THAT(figure.commands, HasSubstr("with yerrorlines"));
  EXPECT_THAT(figure.commands, HasSubstr("\n0.4 "));
  EXPECT_THAT(gnuplot_svg(figure.commands, figure.width, figure.height, "s", "t"), HasSubstr("</svg>"));
}

TEST(TaskFigures, TrialsOfTheTaskAreDrawnOverTheLearningRate) {
  TaskResult result;
  result.name = "t";
  result.file = TaskFile{};
  TaskAnalysis task;
  task.result = &result;
  EXPECT_EQ(tuning_figure(task).commands, "");
  const auto row = [](const char* method, const char* of, Value rate, Value::Array mean) {
    return Value::Table{{"method", method},
                        {"lift", "none"},
                        {"task", of},
                        {"metric", "tvd"},
                        {"learning_rate", rate},
                        {"mean", std::move(mean)},
                        {"lost", Value::Array{0, 0, 3}},
                        {"error", Value::Array{0.01, 0.01, "nan"}}};
  };
  const Value::Array rates = {1e-3, 1e-2, 2e-2};
  const auto set = [&](Value::Array rows) {
    result.file->details = Value::Table{
        {"tuning", Value::Table{{"replicates", 3}, {"learning_rates", rates}, {"configurations", std::move(rows)}}}};
  };
  set({row("ddpm", "t", 1e-2, {0.2, 0.1, "nan"}), row("ebm", "t", Value(), {"nan", "nan", "nan"}),
       row("flow", "other", 1e-3, {0.3, 0.4, 0.5}), row("short", "t", 1e-3, {0.3})});
  const Figure figure = tuning_figure(task);
  EXPECT_EQ(figure.name, "t-tuning");
  EXPECT_THAT(figure.detail, HasSubstr("tuned: 3 trials × 3 seeds each"));
  EXPECT_THAT(figure.commands, HasSubstr("\n0.01 0.1 0.09"));
  EXPECT_THAT(figure.commands, HasSubstr("$chosen << EOD\n0.01 0.1\nEOD"));
  for (const char* absent : {"ebm", "flow", "short", "nan"}) EXPECT_THAT(figure.commands, Not(HasSubstr(absent)));
  EXPECT_THAT(gnuplot_svg(figure.commands, figure.width, figure.height, "u", "t"), HasSubstr("</svg>"));
  set({row("flow", "other", 1e-3, {0.3, 0.4, 0.5})});
  EXPECT_EQ(tuning_figure(task).commands, "");
}

TEST(TaskFigures, CurvesHaveAPanelAMethodAndAColourALift) {
  TaskResult result;
  result.name = "t";
  TaskAnalysis task;
  task.result = &result;
  CurveSet set;
  set.name = "loss";
  set.y_label = "loss";
  set.log_y = true;
  set.curves = {{"ddpm", "no lift", {1, 2}, {3, 1}},
                {"ddpm", "no lift", {1, 2}, {3, 2}},
                {"ddpm", "normal", {1, 2}, {4, 2}},
                {"flow", "no lift", {1, 2}, {1, -2}},
                {"broken", "no lift", {1, 2}, {std::nan(""), std::nan("")}}};
  const Figure figure = curves_figure(task, set);
  EXPECT_EQ(figure.name, "t-loss");
  EXPECT_THAT(figure.commands, HasSubstr("multiplot layout 1,2"));
  EXPECT_THAT(figure.commands, HasSubstr("set title 'flow'"));
  EXPECT_THAT(figure.commands, Not(HasSubstr("broken")));
  EXPECT_THAT(gnuplot_svg(figure.commands, figure.width, figure.height, "c", "t"), HasSubstr("</svg>"));
  set.curves.clear();
  EXPECT_EQ(curves_figure(task, set).commands, "");
}

TEST(RankFigure, JoinsWhatIsNotSeparated) {
  Ranking ranking;
  ranking.cd = 1.5;
  ranking.groups = {{0, 1}, {1, 2}, {3, 3}};
  for (int a = 0; a < 4; ++a) {
    RankedArm arm;
    arm.method = a == 3 ? "it's" : "m";
    arm.lift = a == 0 ? "none" : "normal";
    arm.lifted = a != 0;
    arm.mean_rank = 1.0 + a;
    if (a != 2) arm.interval = {0.5 + a, 1.25 + a};
    ranking.arms.push_back(arm);
  }
  const Figure figure = rank_figure(ranking);
  // Best at the top; an interval that is not known has no length.
  EXPECT_THAT(figure.commands, HasSubstr("1 3 0.5 1.25\n2 2 1.5 2.25\n3 1 3 3\n4 0 3.5 4.25\n"));
  EXPECT_THAT(figure.commands, HasSubstr("'m' 3, 'm normal' 2, 'm normal' 1, 'it''s normal' 0"));
  // One bar a group of more than one, and the critical difference as a length from rank 1.
  EXPECT_THAT(figure.commands, HasSubstr("set arrow 1 from"));
  EXPECT_THAT(figure.commands, HasSubstr("set arrow 2 from"));
  EXPECT_THAT(figure.commands, HasSubstr("set arrow 3 from 1,3.9 to 2.5,3.9 heads"));
  EXPECT_THAT(figure.commands, Not(HasSubstr("set arrow 4")));
  EXPECT_THAT(gnuplot_file(figure, "svg"), HasSubstr("critical difference"));

  ranking.cd = 9.0;  // no room for it
  EXPECT_THAT(rank_figure(ranking).commands, Not(HasSubstr("critical difference")));
  ranking.arms.resize(1);
  EXPECT_EQ(rank_figure(ranking).commands, "");
}

TEST(TaskFigures, FilesAreOnWhiteAndComplete) {
  Figure figure;
  figure.commands = "plot '-' with points pt 7\n1 1\n2 2\ne\n";
  figure.width = 100;
  figure.height = 80;
  EXPECT_THAT(gnuplot_file(figure, "svg"), HasSubstr("</svg>"));
  EXPECT_EQ(gnuplot_file(figure, "png").substr(1, 3), "PNG");
  EXPECT_THROW((void)gnuplot_file(figure, "gif"), InvalidInput);
}

TEST(TaskFigures, AllFiguresHaveNamesOfTheirOwn) {
  std::vector<std::string> problems;
  std::set<std::string> names;
  for (const Figure& figure : all_figures(made(), problems)) {
    EXPECT_TRUE(names.insert(figure.name).second) << figure.name;
    EXPECT_NE(figure.title, "");
    EXPECT_NE(figure.detail, "");
  }
  EXPECT_TRUE(names.contains("ranks"));
  EXPECT_TRUE(names.contains("synthetic-mesh-seeds"));
  EXPECT_TRUE(problems.empty());
}

}  // namespace
}  // namespace onmanifold
