// SPDX-License-Identifier: Apache-2.0
#include "analysis/axis.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "reports/cell_text.hpp"
#include "reports/markdown_report.hpp"
#include "reports/terminal_report.hpp"
#include "tests/support/made_method.hpp"
#include "tests/support/made_report.hpp"

namespace onmanifold {
namespace {

struct ArmSpec {
  std::string method;
  std::string type;
  std::string lift = "none";
  std::string lift_type = "none";
  double sigma = 0;
};

TaskResult make_task(const std::vector<ArmSpec>& arms) {
  TaskResult task;
  task.name = "task";
  double value = 0.1;
  for (const ArmSpec& arm : arms) {
    for (int seed = 0; seed < 2; ++seed) {
      CellResult cell;
      cell.key = {.task = "task", .method = arm.method, .lift = arm.lift, .seed = seed};
      cell.head.config = Value::Table{{"method", Value::Table{{"type", arm.type}}},
                                      {"lift", Value::Table{{"type", arm.lift_type}, {"sigma", arm.sigma}}}};
      cell.head.method = made_method(arm.type, arm.lift_type);
      if (arm.type == "mad") {
        cell.head.status = {CellState::unsupported, "no base score on a mesh"};
        cell.problem = "unsupported: no base score on a mesh";
      } else {
        MetricRecord record;
        record.name = "tvd";
        record.direction = Direction::lower;
        record.null = 0.05;
        record.value = value + 0.001 * seed;
        cell.has_metrics = true;
        cell.raw = {record};
        record.value = value + 0.002 * seed;
        cell.projected = {record};
      }
      task.cells.push_back(cell);
    }
    value += 0.1;
  }
  std::sort(task.cells.begin(), task.cells.end(),
            [](const CellResult& a, const CellResult& b) { return a.key < b.key; });
  return task;
}

/// Text of the cell of \p row under the column \p place (\p variant), "(no such column)" where there is none.
std::string cell_of(const Table& table, std::size_t row, const std::string& place, const std::string& variant = "") {
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].name == place && table.columns[c].variant == variant)
      return cell_text(table.rows[row].cells[c]).value;
  }
  return "(no such column)";
}

const std::vector<ArmSpec> matrix = {{"oracle", "oracle"},
                                     {"ddpm", "ddpm"},                                 // .2
                                     {"ddpm", "ddpm", "wide", "normal", 0.3},          // .3
                                     {"ddpm", "ddpm", "normal", "normal", 0.1},        // .4
                                     {"ddpm", "ddpm", "isotropic", "isotropic", 0.1},  // .5
                                     {"niso", "niso"},                                 // .6
                                     {"niso_fine", "niso"},                            // .7
                                     {"mad", "mad"},
                                     {"flow", "flow_matching"},                                 // .9
                                     {"riemannian_flow_matching", "riemannian_flow_matching"},  // 1.0
                                     {"gaussian", "gaussian"}};

TEST(Axis, PutsEveryLearnerInItsPlace) {
  const MadeReport made(make_task(matrix));
  const auto& table = made.report.tables.tasks[0].axis;
  ASSERT_TRUE(table.has_value());
  std::vector<std::string> columns;
  for (const TableColumn& column : table->columns) columns.push_back(column.name + "/" + column.variant);
  EXPECT_EQ(columns, (std::vector<std::string>{"nowhere/", "data/normal", "data/wide", "data/isotropic", "noise/",
                                               "target/", "intrinsic/"}));
  ASSERT_EQ(table->rows.size(), 3U);  // ddpm, a second row for the second niso, flow
  EXPECT_EQ(table->rows[0].name, "ddpm");
  EXPECT_EQ(table->rows[1].name, "ddpm");
  EXPECT_EQ(table->rows[2].name, "flow");
  EXPECT_EQ(cell_of(*table, 0, "nowhere"), "0.2010");
  EXPECT_EQ(cell_of(*table, 0, "data", "wide"), "0.3010");
  EXPECT_EQ(cell_of(*table, 0, "data", "isotropic"), "0.5010");
  EXPECT_EQ(cell_of(*table, 0, "noise"), "0.6010");
  EXPECT_EQ(cell_of(*table, 1, "noise"), "0.7010");
  EXPECT_EQ(cell_of(*table, 1, "nowhere"), "");
  EXPECT_EQ(cell_of(*table, 0, "target"), "unsupported");
  EXPECT_EQ(cell_of(*table, 2, "nowhere"), "0.9010");
  EXPECT_EQ(cell_of(*table, 2, "intrinsic"), "1.0010");

  const std::string markdown = render_markdown(*table);
  for (const char* part : {"| nowhere |", " data (normal) |", "unsupported", "noise = niso\\_fine", "oracle 0.1010"}) {
    EXPECT_NE(markdown.find(part), std::string::npos) << part << "\n" << markdown;
  }
  EXPECT_NE(render_terminal(*table, false).find("intrinsic"), std::string::npos);
}

TEST(Axis, NeedsThreePlacesAndAMetric) {
  const TaskResult two = make_task({{"ddpm", "ddpm"}, {"ddpm", "ddpm", "normal", "normal", 0.1}});
  EXPECT_TRUE(mismatch_axis(summarise(two)).empty());
  TaskResult bare = make_task(matrix);
  for (CellResult& cell : bare.cells) {
    cell.raw.clear();
    cell.projected.clear();
  }
  EXPECT_TRUE(mismatch_axis(summarise(bare)).empty());
  EXPECT_EQ(summarise(bare).primary, -1);
}

}  // namespace
}  // namespace onmanifold
