// SPDX-License-Identifier: Apache-2.0
// What a report knows comes from what its files say, not from names; and all of it is computed once.
#include "reports/analysis.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/call_count.hpp"
#include "core/files/temporary_directory.hpp"
#include "reports/cell_text.hpp"
#include "reports/markdown_report.hpp"
#include "reports/report.hpp"
#include "reports/sentences.hpp"
#include "reports/terminal_report.hpp"
#include "tests/support/made_method.hpp"
#include "tests/support/made_report.hpp"
#include "tests/support/report_fixture.hpp"

namespace onmanifold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

MetricRecord record(const char* name, double value, const char* parameters = "{}") {
  MetricRecord made;
  made.name = name;
  made.value = value;
  made.null = 0.01;
  made.null_sd = 0.001;
  made.direction = Direction::lower;
  made.parameters = parameters;
  made.n_samples = 100;
  return made;
}

// Three seeds of an arm with these metrics on both kinds of samples.
void add_arm(TaskResult& task, const char* label, const char* type, const std::vector<MetricRecord>& records,
             const char* lift = "none", const char* lift_type = "none") {
  for (int seed = 0; seed < 3; ++seed) {
    CellResult cell;
    cell.key = {.task = task.name, .method = label, .lift = lift, .seed = seed};
    cell.head.config = Value::Table{{"lift", Value::Table{{"sigma", 0.1}}}};
    cell.head.method = made_method(type, lift_type);
    cell.has_metrics = true;
    cell.raw = cell.projected = records;
    for (MetricRecord& one : cell.projected) one.value += 0.001 * seed;
    task.cells.push_back(std::move(cell));
  }
}

TaskResult made_task(const char* name = "task") {
  TaskResult task;
  task.name = name;
  task.file = TaskFile{};
  task.file->name = name;
  return task;
}

std::vector<std::string> column_names(const Table& table) {
  std::vector<std::string> names;
  for (const TableColumn& column : table.columns) names.push_back(column.name);
  return names;
}

// As files say it of their metrics.
ResultSet with_infos(TaskResult task) {
  ResultSet results{.directory = "", .tasks = {std::move(task)}};
  results.metrics["nll"].samples = SampleKind::raw;
  results.metrics["constraint_mean"].samples = SampleKind::raw;
  return results;
}

// --- roles

TEST(Roles, AreThoseOfTheMethodAndNotOfItsLabel) {
  TaskResult task = made_task();
  add_arm(task, "truth", "oracle", {record("tvd", 0.01)});
  add_arm(task, "moments", "gaussian", {record("tvd", 0.5)});
  add_arm(task, "copies", "memorizer", {record("tvd", 0.02)});
  add_arm(task, "oracle", "ddpm", {record("tvd", 0.2)});
  add_arm(task, "mine", "realnvp", {record("tvd", 0.3)});
  const MadeReport made(task);
  const TaskSummary& summary = made.analysis.tasks[0].summary;
  ASSERT_EQ(summary.arms.size(), 5U);
  EXPECT_EQ(summary.arms[0].method, "truth");
  EXPECT_EQ(summary.arms[0].role, MethodRole::oracle);
  const TaskOverview& overview = made.analysis.tasks[0].overview;
  EXPECT_EQ(summary.arms[static_cast<std::size_t>(overview.best)].method, "oracle");  // a label of ddpm
  EXPECT_EQ(made.analysis.ranking.arms.size(), 2U);
  // The scale runs from the moment fit to the draws of the truth, whatever they are called.
  EXPECT_NEAR(overview.way, (0.5 - 0.2) / (0.5 - 0.01), 1e-9);
  EXPECT_THAT(overview_lines(made.analysis)[0], HasSubstr("best is oracle with"));
  EXPECT_THAT(overview_lines(made.analysis)[0], HasSubstr("truth 0.0110"));
}

// --- places

// The cell of the row of \p label under \p place, or "(none)".
std::string at_place(const Table& table, const std::string& label, const std::string& place) {
  for (const TableRow& row : table.rows) {
    if (row.name != label) continue;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const std::string text = cell_text(row.cells[c]).value;
      if (table.columns[c].name == place && !text.empty()) return text;
    }
  }
  return "(none)";
}

