// SPDX-License-Identifier: Apache-2.0
#include "reports/axis_table.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "reports/markdown_table.hpp"
#include "reports/terminal_table.hpp"

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
    if (table.columns[c].metric == place && table.columns[c].samples == variant)
      return table.rows[row].cells[c].text.value;
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

TEST(AxisTable, PutsEveryLearnerInItsPlace) {
  const TaskResult task = make_task(matrix);
  const TaskSummary summary = summarise(task);
  const auto table = make_axis_table(task, summary);
  ASSERT_TRUE(table.has_value());
  std::vector<std::string> columns;
  for (const TableColumn& column : table->columns) columns.push_back(column.metric + "/" + column.samples);
  EXPECT_EQ(columns, (std::vector<std::string>{"nowhere/", "data/normal", "data/wide", "data/isotropic", "noise/",
                                               "target/", "intrinsic/"}));
  ASSERT_EQ(table->rows.size(), 3U);  // ddpm, a second row for the second niso, flow
  EXPECT_EQ(table->rows[0].method, "ddpm");
  EXPECT_EQ(table->rows[1].method, "ddpm");
  EXPECT_EQ(table->rows[2].method, "flow");
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

TEST(AxisTable, NeedsThreePlacesAndAMetric) {
  const TaskResult two = make_task({{"ddpm", "ddpm"}, {"ddpm", "ddpm", "normal", "normal", 0.1}});
  EXPECT_FALSE(make_axis_table(two, summarise(two)).has_value());
  TaskResult bare = make_task(matrix);
  for (CellResult& cell : bare.cells) cell.projected.clear();
  EXPECT_FALSE(make_axis_table(bare, summarise(bare)).has_value());
  EXPECT_EQ(primary_column(summarise(bare)), -1);
}

}  // namespace
}  // namespace onmanifold
