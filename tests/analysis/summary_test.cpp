// SPDX-License-Identifier: Apache-2.0
#include "analysis/summary.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/made_method.hpp"

namespace onmanifold {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

MetricRecord record(const std::string& direction, double value) {
  MetricRecord r;
  r.name = "m";
  r.direction = parse_direction(direction);
  r.value = value;
  r.null = 1.0;
  r.null_sd = 0.1;
  r.n_samples = 100;
  return r;
}

void add(TaskResult& task, const std::string& method, const std::string& lift, int seed, const MetricRecord& r) {
  CellResult cell;
  cell.key = {.task = "t", .method = method, .lift = lift, .seed = seed};
  cell.head.method = made_method(method, lift.substr(0, lift.find('-')));
  cell.has_metrics = true;
  cell.projected = {r};
  task.cells.push_back(cell);
}

void add_failed(TaskResult& task, const std::string& method, int seed) {
  CellResult cell;
  cell.key = {.task = "t", .method = method, .lift = "none", .seed = seed};
  cell.head.method = made_method(method);
  cell.head.status = {CellState::failed, "out of memory"};
  cell.problem = "failed: out of memory";
  task.cells.push_back(cell);
}

const Summary& find(const TaskSummary& summary, const std::string& method, const std::string& lift = "none") {
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    if (summary.arms[a].method == method && summary.arms[a].lift == lift) return summary.table[a][0];
  }
  throw std::runtime_error("no such arm");
}

TEST(Summarise, MeanSpreadAndIntervalByHand) {
  TaskResult task;
  add(task, "a", "none", 0, record("lower", 1.0));
  add(task, "a", "none", 1, record("lower", 2.0));
  add(task, "a", "none", 2, record("lower", 6.0));
  const TaskSummary summary = summarise(task);
  const Summary& a = find(summary, "a");
  EXPECT_EQ(a.values.size(), 3U);
  // (4 + 1 + 9) / 2 = 7; t(.975; 2) = 4.3027 to five digits. 1e-12 is rounding.
  EXPECT_NEAR(a.mean, 3.0, 1e-12);
  EXPECT_NEAR(a.sd, std::sqrt(7.0), 1e-12);
  EXPECT_NEAR(a.interval, 4.30265273 * std::sqrt(7.0 / 3.0), 1e-6);
  EXPECT_NEAR(a.null, 1.0, 1e-12);
  EXPECT_NEAR(summary.columns[0].null_sd, 0.1, 1e-12);
}

TEST(Summarise, OneSeedHasNoSpreadButItsEvaluationError) {
  TaskResult task;
  MetricRecord r = record("lower", 2.0);
  r.se = 0.25;
  add(task, "a", "none", 0, r);
  const TaskSummary summary = summarise(task);
  EXPECT_TRUE(std::isnan(find(summary, "a").sd));
  EXPECT_TRUE(std::isnan(find(summary, "a").interval));
  EXPECT_EQ(find(summary, "a").standard_error, 0.25);
}

TEST(Summarise, FailedAndNaNAreCountedAndNeverZero) {
  TaskResult task;
  add(task, "a", "none", 0, record("lower", 2.0));
  add_failed(task, "a", 1);
  add_failed(task, "b", 0);
  MetricRecord bad = record("lower", nan_value);
  bad.status = {RecordState::not_applicable, "no density"};
  add(task, "c", "none", 0, bad);
  const TaskSummary summary = summarise(task);
  EXPECT_EQ(find(summary, "a").n_failed, 1);
  EXPECT_EQ(find(summary, "a").mean, 2.0);
  EXPECT_FALSE(find(summary, "a").best);  // a mean over survivors is not ranked
  EXPECT_TRUE(std::isnan(find(summary, "b").mean));
  EXPECT_EQ(find(summary, "b").reason, "failed: out of memory");
  EXPECT_TRUE(std::isnan(find(summary, "c").mean));
  EXPECT_EQ(find(summary, "c").reason, "not_applicable: no density");
}

