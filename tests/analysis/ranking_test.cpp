// SPDX-License-Identifier: Apache-2.0
#include "analysis/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/rank_statistics.hpp"
#include "core/error.hpp"
#include "reports/markdown_report.hpp"
#include "reports/sentences.hpp"
#include "tests/support/made_method.hpp"
#include "tests/support/made_report.hpp"

namespace onmanifold {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

struct Values {
  const char* method;
  const char* lift;
  std::vector<double> values;  // by seed; NaN: the cell failed
  int first_seed = 0;
};

TaskResult make_task(const std::string& name, const std::vector<Values>& arms, const std::string& direction = "lower",
                     double target = nan_value) {
  TaskResult task;
  task.name = name;
  for (const Values& arm : arms) {
    for (std::size_t i = 0; i < arm.values.size(); ++i) {
      CellResult cell;
      cell.key = {.task = name, .method = arm.method, .lift = arm.lift, .seed = arm.first_seed + static_cast<int>(i)};
      cell.head.method = made_method(arm.method, arm.lift);
      cell.has_metrics = !std::isnan(arm.values[i]);
      if (cell.has_metrics) {
        MetricRecord record;
        record.name = "tvd";
        record.value = arm.values[i];
        record.direction = parse_direction(direction);
        record.target = target;
        record.null = 0.02;
        record.null_sd = 0.001;
        record.n_samples = 100;
        cell.projected = {record};
      } else {
        cell.problem = "failed: out of memory";
      }
      task.cells.push_back(cell);
    }
  }
  return task;
}

Ranking rank(const ResultSet& results) {
  return analyse(results).ranking;
}

ResultSet results_of(std::vector<TaskResult> tasks) {
  return {.directory = "", .tasks = std::move(tasks)};
}

std::vector<std::string> names_of(const Ranking& ranking) {
  std::vector<std::string> names;
  for (const RankedTask& task : ranking.tasks) names.push_back(task.name);
  return names;
}

const RankedArm& find(const Ranking& ranking, const std::string& method) {
  for (const RankedArm& arm : ranking.arms) {
    if (arm.method == method) return arm;
  }
  throw std::runtime_error("no such arm: " + method);
}

Vector equal_weights(Index n) {
  return Vector::Constant(n, 1.0 / static_cast<double>(n));
}

// --- statistics

TEST(StudentisedRange, TwoNumbersHaveAClosedForm) {
  // Their difference is normal with variance 2. 1e-13: quadrature of a smooth function, and the sum's
  // rounding.
  for (const double q : {0.1, 1.0, 2.5, 4.0, 7.0}) {
    EXPECT_NEAR(studentised_range_cdf(q, 2), 2 * normal_cdf(q / std::sqrt(2.0)) - 1, 1e-13) << q;
  }
  EXPECT_EQ(studentised_range_cdf(0, 3), 0);
  EXPECT_EQ(studentised_range_cdf(-1, 3), 0);
  EXPECT_NEAR(studentised_range_cdf(19, 50), 1, 1e-13);
  EXPECT_THROW((void)studentised_range_cdf(1, 1), InvalidInput);
  EXPECT_THROW((void)studentised_range_quantile(1, 3), InvalidInput);
}

TEST(StudentisedRange, PublishedCriticalValues) {
  // Tables of q to four decimals, and those that are used for ranks, divided by √2 from tables with two:
  // .005/√2.
  const std::vector<double> table = {2.7718, 3.3145, 3.6332, 3.8577, 4.0301, 4.1696, 4.2863, 4.3865, 4.4741};
  const std::vector<double> published = {1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164};
  for (int k = 2; k <= 10; ++k) {
    const double q = studentised_range_quantile(0.95, k);
    EXPECT_NEAR(q / std::sqrt(2.0), published[static_cast<std::size_t>(k - 2)], 3.6e-3) << k;
    EXPECT_NEAR(q, table[static_cast<std::size_t>(k - 2)], 6e-5) << k;
    EXPECT_NEAR(studentised_range_cdf(q, k), 0.95, 1e-12) << k;
  }
  // α = .10: 1.645 for two, 2.052 for three.
  EXPECT_NEAR(studentised_range_quantile(0.9, 2) / std::sqrt(2.0), 1.645, 6e-4);
  EXPECT_NEAR(studentised_range_quantile(0.9, 3) / std::sqrt(2.0), 2.052, 6e-4);
}

Points example_ranks() {
  Points values(4, 3);
  values << .10, .20, .30, .11, .19, .35, .12, .12, .40, .15, .14, .33;
  Points ranks(4, 3);
  for (Index b = 0; b < 4; ++b) {
    const Vector row = values.row(b).transpose();
    ranks.row(b) = mid_ranks(row).transpose();
  }
  return ranks;
}

TEST(Friedman, WorkedExampleWithATie) {
  const Points ranks = example_ranks();
  EXPECT_NEAR(ranks.col(0).mean(), 1.375, 1e-15);
  EXPECT_NEAR(ranks.col(1).mean(), 1.625, 1e-15);
  EXPECT_NEAR(ranks.col(2).mean(), 3.0, 1e-15);
  const TestResult test = friedman_test(ranks, equal_weights(4));
  EXPECT_NEAR(test.statistic, 98.0 / 15, 1e-12);  // without correction for the tie it would be 6.125
  EXPECT_NEAR(test.p, 0.038133, 1e-6);
  EXPECT_EQ(test.degrees, 2);
  EXPECT_NEAR(critical_difference(3, 4), 1.65675, 6e-4);  // the source has q = 2.343 for 2.34370
}

TEST(Friedman, WeightsCountBlocksAndTiesSayNothing) {
  const Points ranks = example_ranks();
  // A block of weight 0 is no block.
  Points more(5, 3);
  more << ranks, 3, 2, 1;
  Vector weights = Vector::Constant(5, 0.25);
  weights(4) = 0;
  EXPECT_NEAR(friedman_test(more, weights).statistic, 98.0 / 15, 1e-12);
  const TestResult tied = friedman_test(Points::Constant(4, 3, 2.0), equal_weights(4));
  EXPECT_EQ(tied.statistic, 0);
  EXPECT_EQ(tied.p, 1);
  EXPECT_THROW((void)friedman_test(ranks, equal_weights(3)), InvalidInput);
  EXPECT_THROW((void)friedman_test(ranks, Vector::Constant(4, 0.5)), InvalidInput);
  EXPECT_THROW((void)friedman_test(ranks.leftCols(1), equal_weights(4)), InvalidInput);
}

TEST(Groups, AreMaximalRuns) {
  using Pair = std::pair<int, int>;
  EXPECT_THAT(unseparated_groups({1.0, 1.5, 2.5, 2.6, 4.0}, 1.2),
              testing::ElementsAre(Pair(0, 1), Pair(1, 3), Pair(4, 4)));
  EXPECT_THAT(unseparated_groups({1.0, 1.5, 2.5}, 9), testing::ElementsAre(Pair(0, 2)));
  EXPECT_THAT(unseparated_groups({1.0, 2.0, 3.0}, 0.5), testing::ElementsAre(Pair(0, 0), Pair(1, 1), Pair(2, 2)));
  EXPECT_TRUE(unseparated_groups({}, 1).empty());
}

// --- over tasks

// Two tasks of opposite direction, two seeds each. Ranks of a, b, c: (1,2,3), (2,1,3) and (1,2.5,2.5),
// (1,3,2).
ResultSet two_tasks() {
  return results_of({make_task("first", {{"a", "none", {0.10, 0.20}},
                                         {"b", "none", {0.20, 0.10}},
                                         {"c", "none", {0.30, 0.30}},
                                         {"oracle", "none", {0.05, 0.05}},
                                         {"gaussian", "none", {0.45, 0.45}}}),
                     make_task("second",
                               {{"a", "none", {0.9, 0.9}},
                                {"b", "none", {0.5, 0.3}},
                                {"c", "none", {0.5, 0.4}},
                                {"oracle", "none", {1.0, 1.0}},
                                {"gaussian", "none", {0.2, 0.2}}},
                               "higher")});
}

TEST(Ranking, MeanRanksAndScoresByHand) {
  const Ranking ranking = rank(two_tasks());
  ASSERT_EQ(ranking.arms.size(), 3U);
  EXPECT_THAT(names_of(ranking), testing::ElementsAre("first", "second"));
  EXPECT_EQ(metric_label(ranking.tasks[0].metric), "tvd ↓ (projected)");
  EXPECT_EQ(metric_label(ranking.tasks[1].metric), "tvd ↑ (projected)");
  EXPECT_EQ(ranking.tasks[0].seeds, 2);
  EXPECT_EQ(ranking.seeds, 4);
  EXPECT_EQ(ranking.blocks, 4);
  EXPECT_EQ(ranking.arms[0].method, "a");
  EXPECT_EQ(ranking.arms[1].method, "b");
  EXPECT_DOUBLE_EQ(ranking.arms[0].mean_rank, 1.25);
  EXPECT_DOUBLE_EQ(ranking.arms[1].mean_rank, 2.125);
  EXPECT_DOUBLE_EQ(ranking.arms[2].mean_rank, 2.625);
  EXPECT_THAT(ranking.arms[2].task_ranks, testing::ElementsAre(3, 2.25));
  // (.45 - .15)/.4 and (.9 - .2)/.8.
  EXPECT_NEAR(ranking.arms[0].task_scores[0], 0.75, 1e-12);
  EXPECT_NEAR(ranking.arms[0].task_scores[1], 0.875, 1e-12);
  EXPECT_NEAR(ranking.arms[0].score, 0.8125, 1e-12);
  EXPECT_EQ(find(ranking, "a").times_best, 2);
  EXPECT_EQ(find(ranking, "b").times_best, 1);  // a tie on the first task
  // Four blocks allow an interval, if a wide one.
  EXPECT_EQ(ranking.arms[0].interval.low, 1);
  EXPECT_GT(ranking.arms[0].interval.high, 2);
  EXPECT_NEAR(ranking.cd, critical_difference(3, 4), 1e-15);
  EXPECT_NEAR(ranking.cd_tasks, critical_difference(3, 2), 1e-15);
}

// The weights of tasks with 1 and 3 seeds are the same: T²/Σ 1/n = 4/(1 + 1/3) = 3 blocks.
TEST(Ranking, TasksCountTheSameWhateverTheirSeeds) {
  const Ranking ranking = rank(results_of({make_task("one", {{"a", "none", {1}}, {"b", "none", {2}}}),
                                           make_task("three", {{"a", "none", {2, 2, 2}}, {"b", "none", {1, 1, 1}}})}));
  ASSERT_EQ(ranking.arms.size(), 2U);
  EXPECT_DOUBLE_EQ(ranking.arms[0].mean_rank, 1.5);
  EXPECT_DOUBLE_EQ(ranking.arms[1].mean_rank, 1.5);
  EXPECT_NEAR(ranking.blocks, 3, 1e-12);
  EXPECT_NEAR(ranking.friedman.statistic, 0, 1e-12);
}

// Values of k arms in blocks of normal noise about \p means.
ResultSet simulated(const Stream& stream, int n_tasks, int n_seeds, const std::vector<double>& means) {
  std::vector<TaskResult> tasks;
  static const std::vector<const char*> names = {"a", "b", "c", "d", "e"};
  for (int t = 0; t < n_tasks; ++t) {
    std::vector<Values> arms;
    for (std::size_t j = 0; j < means.size(); ++j) {
      const Points noise = stream.at(static_cast<std::uint64_t>(t)).at(j).normal(n_seeds, 1);
      Values arm{names[j], "none", {}};
      for (Index s = 0; s < n_seeds; ++s) arm.values.push_back(means[j] + noise(s, 0));
      arms.push_back(arm);
    }
    arms.push_back({"oracle", "none", std::vector<double>(static_cast<std::size_t>(n_seeds), -5.0)});
    arms.push_back({"gaussian", "none", std::vector<double>(static_cast<std::size_t>(n_seeds), 5.0)});
    tasks.push_back(make_task("task-" + std::to_string(t), arms));
  }
  return results_of(std::move(tasks));
}

TEST(Ranking, TheOrderOfTheInputPlaysNoPart) {
  const ResultSet results = simulated(Stream(1, "ranking_test/order"), 3, 4, {0, 0.5, 1, 1.5, 2});
  ResultSet shuffled = results;
  std::reverse(shuffled.tasks.begin(), shuffled.tasks.end());
  for (TaskResult& task : shuffled.tasks) std::rotate(task.cells.begin(), task.cells.begin() + 7, task.cells.end());
  const Ranking one = rank(results);
  const Ranking other = rank(shuffled);
  ASSERT_EQ(one.arms.size(), 5U);
  ASSERT_EQ(other.arms.size(), 5U);
  EXPECT_EQ(one.friedman.statistic, other.friedman.statistic);
  for (std::size_t a = 0; a < 5; ++a) {
    EXPECT_EQ(one.arms[a].method, other.arms[a].method);
    EXPECT_EQ(one.arms[a].mean_rank, other.arms[a].mean_rank);
    EXPECT_EQ(one.arms[a].interval.low, other.arms[a].interval.low);
    EXPECT_EQ(one.arms[a].interval.high, other.arms[a].interval.high);
    EXPECT_EQ(one.arms[a].score_interval.high, other.arms[a].score_interval.high);
    EXPECT_EQ(one.arms[a].letters, other.arms[a].letters);
    // An interval of the mean rank holds it, and stays within 1 … k.
    EXPECT_LE(one.arms[a].interval.low, one.arms[a].mean_rank);
    EXPECT_GE(one.arms[a].interval.high, one.arms[a].mean_rank);
    EXPECT_GE(one.arms[a].interval.low, 1);
    EXPECT_LE(one.arms[a].interval.high, 5);
  }
  EXPECT_EQ(render_markdown(*ranking_table(one)), render_markdown(*ranking_table(other)));
}

TEST(Ranking, EqualArmsAreNotSeparatedAndOneThatIsBetterIs) {
  const Ranking equal = rank(simulated(Stream(2, "ranking_test/equal"), 3, 5, {0, 0, 0, 0, 0}));
  ASSERT_EQ(equal.groups.size(), 1U);
  for (const RankedArm& arm : equal.arms) EXPECT_EQ(arm.letters, "a");
  const Ranking better = rank(simulated(Stream(2, "ranking_test/better"), 3, 5, {0, 4, 4, 4, 4}));
  ASSERT_GT(better.groups.size(), 1U);
  EXPECT_EQ(better.groups.front(), std::make_pair(0, 0));
  EXPECT_EQ(better.arms[0].method, "a");
  EXPECT_EQ(better.arms[0].letters, "a");
  // By hand: mean 1 in 15 blocks, one more at 5 moves it by 4/16; of its square, 16 · 15/16, 12 + 1 degrees are left.
  EXPECT_NEAR(better.arms[0].interval.high, 1.25 + t_quantile(0.975, 12) * std::sqrt(15.0 / 13 / 16), 1e-12);
  EXPECT_LT(better.friedman.p, 1e-3);
}

TEST(Ranking, FalseAlarmsKeepTheirRate) {
  // 400 draws of 15 blocks of 5 equal arms. α = .05 would give 20; 34 is its 99.9 % point, P(Bin(400, .05) >
  // 34) < 1e-3. The broken twin compares every pair at .05 without regard to their number.
  constexpr int draws = 400;
  const Stream stream(3, "ranking_test/alarms");
  const double cd = critical_difference(5, 15);
  const double pairwise = 1.96 * std::sqrt(5 * 6 / (6.0 * 15));
  int alarms = 0;
  int broken = 0;
  for (int d = 0; d < draws; ++d) {
    const Points noise = stream.at(static_cast<std::uint64_t>(d)).normal(5, 15);
    Points ranks(15, 5);
    for (Index b = 0; b < 15; ++b) ranks.row(b) = mid_ranks(noise.col(b)).transpose();
    const Eigen::RowVectorXd means = ranks.colwise().mean();
    const double range = means.maxCoeff() - means.minCoeff();
    if (friedman_test(ranks, equal_weights(15)).p <= 0.05 && range > cd) ++alarms;
    if (range > pairwise) ++broken;
  }
  EXPECT_LE(alarms, 34);
  EXPECT_GE(alarms,
            4);  // nor is it blind: P(Bin(400, .03) < 4) < 1e-2 for a test with half the power it claims
  EXPECT_GT(broken, 34);
}

/// Seeds of a task: ranks of \p means plus normal noise; with \p diverges, the first arm is last in one seed of five.
Points drawn_ranks(Stream stream, Index seeds, const std::vector<double>& means, bool diverges) {
  const auto k = static_cast<Index>(means.size());
  Stream chance = stream.at("diverges");
  Points values = stream.normal(k, seeds);
  for (Index s = 0; s < seeds; ++s) {
    for (Index j = 0; j < k; ++j) values(j, s) += means[static_cast<std::size_t>(j)];
    if (diverges && chance.uniform() < 0.2) values(0, s) += 100;
  }
  Points ranks(seeds, k);
  for (Index s = 0; s < seeds; ++s) ranks.row(s) = mid_ranks(values.col(s)).transpose();
  return ranks;
}

/// What the ranking had: percentiles of means over seeds that are drawn again.
Interval percentile_interval(const std::vector<Vector>& tasks, Stream stream) {
  Vector means = Vector::Zero(400);
  for (double& one : means) {
    for (const Vector& seeds : tasks) {
      for (Index i = 0; i < seeds.size(); ++i) {
        const auto s = static_cast<Index>(stream.integer(static_cast<std::uint64_t>(seeds.size())));
        one += seeds(s) / static_cast<double>(seeds.size()) / static_cast<double>(tasks.size());
      }
    }
  }
  return {quantile(means, 0.025), quantile(means, 0.975)};
}

bool holds(const Interval& interval, double truth) {
  return interval.low - 1e-12 <= truth && truth <= interval.high + 1e-12;
}

// 400 draws for each size and shape, two arms of each. With a coverage of .95 one of the 180 counts falls below 355
// with P < .001 (exact: P(Bin(400, .95) < 355) = 8e-7 each), so a lower one is the interval's fault.
TEST(Ranking, IntervalsOfMeanRanksHoldTheirLevelAtFewSeeds) {
  struct Shape {
    const char* name;
    std::vector<double> means;
    bool diverges = false;
  };
  const std::vector<Shape> shapes = {{"two equal", {0, 0}},
                                     {"one of two better", {0, 1.5}},
                                     {"five equal", {0, 0, 0, 0, 0}},
                                     {"in order", {0, 1, 2, 3, 4}},
                                     {"the best diverges at times", {0, 1, 2, 3, 4}, true}};
  constexpr int draws = 400;
  const Stream stream(4, "ranking_test/intervals");
  std::vector<std::vector<Index>> sizes = {{2, 5}, {2, 3, 5}};
  for (std::size_t tasks = 1; tasks <= 3; ++tasks) {
    for (const Index seeds : {2, 3, 5}) sizes.emplace_back(tasks, seeds);
  }
  for (const std::vector<Index>& size : sizes) {
    int least_of_old = draws;
    const std::string label = testing::PrintToString(size);
    for (const Shape& shape : shapes) {
      const auto k = static_cast<int>(shape.means.size());
      const Stream own = stream.at(shape.name).at(label);
      const Points many = drawn_ranks(own.at("truth"), 100000, shape.means, shape.diverges);
      for (const Index arm : {Index{0}, Index{1}}) {
        const double truth = many.col(arm).mean();
        int covered = 0;
        int covered_by_old = 0;
        for (std::uint64_t d = 0; d < draws; ++d) {
          std::vector<Vector> ranks;
          for (std::size_t t = 0; t < size.size(); ++t) {
            ranks.emplace_back(drawn_ranks(own.at(d).at(t), size[t], shape.means, shape.diverges).col(arm));
          }
          covered += holds(mean_rank_interval(ranks, k), truth) ? 1 : 0;
          if (arm == 0) covered_by_old += holds(percentile_interval(ranks, own.at(d).at("old")), truth) ? 1 : 0;
        }
        EXPECT_GE(covered, 355) << shape.name << ", seeds " << label << ", arm " << arm;
        if (arm == 0) least_of_old = std::min(least_of_old, covered_by_old);
      }
    }
    EXPECT_LT(least_of_old, 355) << "seeds " << label << ": the test is blind here";
  }
}

TEST(Ranking, IntervalsOfScoresHoldTheirLevelWhereTasksDiffer) {
  constexpr int draws = 2000;
  const Stream stream(5, "ranking_test/scores");
  const std::vector<double> spreads = {1, 3, 0.3};
  for (std::size_t tasks = 1; tasks <= 3; ++tasks) {
    for (const Index seeds : {2, 3, 5}) {
      int covered = 0;
      int covered_by_normal = 0;
      const Stream own = stream.at(tasks).at(static_cast<std::uint64_t>(seeds));
      for (std::uint64_t d = 0; d < draws; ++d) {
        std::vector<Vector> values;
        double sum = 0;
        double variance = 0;
        for (std::size_t t = 0; t < tasks; ++t) {
          values.emplace_back(spreads[t] * own.at(d).at(t).normal(seeds, 1));
          sum += mean(values.back());
          variance += std::pow(standard_error(values.back()), 2);
        }
        covered += holds(stratified_t_interval(values), 0) ? 1 : 0;
        covered_by_normal += std::abs(sum) <= 1.96 * std::sqrt(variance) ? 1 : 0;
      }
      EXPECT_GE(covered, 1868) << tasks << " tasks, " << seeds << " seeds";  // P(Bin(2000, .95) < 1868) = 7e-4
      EXPECT_LT(covered_by_normal, 1868) << tasks << " tasks, " << seeds << " seeds";
    }
  }
  EXPECT_THROW((void)stratified_t_interval({Vector::Zero(3), Vector::Zero(1)}), InvalidInput);
  EXPECT_THROW((void)mean_rank_interval({}, 3), InvalidInput);
  // Equal values: a point for numbers, none for ranks.
  EXPECT_EQ(stratified_t_interval({Vector::Ones(2)}).high, 1);
  EXPECT_EQ(mean_rank_interval({Vector::Ones(2)}, 5).high, 5);
}

TEST(Ranking, ArmsThatMissTasksAreNamedAndLeftOut) {
  const ResultSet results = results_of(
      {make_task("p", {{"a", "none", {1, 1}}, {"b", "none", {2, 2}}, {"c", "none", {3, 3}}, {"d", "none", {0, 0}}}),
       make_task("q", {{"a", "none", {1, 1}}, {"b", "none", {2, 2}}, {"c", "none", {3, nan_value}}}),
       make_task("r", {{"a", "none", {1, 1}}, {"b", "none", {2, 2}}})});
  // a and b over three tasks: 12 ranks. a, b, c, d over one: 8.
  const Ranking ranking = rank(results);
  EXPECT_EQ(ranking.arms.size(), 2U);
  EXPECT_THAT(names_of(ranking), testing::ElementsAre("p", "q", "r"));
  ASSERT_EQ(ranking.left_out.size(), 2U);
  EXPECT_EQ(ranking.left_out[1].method, "d");
  EXPECT_EQ(ranking.left_out[1].complete_on, 1);
  const std::string text = render_markdown(*ranking_table(ranking));
  EXPECT_THAT(text, testing::HasSubstr("not ranked, for want of complete blocks: c none: complete on 1 of 3 tasks"));
}

TEST(Ranking, OneUnfinishedArmDoesNotTakeTheSeedsOfAll) {
  const Ranking ranking = rank(results_of({make_task(
      "p",
      {{"a", "none", {1, 1, 1, 1}}, {"b", "none", {2, 2, 2, 2}}, {"c", "none", {3, 3, 3, 3}}, {"d", "none", {0}}})}));
  EXPECT_EQ(ranking.arms.size(), 3U);
  EXPECT_EQ(ranking.seeds, 4);
  EXPECT_EQ(ranking.left_out.size(), 1U);
}

TEST(Ranking, OneTaskIsRankedOverItsSeeds) {
  const Ranking ranking =
      rank(results_of({make_task("p", {{"a", "none", {1, 1, 1, 1, 1, 1}}, {"b", "none", {2, 2, 2, 2, 2, 2}}})}));
  EXPECT_EQ(ranking.blocks, 6);
  EXPECT_TRUE(std::isnan(ranking.cd_tasks));
  EXPECT_EQ(ranking.groups.size(), 2U);
  EXPECT_EQ(ranking_table(ranking)->title, "Ranking over seeds");
}

TEST(Ranking, NothingToRankIsNoError) {
  EXPECT_TRUE(rank(results_of({})).arms.empty());
  EXPECT_TRUE(rank(results_of({make_task("p", {{"oracle", "none", {1}}, {"gaussian", "none", {2}}})})).arms.empty());
  EXPECT_TRUE(rank(results_of({make_task("p", {{"a", "none", {1}}})})).arms.empty());
  EXPECT_TRUE(
      rank(results_of({make_task("p", {{"a", "none", {nan_value}}, {"b", "none", {nan_value}}})})).arms.empty());
  // No seed and no task in common.
  EXPECT_TRUE(rank(results_of({make_task("p", {{"a", "none", {1}}, {"b", "none", {2}, 7}})})).arms.empty());
  EXPECT_TRUE(
      rank(results_of({make_task("p", {{"a", "none", {1}}}), make_task("q", {{"b", "none", {2}}})})).arms.empty());
  EXPECT_TRUE(rank(results_of({make_task("p", {{"a", "none", {1}}, {"b", "none", {2}}}, "")})).arms.empty());
  EXPECT_FALSE(ranking_table(Ranking{}).has_value());
  EXPECT_FALSE(overview_table(Analysis{}).has_value());
  EXPECT_TRUE(overview_lines(Analysis{}).empty());
  EXPECT_THROW((void)rank_arms({TaskSummary{}}, {}), InvalidInput);
}

TEST(Ranking, AScoreNeedsEndsThatCanBeTold) {
  // gaussian is 1.5 spreads of a perfect model above the oracle: .0015 < 2 × .001.
  const ResultSet results = results_of({make_task("p", {{"a", "none", {0.021, 0.021}},
                                                        {"b", "none", {0.022, 0.022}},
                                                        {"oracle", "none", {0.02, 0.02}},
                                                        {"gaussian", "none", {0.0215, 0.0215}}})});
  const Ranking ranking = rank(results);
  ASSERT_EQ(ranking.arms.size(), 2U);
  EXPECT_TRUE(std::isnan(ranking.arms[0].score));
  EXPECT_TRUE(std::isnan(ranking.arms[0].task_scores[0]));
  EXPECT_THAT(render_markdown(*ranking_table(ranking)), testing::HasSubstr("| — |"));
}

// --- one task

TEST(Overview, DifferencesArePairedBySeedAndCountedInStandardErrors) {
  // Differences .1, .2, .3: mean .2, standard error .1/√3.
  const TaskResult task = make_task("p", {{"a", "none", {0.1, 0.5, 0.9}},
                                          {"b", "none", {0.2, 0.7, 1.2}},
                                          {"c", "none", {2, 2, 2}},
                                          {"oracle", "none", {0.02, 0.02, 0.02}}});
  const TaskOverview overview = task_overview(task, summarise(task));
  EXPECT_EQ(overview.pairs, 3);
  EXPECT_NEAR(overview.difference, 0.2, 1e-12);
  EXPECT_NEAR(overview.standard_error, 0.1 / std::sqrt(3.0), 1e-12);
  EXPECT_EQ(overview.n_best, 2);  // b is within .4/√3 of a: pairing is what tells them apart
  const MadeReport made(task);
  const auto& table = made.report.tables.overview;
  ASSERT_TRUE(table.has_value());
  EXPECT_THAT(render_markdown(*table), testing::HasSubstr("| p | tvd ↓ | 3 | **a** | **0.50 ± 0.40** | **b** | "
                                                          "**0.70 ± 0.50** | 3.5 | — | 0.02000 | 0.0200 ± 0.0010 |"));
  const auto lines = overview_lines(made.analysis);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0],
            "p, tvd ↓ (projected): best is a with 0.50 ± 0.40, which one other shares within one standard "
            "error; "
            "oracle 0.02000, perfect model 0.0200 ± 0.0010.");
}

