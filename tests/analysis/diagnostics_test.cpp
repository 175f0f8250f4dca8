// SPDX-License-Identifier: Apache-2.0
#include "analysis/diagnostics.hpp"

#include <gtest/gtest.h>

#include "reports/cell_text.hpp"
#include "reports/markdown_report.hpp"
#include "tests/support/made_method.hpp"
#include "tests/support/made_report.hpp"

namespace onmanifold {
namespace {

CellResult asked(const std::string& method, int seed, DiagnosticRecord record) {
  CellResult cell;
  cell.key = {.task = "task", .method = method, .lift = "none", .seed = seed};
  cell.head.method = made_method(method);
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
    return DiagnosticRecord{{},
                            {{"slope", Vector::Constant(1, slope)},
                             {"plateau", Vector::Constant(1, plateau)},
                             {"unknown", Vector::Constant(1, MetricRecord::unknown)},
                             {"fourier/gain", Vector::Constant(1, 2)},
                             {"level", Vector::LinSpaced(5, 0, 1)}}};
  };
  task.cells = {asked("ddpm", 0, answer(-2.1, 3)), asked("ddpm", 1, answer(-1.9, 5)),
                asked("gaussian", 0, {{RecordState::unsupported, "the method has no score"}, {}})};
  const MadeReport made(task);
  const std::vector<Table>& tables = made.report.tables.tasks[0].diagnostics;
  ASSERT_EQ(tables.size(), 1U);
  const Table& table = tables.front();
  EXPECT_EQ(table.title, "task: slope");
  ASSERT_EQ(table.columns.size(), 2U);  // a series of five, a detail and NaN are no columns
  EXPECT_EQ(table.columns[0].name, "plateau");
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0].name, "ddpm");
  EXPECT_EQ(table.rows[0].seeds(), "2");
  EXPECT_EQ(cell_text(table.rows[0].cells[1]).value, "-2.00");
  EXPECT_EQ(cell_text(table.rows[0].cells[1]).spread, "0.14");  // sqrt(2)/10
  EXPECT_EQ(cell_text(table.rows[0].cells[0]).value, "4.0");
  EXPECT_EQ(cell_text(table.rows[1].cells[0]).value, "—");
  EXPECT_EQ(table.rows[1].cells[0].note, "unsupported: the method has no score");
  EXPECT_NE(render_markdown(table).find("the method has no score"), std::string::npos);
}

TEST(DiagnosticTable, IsAbsentWhereNothingWasAsked) {
  TaskResult task;
  task.name = "task";
  CellResult cell = asked("ddpm", 0, {});
  cell.head.diagnostics.clear();
  task.cells = {cell};
  EXPECT_TRUE(summarise_diagnostics(summarise(task)).empty());
}

}  // namespace
}  // namespace onmanifold