TEST(Summarise, ArmsStandInTheOrderOfTheTable) {
  TaskResult task;
  for (const char* method : {"memorizer", "gaussian", "exact_score", "oracle"}) {
    add(task, method, "none", 0, record("lower", 1.0));
  }
  for (const char* lift : {"normal-0.1", "normal-1", "none", "isotropic-0.1"}) {
    add(task, "ddpm", lift, 0, record("lower", 1.0));
  }
  std::string order;
  for (const Arm& arm : summarise(task).arms) order += arm.method + "/" + arm.lift + " ";
  EXPECT_EQ(order,
            "oracle/none exact_score/none ddpm/none ddpm/isotropic-0.1 ddpm/normal-0.1 ddpm/normal-1 gaussian/none "
            "memorizer/none ");
}

// Means 2 ± 1 (sd), 2.5, 2.6 with three seeds: the standard error of the best is 1/√3 = 0.577.
TaskResult three_arms(const std::string& direction, double sign, double target = nan_value) {
  TaskResult task;
  const auto add_arm = [&](const std::string& method, double middle, double spread) {
    for (int seed = 0; seed < 3; ++seed) {
      MetricRecord r = record(direction, sign * (middle + (seed - 1) * spread));
      r.target = target;
      add(task, method, "none", seed, r);
    }
  };
  add_arm("a", 2.0, 1.0);
  add_arm("b", 2.5, 0.0);
  add_arm("c", 2.6, 0.0);
  add_arm("oracle", 0.5, 0.0);
  add_arm("exact_score", 0.6, 0.0);
  add_arm("gaussian", 0.7, 0.0);
  add_arm("memorizer", 0.8, 0.0);
  return task;
}

TEST(MarkBest, TiesWithinOneStandardErrorShareTheMark) {
  for (const bool lower : {true, false}) {
    const TaskSummary summary = summarise(three_arms(lower ? "lower" : "higher", lower ? 1.0 : -1.0));
    EXPECT_TRUE(find(summary, "a").best);
    EXPECT_TRUE(find(summary, "b").best);
    EXPECT_FALSE(find(summary, "c").best);
    for (const char* apart : {"oracle", "exact_score", "gaussian", "memorizer"}) {
      EXPECT_FALSE(find(summary, apart).best) << apart;
    }
  }
}

TEST(MarkBest, DirectionDecides) {
  const TaskSummary summary = summarise(three_arms("higher", 1.0));
  EXPECT_FALSE(find(summary, "a").best);
  EXPECT_FALSE(find(summary, "b").best);
  EXPECT_TRUE(find(summary, "c").best);  // no spread: alone
}

TEST(MarkBest, TargetIsADistance) {
  const TaskSummary summary = summarise(three_arms("target", 1.0, 2.51));
  EXPECT_FALSE(find(summary, "a").best);
  EXPECT_TRUE(find(summary, "b").best);
  EXPECT_FALSE(find(summary, "c").best);
}

// Means of three seeds and their spread; standard errors are spread/√3.
TaskSummary with_spreads(const std::vector<std::tuple<const char*, double, double>>& arms, const std::string& direction,
                         double sign = 1.0) {
  TaskResult task;
  for (const auto& [method, middle, spread] : arms) {
    for (int seed = 0; seed < 3; ++seed) {
      MetricRecord r = record(direction, sign * (middle + (seed - 1) * spread));
      add(task, method, "none", seed, r);
    }
  }
  return summarise(task);
}

TEST(MarkBest, TheSecondIsMarkedWhereItIsClearOfASingleBest) {
  for (const bool lower : {true, false}) {
    const TaskSummary summary = with_spreads({{"a", 2.0, 0.3},
                                              {"b", 2.5, 0.3},
                                              {"c", 2.6, 0.3},
                                              {"d", 2.8, 0.0},
                                              {"gaussian", 2.4, 0.1},
                                              {"oracle", 1, 0.1}},
                                             lower ? "lower" : "higher", lower ? 1.0 : -1.0);
    EXPECT_TRUE(find(summary, "a").best);
    EXPECT_FALSE(find(summary, "a").second);
    EXPECT_TRUE(find(summary, "b").second);  // .5 > √2 × .3/√3 = .245
    EXPECT_TRUE(find(summary, "c").second);  // .1 < .3/√3 = .173 behind it
    EXPECT_FALSE(find(summary, "d").second);
    EXPECT_FALSE(find(summary, "gaussian").second);
    EXPECT_FALSE(find(summary, "oracle").second);
  }
}