TEST(Overview, TheBestBySeedsThatDifferAndByDirection) {
  const TaskResult unpaired = make_task("p", {{"a", "none", {1, 3}}, {"b", "none", {5, 9}, 4}});
  const TaskOverview two_means = task_overview(unpaired, summarise(unpaired));
  EXPECT_EQ(two_means.pairs, 0);
  EXPECT_NEAR(two_means.standard_error, std::sqrt(1.0 + 4.0), 1e-12);
  const TaskResult target = make_task("p", {{"a", "none", {0.4, 0.6}}, {"b", "none", {0.6, 0.8}}}, "target", 0.68);
  const TaskSummary summary = summarise(target);
  const TaskOverview nearest = task_overview(target, summary);
  EXPECT_EQ(summary.arms[static_cast<std::size_t>(nearest.best)].method, "b");
  EXPECT_NEAR(nearest.difference, 0.16, 1e-12);
  const TaskResult higher = make_task("p", {{"a", "none", {1, 2}}, {"b", "none", {3, 4}}}, "higher");
  const TaskSummary of_higher = summarise(higher);
  const TaskOverview largest = task_overview(higher, of_higher);
  EXPECT_EQ(of_higher.arms[static_cast<std::size_t>(largest.best)].method, "b");
  EXPECT_NEAR(largest.difference, 2, 1e-12);
  EXPECT_EQ(largest.standard_error, 0);  // every pair differs by the same
}

