// SPDX-License-Identifier: Apache-2.0
#include "reports/diagnostic_table.hpp"

#include <gtest/gtest.h>

#include "reports/markdown_table.hpp"

namespace onmanifold {
namespace {

CellResult asked(const std::string& method, int seed, DiagnosticRecord record) {
  CellResult cell;
  cell.key = {.task = "task", .method = method, .lift = "none", .seed = seed};
  MetricRecord metric;
  metric.name = "tvd";
  metric.value = 0.1;
  cell.has_metrics = true;
  cell.projected = {metric};
  cell.head.diagnostics["slope"] = std::move(record);
  return cell;
}

TEST(DiagnosticTable, HasArmsByScalars) {
  TaskResult task;
  task.name = "task";
  const auto answer = [](double slope, double plateau) {
    return DiagnosticRecord{"ok",
                            {{"slope", Vector::Constant(1, slope)},
                             {"plateau", Vector::Constant(1, plateau)},
                             {"unknown", Vector::Constant(1, MetricRecord::unknown)},
                             {"fourier/gain", Vector::Constant(1, 2)},
                             {"level", Vector::LinSpaced(5, 0, 1)}}};
  };
  task.cells = {asked("ddpm", 0, answer(-2.1, 3)), asked("ddpm", 1, answer(-1.9, 5)),
                asked("gaussian", 0, {{RecordState::unsupported, "the method has no score"}, {}})};
  const std::vector<Table> tables = make_diagnostic_tables(task, summarise(task));
  ASSERT_EQ(tables.size(), 1U);
  const Table& table = tables.front();
  EXPECT_EQ(table.title, "task: slope");
  ASSERT_EQ(table.columns.size(), 2U);  // a series of five, a detail and NaN are no columns
  EXPECT_EQ(table.columns[0].metric, "plateau");
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0].method, "ddpm");
  EXPECT_EQ(table.rows[0].seeds, "2");
  EXPECT_EQ(table.rows[0].cells[1].text.value, "-2.00");
  EXPECT_EQ(table.rows[0].cells[1].text.spread, "0.14");  // sqrt(2)/10
  EXPECT_EQ(table.rows[0].cells[0].text.value, "4.0");
  EXPECT_EQ(table.rows[1].cells[0].text.value, "—");
  EXPECT_EQ(table.rows[1].cells[0].note, "unsupported: the method has no score");
  EXPECT_NE(render_markdown(table).find("the method has no score"), std::string::npos);
}

TEST(DiagnosticTable, IsAbsentWhereNothingWasAsked) {
  TaskResult task;
  task.name = "task";
  CellResult cell = asked("ddpm", 0, {});
  cell.head.diagnostics.clear();
  task.cells = {cell};
  EXPECT_TRUE(make_diagnostic_tables(task, summarise(task)).empty());
}

}  // namespace
}  // namespace onmanifold
