// SPDX-License-Identifier: Apache-2.0
#include "analysis/lift_effect.hpp"

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/math/statistics.hpp"
#include "reports/cell_text.hpp"
#include "reports/gnuplot.hpp"
#include "reports/markdown_report.hpp"
#include "reports/tables.hpp"
#include "reports/task_figures.hpp"
#include "tests/support/made_method.hpp"

namespace onmanifold {
namespace {

/// Values of one arm by seed, from seed \p first on.
struct Values {
  std::string method;
  std::string lift;
  std::string lift_type;
  double sigma;
  std::vector<double> values;
  int first = 0;
};

TaskResult make_task(const std::string& name, const std::vector<Values>& arms, const std::string& direction = "lower") {
  TaskResult task;
  task.name = name;
  task.file.emplace();
  task.file->details = Value::Table{{"reach", 0.5}, {"dimension", 2}, {"ambient_dimension", 16}};
  for (const Values& arm : arms) {
    for (std::size_t i = 0; i < arm.values.size(); ++i) {
      CellResult cell;
      cell.key = {.task = name, .method = arm.method, .lift = arm.lift, .seed = arm.first + static_cast<int>(i)};
      cell.head.config = Value::Table{{"method", Value::Table{{"type", arm.method}}},
                                      {"lift", Value::Table{{"type", arm.lift_type}, {"sigma", arm.sigma}}}};
      cell.head.method = made_method(arm.method, arm.lift_type);
      MetricRecord record;
      record.name = "tvd";
      record.direction = parse_direction(direction);
      record.value = arm.values[i];
      cell.has_metrics = true;
      cell.projected = {record};
      task.cells.push_back(cell);
    }
  }
  return task;
}

const std::vector<double> base = {0.2, 0.3, 0.25, 0.4};
std::vector<double> times(const std::vector<double>& ratios) {
  std::vector<double> result = base;
  for (std::size_t i = 0; i < base.size(); ++i) result[i] *= ratios[i];
  return result;
}

std::vector<LiftEffect> effects_of(const ResultSet& results) {
  std::vector<TaskSummary> summaries;
  for (const TaskResult& task : results.tasks) summaries.push_back(summarise(task));
  return lift_effects(results, summaries);
}

TEST(LiftEffects, PairSeedsAndAverageLogarithms) {
  const std::vector<double> ratios = {0.7, 0.8, 0.75, 0.9};
  const TaskResult task = make_task("t", {{"ddpm", "none", "none", 0, base},
                                          {"ddpm", "normal", "normal", 0.1, times(ratios)},
                                          {"ddpm", "far", "normal", 0.2, times({1.2, 1.3, 1.25, 1.4})},
                                          {"ddpm", "control", "isotropic", 0.1, times({0.7, 1.3, 1.1, 0.9})},
                                          {"oracle", "none", "none", 0, base},
                                          {"flow", "normal", "normal", 0.1, base}});
  const std::vector<LiftEffect> effects = effects_of({.directory = "", .tasks = {task}});
  ASSERT_EQ(effects.size(), 3U);  // flow has no arm without a lift, oracle no lift
  std::map<std::string, LiftEffect> by_lift;
  for (const LiftEffect& effect : effects) by_lift[effect.lift] = effect;
  const LiftEffect& normal = by_lift.at("normal");
  Vector logs(4);
  for (Index i = 0; i < 4; ++i) logs[i] = std::log(ratios[static_cast<std::size_t>(i)]);
  EXPECT_NEAR(normal.change, std::exp(logs.mean()) - 1, 1e-14);
  const double half = t_half_width(logs);
  EXPECT_NEAR(normal.interval.low, std::exp(logs.mean() - half) - 1, 1e-14);
  EXPECT_NEAR(normal.interval.high, std::exp(logs.mean() + half) - 1, 1e-14);
  EXPECT_EQ(normal.n, 4);
  EXPECT_EQ(normal.codimension, 14);
  EXPECT_EQ(normal.reach, 0.5);
  EXPECT_TRUE(normal.helps && !normal.harms && !normal.isotropic);
  EXPECT_TRUE(by_lift.at("far").harms && !by_lift.at("far").helps);
  EXPECT_TRUE(by_lift.at("control").isotropic && !by_lift.at("control").helps && !by_lift.at("control").harms);
}

TEST(LiftEffects, KnowWhichDirectionIsBetter) {
  const std::vector<Values> arms = {{"ddpm", "none", "none", 0, base},
                                    {"ddpm", "normal", "normal", 0.1, times({0.7, 0.8, 0.75, 0.9})}};
  const auto higher = effects_of({.directory = "", .tasks = {make_task("t", arms, "higher")}});
  ASSERT_EQ(higher.size(), 1U);
  EXPECT_TRUE(higher[0].harms && !higher[0].helps);
  EXPECT_TRUE(effects_of({.directory = "", .tasks = {make_task("t", arms, "target")}}).empty());
}

TEST(LiftEffects, TakeOnlySeedsThatHaveBothAndOnlyPositiveValues) {
  // Seeds 0 … 3 without, 2 … 5 with a lift: two pairs. Whoever pairs by position would see a ratio of .5 everywhere.
  const TaskResult task = make_task(
      "t", {{"ddpm", "none", "none", 0, base}, {"ddpm", "normal", "normal", 0.1, {0.1, 0.15, 0.125, 0.2}, 2}});
  const auto effects = effects_of({.directory = "", .tasks = {task}});
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(effects[0].n, 2);
  EXPECT_NEAR(effects[0].change, std::sqrt(0.1 / 0.25 * 0.15 / 0.4) - 1, 1e-14);
  const TaskResult negative =
      make_task("t", {{"ddpm", "none", "none", 0, {0.1, -0.01}}, {"ddpm", "normal", "normal", 0.1, {0.1, 0.1}}});
  EXPECT_TRUE(effects_of({.directory = "", .tasks = {negative}}).empty());
  const TaskResult single =
      make_task("t", {{"ddpm", "none", "none", 0, {0.2}}, {"ddpm", "normal", "normal", 0.1, {0.1}}});
  const auto one = effects_of({.directory = "", .tasks = {single}});
  ASSERT_EQ(one.size(), 1U);
  EXPECT_NEAR(one[0].change, -0.5, 1e-14);
  EXPECT_FALSE(one[0].helps || one[0].harms);
}

TEST(LiftTable, OrdersLiftsByKindAndLevelAndMarksWhatIsDecided) {
  const std::vector<Values> arms = {{"ddpm", "none", "none", 0, base},
                                    {"ddpm", "wide", "normal", 0.3, times({1.2, 1.3, 1.25, 1.4})},
                                    {"ddpm", "fine", "normal", 0.1, times({0.7, 0.8, 0.75, 0.9})},
                                    {"ddpm", "all", "isotropic", 0.05, times({0.7, 1.3, 1.1, 0.9})}};
  const ResultSet one{.directory = "", .tasks = {make_task("a", arms)}};
  EXPECT_FALSE(lift_table(effects_of(one)).has_value());
  const ResultSet two{.directory = "", .tasks = {make_task("a", arms), make_task("b", arms)}};
  const auto effects = effects_of(two);
  const auto table = lift_table(effects);
  ASSERT_TRUE(table.has_value());
  std::vector<std::string> columns;
  for (const TableColumn& column : table->columns) columns.push_back(column.name);
  EXPECT_THAT(columns, testing::ElementsAre("codimension", "reach", "fine", "wide", "all"));
  ASSERT_EQ(table->rows.size(), 2U);
  const std::vector<TableCell>& cells = table->rows[1].cells;
  EXPECT_EQ(table->rows[1].name, "b, ddpm");
  EXPECT_EQ(cell_text(cells[0]).value, "14");
  EXPECT_EQ(cell_text(cells[1]).value, "0.5000");
  EXPECT_EQ(cell_text(cells[2]).value, "-22 %");
  EXPECT_TRUE(cells[2].best);
  EXPECT_EQ(cell_text(cells[3]).value, "+29 % !");
  EXPECT_FALSE(cells[3].best || cells[4].best);
  EXPECT_THAT(render_markdown(*table), testing::HasSubstr("**-22 %**"));

  const Figure figure = lift_figure(effects);
  const std::string svg = gnuplot_svg(figure.commands, figure.width, figure.height, "id", figure.title);
  EXPECT_THAT(svg, testing::HasSubstr("</svg>"));
  for (const LiftEffect& effect : effects) {
    EXPECT_THAT(svg, testing::HasSubstr(effect.task));
    EXPECT_THAT(svg, testing::HasSubstr(fmt::format("{:+.0f}", 100 * effect.change)));
  }
  EXPECT_EQ(lift_figure({}).commands, "");
}

}  // namespace
}  // namespace onmanifold