TEST(Overview, SaysWhereTheBestIsAtTheFloorOrAhead) {
  const MadeReport made(make_task("p", {{"a", "normal", {0.021, 0.0212, 0.0208}},
                                        {"b", "none", {0.30, 0.31, 0.32}},
                                        {"gaussian", "none", {0.5, 0.5, 0.5}}}));
  const auto lines = overview_lines(made.analysis);
  EXPECT_THAT(lines[0],
              testing::HasSubstr("best is a normal with 0.02100 ± 0.00020, ahead of b with 0.310 ± 0.010 by "));
  EXPECT_THAT(lines[0], testing::HasSubstr("indistinguishable from a perfect model"));
}

TEST(Overview, SaysWhereGaussianIsBetter) {
  const auto line_of = [](const char* direction, double gaussian) {
    const MadeReport made(make_task(
        "p", {{"a", "none", {0.4, 0.5}}, {"b", "none", {0.3, 0.6}}, {"gaussian", "none", {gaussian, gaussian}}},
        direction));
    return overview_lines(made.analysis)[0];
  };
  EXPECT_THAT(line_of("lower", 0.2), testing::HasSubstr("no learner is better than gaussian"));
  EXPECT_THAT(line_of("lower", 0.7), testing::Not(testing::HasSubstr("no learner")));
  EXPECT_THAT(line_of("higher", 0.7), testing::HasSubstr("no learner is better than gaussian"));
  EXPECT_THAT(line_of("higher", 0.2), testing::Not(testing::HasSubstr("no learner")));
}

TEST(Overview, FailedLearnersAreNotBestAndMixedProtocolsAreNotRanked) {
  TaskResult task = make_task("p", {{"a", "none", {0.1, nan_value}}, {"b", "none", {0.2, 0.3}}});
  const TaskSummary summary = summarise(task);
  const TaskOverview overview = task_overview(task, summary);
  EXPECT_EQ(summary.arms[static_cast<std::size_t>(overview.best)].method, "b");
  EXPECT_EQ(overview.second, -1);
  task.cells.back().projected[0].n_samples = 99;
  const TaskOverview mixed = task_overview(task, summarise(task));
  EXPECT_EQ(mixed.column, -1);
  EXPECT_THAT(mixed.reason, testing::HasSubstr("records differ"));
  const TaskResult failed = make_task("p", {{"a", "none", {nan_value}}});
  EXPECT_EQ(task_overview(failed, summarise(failed)).reason, "no metric");
}

}  // namespace
}  // namespace onmanifold