TaskResult task_with_places() {
  TaskResult task = made_task();
  add_arm(task, "ddpm", "ddpm", {record("tvd", 0.3)});
  add_arm(task, "ddpm", "ddpm", {record("tvd", 0.2)}, "normal", "normal");
  add_arm(task, "pdm", "pdm", {record("tvd", 0.25)});
  return task;
}

TEST(Places, AnExternalMethodStandsWhereItsSuiteSays) {
  TaskResult task = task_with_places();
  add_arm(task, "mine", "external", {record("tvd", 0.1)});
  for (CellResult& cell : task.cells) {
    if (cell.key.method == "mine") cell.head.method.info.place = Place::sampling;
  }
  const MadeReport made(task);
  ASSERT_TRUE(made.report.tables.tasks[0].axis);
  const Table& table = *made.report.tables.tasks[0].axis;
  EXPECT_EQ(at_place(table, "mine", "sampling"), "0.1010");
  EXPECT_EQ(at_place(table, "mine", "nowhere"), "(none)");
}

TEST(Places, NobodyKnowsWhereAnOldExternalMethodHandlesIt) {
  TaskResult task = task_with_places();
  add_arm(task, "mine", "external", {record("tvd", 0.1)});
  add_arm(task, "mine", "external", {record("tvd", 0.15)}, "normal", "normal");
  const MadeReport made(task);
  ASSERT_TRUE(made.report.tables.tasks[0].axis);
  const Table& table = *made.report.tables.tasks[0].axis;
  EXPECT_EQ(at_place(table, "mine", "nowhere"), "(none)");
  EXPECT_EQ(at_place(table, "mine", "data"), "0.1510");  // the lift says so
  EXPECT_THAT(render_markdown(table), HasSubstr("the suite does not say where mine handles it"));
}

// --- suites

TEST(Purpose, IsWhatASuiteSaysAndNotItsName) {
  const auto lines = [](const char* name, bool demonstration) {
    TaskResult task = made_task();
    Value::Table details = {{"suite", name}, {"purpose", demonstration ? "demonstration" : "study"}};
    task.file->details = std::move(details);
    add_arm(task, "ddpm", "ddpm", {record("tvd", 0.3)});
    return conclusion_lines(MadeReport(task).analysis);
  };
  for (const char* name : {"quick", "smoke", "claims", "mine"}) {
    EXPECT_THAT(lines(name, false).front(), Not(HasSubstr("demonstration"))) << name;
    EXPECT_THAT(lines(name, true).front(), HasSubstr("is a demonstration")) << name;
  }
}

// --- columns

TEST(Columns, AreThoseThatWereAskedForPrimaryFirst) {
  TaskResult task = made_task();
  add_arm(task, "ddpm", "ddpm", {record("w2", 0.3), record("energy", 0.2), record("fd", 0.1)});
  EXPECT_THAT(column_names(MadeReport(task).report.tables.tasks[0].main), ElementsAre("w2", "energy", "fd"));
  TaskResult backbone = made_task("backbone");
  add_arm(backbone, "ddpm", "ddpm", {record("energy", 0.3), record("coverage", 0.2), record("constraint_mean", 0.1)});
  const MadeReport made(with_infos(backbone));
  const Table& table = made.report.tables.tasks[0].main;
  EXPECT_THAT(column_names(table), ElementsAre("energy", "coverage", "constraint_mean"));
  // How well samples keep to the manifold is read before they are projected to it.
  EXPECT_EQ(table.columns[0].samples, SampleKind::projected);
  EXPECT_EQ(table.columns[2].samples, SampleKind::raw);
  for (const std::string& text : {render_markdown(table), render_terminal(table, false)}) {
    EXPECT_LT(text.find("energy"), text.find("coverage"));
  }
}

