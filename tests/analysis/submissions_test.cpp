// SPDX-License-Identifier: Apache-2.0
#include "analysis/submissions.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
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
    MetricInfo share;
    share.direction = Direction::higher;
    share.lowest = 0;
    share.highest = 1;
    share.discrepancy = true;  // as far as these tests go
    rules_.metrics = {{"coverage", share}};
    found_ = {};
    found_.projected = {coverage_record(0.5)};
    rules_.score = [this](const TaskResult& scored, const SubmittedPoints& points) {
      EXPECT_EQ(scored.name, "synthetic-sphere");
      asked_ = points;
      return found_;
    };
    asked_ = {};
  }

  /// As the synthetic cells measure coverage.
  static Value metric(const char* name, const char* samples, double value) {
    return Value::Table{
        {"name", name},      {"samples", samples}, {"value", value},    {"direction", "higher"},
        {"target", Value()}, {"null", 0.96875},    {"null_sd", 0.0018}, {"se", Value()},
        {"p", Value()},      {"unit", ""},         {"version", 1},      {"n_reference", 20},
        {"n_samples", 20},   {"n_nonfinite", 0},   {"status", "ok"},    {"parameters", Value::Table{{"k", 5}}}};
  }

  /// What scoring again finds.
  static MetricRecord coverage_record(double value) {
    MetricRecord record;
    record.name = "coverage";
    record.value = value;
    record.direction = Direction::higher;
    record.null = 0.96875;
    record.null_sd = 0.0018;
    record.parameters = R"({"k": 5})";
    record.n_reference = record.n_samples = 20;
    return record;
  }

  Value::Table& table() { return *score_.get_if<Value::Table>(); }
  Value::Table& coverage() { return *table()["metrics"].get_if<Value::Array>()->front().get_if<Value::Table>(); }
  std::string file() {
    const std::string path = directory_.file("mine.json");
    write_file(path, to_pretty_json(score_));
    return path;
  }
  /// The only record of the row that was added last.
  const MetricRecord& added() {
    const auto cell = std::find_if(sphere().cells.rbegin(), sphere().cells.rend(),
                                   [](const CellResult& one) { return one.submission; });
    EXPECT_EQ(cell->projected.size(), 1U);
    return cell->projected.front();
  }
  std::string lift_added() {
    return std::find_if(sphere().cells.begin(), sphere().cells.end(), [](const CellResult& c) { return c.submission; })
        ->key.lift;
  }
  void write_samples() { write_points(directory_.file("mine.npy"), points_); }
  /// One clear line, and nothing added.
  testing::AssertionResult refused(const std::vector<std::string>& parts) {
    const auto result = throws_message<InvalidInput>([&] { add_submission(results_, file(), rules_); }, parts);
    if (!result) return result;
    for (const TaskResult& task : results_.tasks) {
      for (const CellResult& cell : task.cells) {
        if (cell.submission) return testing::AssertionFailure() << "a row was added";
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
  SubmissionRules rules_;
  Rescored found_;
  SubmittedPoints asked_;  // what was scored again last
};

TEST_F(Submissions, BecomeRowsOfTheirTask) {
  const std::size_t columns = summarise(sphere()).columns.size();
  add_submission(results_, file(), rules_);
  coverage()["value"] = 0.6;
  add_submission(results_, file(), rules_);
  const TaskSummary summary = summarise(sphere());
  EXPECT_EQ(summary.columns.size(), columns) << "a metric that the results lack makes no column";
  const auto arm =
      std::find_if(summary.arms.begin(), summary.arms.end(), [](const Arm& a) { return a.method == "mine"; });
  ASSERT_NE(arm, summary.arms.end());
  EXPECT_EQ(arm->lift, unchecked_submission_mark);
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
  EXPECT_NE(page.find("| mine | submission (not re-scored) |"), std::string::npos) << page;
  EXPECT_TRUE(asked_.samples.empty());
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
  EXPECT_TRUE(throws_message<InvalidInput>([&] { add_submission(results_, directory_.file("none.json"), rules_); },
                                           {"none.json"}));
  EXPECT_TRUE(
      throws_message<InvalidInput>([&] { add_submission(results_, directory_.path(), rules_); }, {"cannot be read"}));
  write_file(directory_.file("broken.json"), "{\"task\": ");
  EXPECT_TRUE(throws_message<InvalidInput>([&] { add_submission(results_, directory_.file("broken.json"), rules_); },
                                           {"broken.json"}));
}

TEST_F(Submissions, PointsBesideTheFileMustBeThoseScored) {
  write_samples();
  add_submission(results_, file(), rules_);
  SetUp();
  points_(0, 0) += 1e-12;
  write_samples();
  EXPECT_TRUE(refused({"mine.npy", "samples_hash"}));
}

TEST_F(Submissions, PointsAtHandAreScoredAgain) {
  write_samples();
  found_.projected = {coverage_record(0.5 + 1e-9)};
  add_submission(results_, file(), rules_);
  EXPECT_EQ(lift_added(), submission_mark);
  EXPECT_EQ(added().value, 0.5 + 1e-9) << "what was found, not what was told";
  EXPECT_EQ(asked_.samples, directory_.file("mine.npy"));
  EXPECT_FALSE(asked_.allow_nonfinite);
  EXPECT_NE(markdown_report(MadeReport(results_).report).find("re-scored from mine.npy"), std::string::npos);
  // An edited value beside its own untouched samples.
  SetUp();
  coverage()["value"] = 0.6;
  EXPECT_TRUE(refused({"coverage", "is 0.6", "mine.npy", "give 0.5"}));
  // No value at all, where there is one.
  SetUp();
  coverage()["value"] = "nan";
  coverage()["status"] = "failed: no";
  EXPECT_TRUE(refused({"coverage", "is nan", "give 0.5"}));
  // What the file leaves out is in the row nevertheless.
  SetUp();
  found_.raw = {coverage_record(0.25)};
  add_submission(results_, file(), rules_);
  EXPECT_EQ(sphere().cells.size(), pristine_.tasks.back().cells.size() + 1);
  const auto cell =
      std::find_if(sphere().cells.begin(), sphere().cells.end(), [](const CellResult& c) { return c.submission; });
  ASSERT_EQ(cell->raw.size(), 1U);
  EXPECT_EQ(cell->raw.front().value, 0.25);
}

TEST_F(Submissions, PointsAreFoundByTheNameInTheFileButNotElsewhere) {
  write_points(directory_.file("points.csv"), points_);
  table()["samples_file"] = "points.csv";
  coverage()["n_nonfinite"] = 1;
  add_submission(results_, file(), rules_);
  EXPECT_EQ(asked_.samples, directory_.file("points.csv"));
  EXPECT_TRUE(asked_.allow_nonfinite);
  SetUp();
  write_points(directory_.file("points.h5:/a/b"), points_);
  table()["samples_file"] = "points.h5:/a/b";
  add_submission(results_, file(), rules_);
  EXPECT_EQ(asked_.samples, directory_.file("points.h5") + ":/a/b");
  // A name with a folder is none, wherever it leads.
  SetUp();
  std::filesystem::create_directory(directory_.file("sub"));
  write_points(directory_.file("sub/points.csv"), points_);
  for (const std::string& name : {std::string("sub/points.csv"), std::string("../") + "points.csv",
                                  directory_.file("points.csv"), std::string("..")}) {
    SetUp();
    table()["samples_file"] = name;
    add_submission(results_, file(), rules_);
    EXPECT_EQ(lift_added(), unchecked_submission_mark) << name;
  }
}

TEST_F(Submissions, TrainingPointsServeIfTheyAreThoseOfTheScore) {
  write_samples();
  write_points(directory_.file("train.npy"), points_);
  table()["train_file"] = "train.npy";
  table()["train_hash"] = points_hash(points_);
  add_submission(results_, file(), rules_);
  EXPECT_EQ(asked_.training, directory_.file("train.npy"));
  SetUp();
  table()["train_file"] = "train.npy";
  table()["train_hash"] = std::string(64, 'a');
  add_submission(results_, file(), rules_);
  EXPECT_EQ(asked_.training, "");
}

TEST_F(Submissions, WhatCannotBeScoredAgainIsSaidInTheRow) {
  write_samples();
  found_.projected.clear();
  found_.raw = {coverage_record(0.5)};
  add_submission(results_, file(), rules_);
  EXPECT_EQ(lift_added(), "submission (coverage not re-scored)");
  SetUp();
  found_.problem = "its data are not here";
  add_submission(results_, file(), rules_);
  EXPECT_EQ(lift_added(), unchecked_submission_mark);
  EXPECT_NE(markdown_report(MadeReport(results_).report).find("not re-scored: its data are not here"),
            std::string::npos);
}

TEST_F(Submissions, ValuesThatTheMetricCannotTakeAreRefused) {
  const auto refused_with = [&](const char* key, const Value& value, const std::vector<std::string>& parts) {
    SetUp();
    coverage()[key] = value;
    return refused(parts);
  };
  EXPECT_TRUE(refused_with("value", "-inf", {"mine.json", "coverage of projected samples", "-inf", "0 to 1"}));
  EXPECT_TRUE(refused_with("value", "inf", {"inf", "0 to 1"}));
  EXPECT_TRUE(refused_with("value", -0.1, {"-0.1", "0 to 1"}));
  EXPECT_TRUE(refused_with("value", 1.5, {"1.5", "0 to 1"}));
  EXPECT_TRUE(refused_with("value", "nan", {"has no value"}));
  EXPECT_TRUE(refused_with("status", "failed: no", {"failed", "0.5"}));
  EXPECT_TRUE(refused_with("se", -1.0, {"standard error -1"}));
  EXPECT_TRUE(refused_with("p", 2.0, {"p-value 2"}));
  EXPECT_TRUE(refused_with("n_nonfinite", 21, {"21 of 20"}));
  EXPECT_TRUE(refused_with("unit", "nats", {"unit nats"}));
  // Without an upper end an infinite distance is a bad value, but a value.
  SetUp();
  rules_.metrics["coverage"] = MetricInfo{};
  coverage()["value"] = "-inf";
  EXPECT_TRUE(refused({"-inf"}));
  SetUp();
  Value::Array& rows = *table()["metrics"].get_if<Value::Array>();
  rows.push_back(rows.front());
  EXPECT_TRUE(refused({"coverage", "twice"}));
}

TEST_F(Submissions, ValuesBetterThanTheTruthAreRefused) {
  // The null is 0.96875 ± 0.0018: eight of these above it is 0.98315.
  coverage()["value"] = 0.982;
  add_submission(results_, file(), rules_);
  SetUp();
  coverage()["value"] = 0.984;
  EXPECT_TRUE(refused({"0.984", "8.47 standard deviations", "0.9688"}));
  // Of other metrics the truth is not the best that there is.
  SetUp();
  rules_.metrics.at("coverage").discrepancy = false;
  coverage()["value"] = 0.984;
  add_submission(results_, file(), rules_);
  // What is found for the points is judged in the same way.
  SetUp();
  write_samples();
  found_.raw = {coverage_record(1)};
  EXPECT_TRUE(refused({"coverage of raw samples", "is 1", "standard deviations"}));
}

TEST_F(Submissions, NullsAreThoseOfTheTask) {
  coverage()["null"] = 0.1;
  coverage()["null_sd"] = 1e9;
  coverage()["target"] = 7;
  add_submission(results_, file(), rules_);
  EXPECT_EQ(added().null, 0.96875);
  EXPECT_EQ(added().null_sd, 0.0018);
  EXPECT_TRUE(std::isnan(added().target));
  // A wide null of its own does not excuse a value.
  SetUp();
  coverage()["value"] = 1.0;
  coverage()["null_sd"] = 1e9;
  EXPECT_TRUE(refused({"standard deviations"}));
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