TEST(MarkBest, NoSecondBehindATieOrWithinTheNoiseOrAmongFailed) {
  // Two share the first place.
  const TaskSummary tie = with_spreads({{"a", 2.0, 1.0}, {"b", 2.5, 0.0}, {"c", 2.6, 0.0}}, "lower");
  EXPECT_FALSE(find(tie, "c").second);
  // Behind the best by more than its standard error, but not by that of the difference.
  const TaskSummary noisy = with_spreads({{"a", 2.0, 0.1}, {"b", 2.5, 1.0}, {"c", 2.6, 0.0}}, "lower");
  EXPECT_TRUE(find(noisy, "a").best);
  for (const char* method : {"b", "c"}) EXPECT_FALSE(find(noisy, method).second) << method;
  TaskResult task = three_arms("higher", 1.0);  // c is best alone, then b, a
  EXPECT_TRUE(find(summarise(task), "b").second);
  add_failed(task, "b", 3);
  EXPECT_FALSE(find(summarise(task), "b").second);
}

TEST(MarkBest, NothingIsRankedWithoutDirectionOrAcrossProtocols) {
  const TaskSummary undirected = summarise(three_arms("", 1.0));
  for (const char* method : {"a", "b", "c"}) EXPECT_FALSE(find(undirected, method).best);
  TaskResult task = three_arms("lower", 1.0);
  task.cells[0].projected[0].n_samples = 99;
  const TaskSummary summary = summarise(task);
  EXPECT_TRUE(summary.columns[0].mixed_protocol);
  EXPECT_FALSE(find(summary, "a").best);
  EXPECT_FALSE(find(summary, "b").best);
}

TEST(Summarise, AtFloorByDirection) {
  // null 1, null_sd 0.1: the edge is 1.2 for lower, 0.8 for higher, both for target.
  const auto floor = [](const std::string& direction, double value) {
    TaskResult task;
    MetricRecord r = record(direction, value);
    r.target = 1.0;
    add(task, "a", "none", 0, r);
    return find(summarise(task), "a").at_floor;
  };
  EXPECT_TRUE(floor("lower", 1.19));
  EXPECT_FALSE(floor("lower", 1.21));
  EXPECT_TRUE(floor("lower", 0.5));
  EXPECT_TRUE(floor("higher", 0.81));
  EXPECT_FALSE(floor("higher", 0.79));
  EXPECT_TRUE(floor("target", 1.19));
  EXPECT_FALSE(floor("target", 1.21));
  EXPECT_FALSE(floor("target", 0.79));
}

TEST(Summarise, RawAndProjectedAreDifferentColumnsAndRepeatedNamesGoByParameters) {
  TaskResult task;
  add(task, "a", "none", 0, record("lower", 1.0));
  task.cells[0].raw = {record("lower", 3.0)};
  MetricRecord other = record("lower", 5.0);
  other.parameters = R"({"k":3})";
  task.cells[0].projected.push_back(other);
  const TaskSummary summary = summarise(task);
  ASSERT_EQ(summary.columns.size(), 3U);
  EXPECT_EQ(summary.columns[0].samples, SampleKind::raw);
  EXPECT_EQ(summary.table[0][0].mean, 3.0);
  EXPECT_EQ(summary.table[0][1].mean, 1.0);
  EXPECT_EQ(summary.table[0][2].mean, 5.0);
  EXPECT_FALSE(summary.columns[1].mixed_protocol);
}

TEST(Summarise, ATaskWithoutCellsIsEmpty) {
  const TaskSummary summary = summarise(TaskResult{});
  EXPECT_TRUE(summary.arms.empty());
  EXPECT_EQ(summary.column("tvd", SampleKind::raw), -1);
}

}  // namespace
}  // namespace onmanifold