TEST(Columns, DensitiesOfDifferentMeasuresAreDifferentColumns) {
  TaskResult task = made_task();
  const char* const on_manifold = R"({"measure":"volume of the manifold"})";
  const char* const in_space = R"({"measure":"volume of the ambient space"})";
  add_arm(task, "rsgm", "rsgm", {record("tvd", 0.3), record("nll", 0.5, on_manifold)});
  add_arm(task, "flow", "realnvp", {record("tvd", 0.2), record("nll", -4.0, in_space)});
  MetricRecord none = record("nll", MetricRecord::unknown, in_space);
  none.status = {RecordState::not_applicable, "no stored log-densities"};
  add_arm(task, "vae", "vae", {record("tvd", 0.4), none});
  const MadeReport made(with_infos(task));
  const Table& table = made.report.tables.tasks[0].main;
  ASSERT_THAT(column_names(table), ElementsAre("tvd", "nll", "nll"));
  EXPECT_EQ(table.columns[1].kind(), "M, raw");
  EXPECT_EQ(table.columns[2].kind(), "R^D, raw");
  const std::string text = render_markdown(table);
  EXPECT_THAT(text, HasSubstr("| nll ↓ (M, raw) | nll ↓ (R^D, raw) |"));
  const TaskSummary& summary = made.analysis.tasks[0].summary;
  for (std::size_t c = 0; c < summary.columns.size(); ++c) EXPECT_FALSE(summary.columns[c].mixed_protocol);
  for (const TableRow& row : table.rows) {
    const FormattedValue manifold = cell_text(row.cells[1]);
    const FormattedValue space = cell_text(row.cells[2]);
    if (row.name == "rsgm") {
      EXPECT_TRUE(manifold.value == "0.5000" && space.value == "—") << manifold.value;
    }
    if (row.name == "flow") {
      EXPECT_TRUE(manifold.value == "—" && space.value == "-4.000") << space.value;
    }
  }
}

// --- sizes

TEST(Sizes, AreThoseThatTheTaskHadAndNotThoseAskedFor) {
  const auto note = [](const std::vector<std::pair<const char*, int>>& told) {
    TaskResult task = made_task("earth");
    task.file->details = Value::Table{{"n_train", 4896}, {"n_samples", 100}};
    for (const auto& [method, n] : told) {
      add_arm(task, method, method, {record("tvd", 0.3)});
      for (CellResult& cell : task.cells) {
        if (cell.key.method == method) (*cell.head.config.get_if<Value::Table>())["n_train"] = n;
      }
    }
    return MadeReport(task).report.tables.tasks[0].main.footnotes.front().text;
  };
  const std::string all = note({{"ddpm", 100000}, {"vae", 100000}});
  EXPECT_THAT(all, HasSubstr("4896 training points, 100 samples"));
  EXPECT_THAT(all, Not(HasSubstr("100000")));
  EXPECT_THAT(note({{"ddpm", 100000}, {"vae", 1000}}), HasSubstr("4896 training points (vae 1000)"));
  // A method that was given more than the others, where the task has them.
  EXPECT_THAT(note({{"ddpm", 4896}, {"vae", 9000}}), HasSubstr("4896 training points (vae 9000)"));
}

// --- once

TEST(Analysis, IsComputedOnceForAllFormats) {
  const TemporaryDirectory directory;
  ResultSet results = report_fixture();
  // Of a suite that judges the claims.
  for (TaskResult& task : results.tasks) {
    auto& details = *task.file->details.get_if<Value::Table>();
    details["purpose"] = std::string(name_of(SuitePurpose::study));
    details["claims"] = true;
  }
  call_counts().clear();
  const Analysis analysis = analyse(results);
  const Report report(analysis);
  const auto counts = call_counts();
  const auto tasks = static_cast<int>(results.tasks.size());
  for (const char* per_task : {"summarise", "task_overview", "mismatch_axis", "summarise_diagnostics"}) {
    EXPECT_EQ(counts.at(per_task), tasks) << per_task;
  }
  for (const char* once : {"rank_arms", "lift_effects", "compare_published", "conclude", "judge_claims"}) {
    EXPECT_EQ(counts.at(once), 1) << once;
  }
  const std::vector<std::string> formats = report_format_registry().names();
  EXPECT_THAT(formats, testing::IsSupersetOf({"html", "md", "csv", "tex", "txt", "figures"}));
  EXPECT_EQ(write_reports(report, directory.path(), formats).size(), formats.size());
  EXPECT_FALSE(terminal_report(report, true).empty());
  EXPECT_EQ(call_counts(), counts);
  // The count sees a second one.
  (void)summarise(results.tasks[0]);
  EXPECT_NE(call_counts(), counts);
}

}  // namespace
}  // namespace onmanifold
