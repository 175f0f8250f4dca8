// SPDX-License-Identifier: Apache-2.0
#include "suite/run_estimate.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/temporary_directory.hpp"
#include "suite/scheduler.hpp"
#include "suite/toml_file.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

SuiteSpec small_suite() {
  return parse_suite(parse_toml(R"(
[suite]
name = "small"
seeds = "0..2"
n_train = 100
n_samples = 50
n_reference = 50
[[task]]
name = "plane-gmm9"
metrics = "tvd"
[[lift]]
name = "normal"
type = "normal"
[[method]]
name = "oracle"
[[method]]
name = "gaussian"
lifts = ["none", "normal"]
)",
                                "s.toml"),
                     "s.toml");
}

CostTable costs(double oracle, double gaussian, double probe) {
  return {{{"plane-gmm9", "oracle", "none"}, {.seconds = oracle, .bytes = 100, .probe = probe, .cells = 1}},
          {{"plane-gmm9", "gaussian", "none"}, {.seconds = gaussian, .bytes = 10, .probe = probe, .cells = 2}}};
}

TEST(RunEstimate, GivesCellsInOrderToTheFirstFreeWorker) {
  const std::vector<Cell> cells = expand(small_suite());  // oracle 3, gaussian/none 3, gaussian/normal 3
  ASSERT_EQ(cells.size(), 9U);
  const RunEstimate one = estimate_run(cells, 1, costs(4, 1, 1), {}, 0);
  EXPECT_EQ(one.cells, 9);
  EXPECT_EQ(one.unknown, 0);
  EXPECT_EQ(one.borrowed, 3);
  EXPECT_DOUBLE_EQ(one.worker_seconds, 18);
  EXPECT_DOUBLE_EQ(one.wall_seconds, 18);
  EXPECT_DOUBLE_EQ(one.bytes, 360);
  // Two workers: 4 and 4, then 4 on one side and 1 1 1 1 on the other until both are at 8, then 1 1.
  EXPECT_DOUBLE_EQ(estimate_run(cells, 2, costs(4, 1, 1), {}, 0).wall_seconds, 9);
  EXPECT_DOUBLE_EQ(estimate_run(cells, 9, costs(4, 1, 1), {}, 0).wall_seconds, 4);
}

TEST(RunEstimate, ScalesByTheSpeedOfTheMachineAndPrefersWhatWasMeasuredHere) {
  const std::vector<Cell> cells = expand(small_suite());
  EXPECT_DOUBLE_EQ(estimate_run(cells, 1, {}, costs(4, 1, 2e-3), 4e-3).wall_seconds, 36);
  EXPECT_DOUBLE_EQ(estimate_run(cells, 1, costs(2, 1, 4e-3), costs(4, 1, 2e-3), 4e-3).wall_seconds, 12);
  // A record of the arm itself goes before a finished cell of another lift.
  CostTable measured;
  measured[{"plane-gmm9", "gaussian", "normal"}] = {.seconds = 10, .bytes = 0, .probe = 1, .cells = 1};
  const RunEstimate both = estimate_run(cells, 1, measured, costs(4, 1, 1), 1);
  EXPECT_DOUBLE_EQ(both.wall_seconds, 3 * 4 + 3 * 1 + 3 * 10);
  EXPECT_EQ(both.borrowed, 0);
}

TEST(RunEstimate, CountsWhatItKnowsNothingAbout) {
  CostTable measured = costs(4, 1, 1);
  measured.erase({"plane-gmm9", "oracle", "none"});
  const RunEstimate estimate = estimate_run(expand(small_suite()), 1, measured, {}, 1);
  EXPECT_EQ(estimate.unknown, 3);
  EXPECT_DOUBLE_EQ(estimate.worker_seconds, 6);
}

TEST(RunEstimate, LearnsFromFinishedCells) {
  const TemporaryDirectory directory;
  const SuiteSpec suite = small_suite();
  EXPECT_TRUE(measured_costs(directory.file("nowhere")).empty());
  RunOptions options;
  options.directory = directory.path();
  options.only = "*/gaussian/*/seed-0";
  EXPECT_EQ(run_suite(suite, options).computed, 2);
  const CostTable measured = measured_costs(directory.path());
  ASSERT_EQ(measured.size(), 2U);
  for (const auto& [arm, cost] : measured) {
    EXPECT_GT(cost.seconds, 0);
    EXPECT_GT(cost.bytes, 50 * 3 * 8);  // the samples alone
    EXPECT_GT(cost.probe, 0);
    EXPECT_EQ(cost.cells, 1);
  }
  const std::vector<Cell> cells = expand(suite);
  EXPECT_TRUE(is_finished(directory.path(), cells[3]));
  EXPECT_FALSE(is_finished(directory.path(), cells[4]));

  const std::string path = directory.file("costs.csv");
  write_costs(path, measured);
  const CostTable again = read_costs(path);
  ASSERT_EQ(again.size(), measured.size());
  for (const auto& [arm, cost] : again) {
    EXPECT_NEAR(cost.seconds, measured.at(arm).seconds, 1e-3 * cost.seconds);  // written with four digits
    EXPECT_EQ(cost.bytes, measured.at(arm).bytes);
  }
}

TEST(RunEstimate, RefusesABrokenRecord) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("suite.costs.csv");
  const auto refused = [&](const std::string& text, const std::vector<std::string>& parts) {
    write_file(path, text);
    return throws_message<InvalidInput>([&] { (void)shipped_costs(directory.file("suite.toml")); }, parts);
  };
  const std::string head = "task,method,lift,seconds,bytes,probe,cells\n";
  EXPECT_TRUE(refused("a,b\n", {"suite.costs.csv", "line 1", "task,method"}));
  EXPECT_TRUE(refused(head + "a,b,c,1,2,3\n", {"line 2", "6 fields"}));
  EXPECT_TRUE(refused(head + "a,b,c,1,2,x,1\n", {"line 2", "'x'"}));
  EXPECT_TRUE(refused(head + "a,b,c,nan,2,3,1\n", {"line 2", "'nan'"}));
  EXPECT_TRUE(refused(head + "a,b,c,1,2,3,0\n", {"line 2", "no cells"}));
  EXPECT_TRUE(refused(head + "a,b,c,1,2,3,1\na,b,c,1,2,3,1\n", {"line 3", "a/b/c", "twice"}));
  EXPECT_TRUE(shipped_costs(directory.file("other.toml")).empty());
}

TEST(RunEstimate, ShippedRecordsAreReadable) {
  for (const ShippedSuite& suite : shipped_suites()) EXPECT_NO_THROW((void)shipped_costs(suite.path)) << suite.name;
}

}  // namespace
}  // namespace onmanifold
