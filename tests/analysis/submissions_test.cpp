// SPDX-License-Identifier: Apache-2.0
#include "analysis/submissions.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/summary.hpp"
#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/point_files.hpp"
#include "core/files/points_hash.hpp"
#include "core/files/temporary_directory.hpp"
#include "core/random/stream.hpp"
#include "reports/markdown_report.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/made_report.hpp"
#include "tests/support/synthetic_results.hpp"

namespace onmanifold {
namespace {

class Submissions : public testing::Test {
 protected:
  void SetUp() override {
    if (pristine_.tasks.empty()) {
      write_synthetic_results(directory_.file("results"),
                              {.seeds = 2, .samples = 20, .reference = 20, .mesh_resolution = 6});
      pristine_ = load_results(directory_.file("results"));
    }
    results_ = pristine_;
    const TaskFile& task = *std::find_if(results_.tasks.begin(), results_.tasks.end(), [](const TaskResult& t) {
                              return t.name == "synthetic-sphere";
                            })->file;
    points_ = task.reference;
    score_ = Value::Table{{"onmanifold", "0.1.0"},
                          {"name", "mine"},
                          {"task", "synthetic-sphere"},
                          {"task_version", 1},
                          {"data_hash", task.data_hash},
                          {"reference_hash", points_hash(task.reference)},
                          {"samples_hash", points_hash(points_)},
                          {"metrics", Value::Array{metric("coverage", "projected", 0.5), metric("own", "raw", 1.0)}}};
  }

  /// As the synthetic cells measure coverage.
  static Value metric(const char* name, const char* samples, double value) {
    return Value::Table{
        {"name", name},      {"samples", samples}, {"value", value},    {"direction", "higher"},
        {"target", Value()}, {"null", 0.96875},    {"null_sd", 0.0018}, {"se", Value()},
        {"p", Value()},      {"unit", ""},         {"version", 1},      {"n_reference", 20},
        {"n_samples", 20},   {"n_nonfinite", 0},   {"status", "ok"},    {"parameters", Value::Table{{"k", 5}}}};
  }

  Value::Table& table() { return *score_.get_if<Value::Table>(); }
  Value::Table& coverage() { return *table()["metrics"].get_if<Value::Array>()->front().get_if<Value::Table>(); }
  std::string file() {
    const std::string path = directory_.file("mine.json");
    write_file(path, to_pretty_json(score_));
    return path;
  }
  /// One clear line, and nothing added.
  testing::AssertionResult refused(const std::vector<std::string>& parts) {
    const auto result = throws_message<InvalidInput>([&] { add_submission(results_, file()); }, parts);
    if (!result) return result;
    for (const TaskResult& task : results_.tasks) {
      for (const CellResult& cell : task.cells) {
        if (cell.key.lift == submission_mark) return testing::AssertionFailure() << "a row was added";
      }
    }
    return result;
  }
  TaskResult& sphere() { return results_.tasks.back(); }

  TemporaryDirectory directory_;
  ResultSet pristine_;  // as on disk
  ResultSet results_;
  Points points_;
  Value score_;
};

TEST_F(Submissions, BecomeRowsOfTheirTask) {
  const std::size_t columns = summarise(sphere()).columns.size();
  add_submission(results_, file());
  coverage()["value"] = 0.6;
  add_submission(results_, file());
  const TaskSummary summary = summarise(sphere());
  EXPECT_EQ(summary.columns.size(), columns) << "a metric that the results lack makes no column";
  const auto arm =
      std::find_if(summary.arms.begin(), summary.arms.end(), [](const Arm& a) { return a.method == "mine"; });
  ASSERT_NE(arm, summary.arms.end());
  EXPECT_EQ(arm->lift, submission_mark);
  EXPECT_EQ(arm->role, MethodRole::learner);
  const int column = summary.column("coverage", SampleKind::projected);
  ASSERT_GE(column, 0);
  EXPECT_FALSE(summary.columns[static_cast<std::size_t>(column)].mixed_protocol);
  const Summary& entry =
      summary.table[static_cast<std::size_t>(arm - summary.arms.begin())][static_cast<std::size_t>(column)];
  ASSERT_EQ(entry.values.size(), 2U);
  EXPECT_EQ(entry.values[0], std::make_pair(0, 0.5));
  EXPECT_EQ(entry.values[1], std::make_pair(1, 0.6));
  EXPECT_EQ(std::count_if(sphere().cells.begin(), sphere().cells.end(),
                          [](const CellResult& cell) { return !cell.problem.empty(); }),
            1)
      << "the failed cell of the synthetic results, and no other";
  const std::string page = markdown_report(MadeReport(results_).report);
  EXPECT_NE(page.find("mine"), std::string::npos);
  EXPECT_NE(page.find("submitted, mine.json"), std::string::npos);
}

TEST_F(Submissions, OfAnotherTaskOrReferenceAreRefused) {
  table()["task"] = "sphere-vmf6";
  EXPECT_TRUE(refused({"mine.json", "sphere-vmf6", "synthetic-plane"}));
  table()["task"] = "synthetic-sphere";
  table()["reference_hash"] = std::string(64, 'c');
  EXPECT_TRUE(refused({"mine.json", "reference_hash", "cccc"}));
  SetUp();
  table()["data_hash"] = std::string(64, 'd');
  EXPECT_TRUE(refused({"data_hash", "dddd"}));
  SetUp();
  table()["task_version"] = 2;
  EXPECT_TRUE(refused({"version", "2", "the results have 1"}));
}

TEST_F(Submissions, OfAnotherProtocolAreRefused) {
  coverage()["n_samples"] = 10;
  EXPECT_TRUE(refused({"protocol", "coverage", "n_samples 10", "the results have 20"}));
  SetUp();
  coverage()["n_reference"] = 10;
  EXPECT_TRUE(refused({"n_reference 10"}));
  SetUp();
  coverage()["parameters"] = Value::Table{{"k", 3}};
  EXPECT_TRUE(refused({"parameters", "{\"k\":3}", "{\"k\":5}"}));
  SetUp();
  coverage()["version"] = 2;
  EXPECT_TRUE(refused({"coverage", "version 2"}));
  SetUp();
  coverage()["name"] = "other";
  EXPECT_TRUE(refused({"none of its metrics"}));
}

TEST_F(Submissions, ThatAreNoScoresAreRefused) {
  table().erase("task");
  EXPECT_TRUE(refused({"no score of a task"}));
  SetUp();
  table()["name"] = "oracle";
  EXPECT_TRUE(refused({"oracle", "--name"}));
  table()["name"] = "a|b";
  EXPECT_TRUE(refused({"a|b", "--name"}));
  SetUp();
  coverage()["samples"] = "cooked";
  EXPECT_TRUE(refused({"cooked"}));
  SetUp();
  coverage().erase("parameters");
  EXPECT_TRUE(refused({"parameters"}));
  score_ = "text";
  EXPECT_TRUE(refused({"no score"}));
  EXPECT_TRUE(
      throws_message<InvalidInput>([&] { add_submission(results_, directory_.file("none.json")); }, {"none.json"}));
  EXPECT_TRUE(throws_message<InvalidInput>([&] { add_submission(results_, directory_.path()); }, {"cannot be read"}));
  write_file(directory_.file("broken.json"), "{\"task\": ");
  EXPECT_TRUE(
      throws_message<InvalidInput>([&] { add_submission(results_, directory_.file("broken.json")); }, {"broken.json"}));
}

TEST_F(Submissions, PointsBesideTheFileMustBeThoseScored) {
  write_points(directory_.file("mine.npy"), points_);
  add_submission(results_, file());
  SetUp();
  points_(0, 0) += 1e-12;
  write_points(directory_.file("mine.npy"), points_);
  EXPECT_TRUE(refused({"mine.npy", "samples_hash"}));
}

TEST(PointsHash, IsThatOfTheFileInEveryFormat) {
  const TemporaryDirectory directory;
  const Points points = Stream(1, "points_hash").normal(3, 7);
  for (const char* name : {"points.npy", "points.csv", "points.h5"}) {
    write_points(directory.file(name), points);
    EXPECT_EQ(points_file_hash(directory.file(name)), points_hash(points)) << name;
  }
  Points other = points;
  other(2, 6) = -other(2, 6);
  EXPECT_NE(points_hash(other), points_hash(points));
  const Points flat = Eigen::Map<const Points>(points.data(), 7, 3);
  EXPECT_NE(points_hash(flat), points_hash(points)) << "the same numbers in another shape";
}

}  // namespace
}  // namespace onmanifold
