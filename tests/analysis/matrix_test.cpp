// SPDX-License-Identifier: Apache-2.0
#include "analysis/matrix.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random/stream.hpp"
#include "reports/interval_figure.hpp"
#include "reports/tables.hpp"
#include "tests/support/made_method.hpp"
#include "tests/support/made_report.hpp"

namespace onmanifold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

MetricRecord tvd(double value) {
  MetricRecord record;
  record.name = "tvd";
  record.value = value;
  record.null = 0.01;
  record.null_sd = 0.001;
  record.direction = Direction::lower;
  record.parameters = "{}";
  record.n_samples = 100;
  return record;
}

/// One method with its value by seed, from seed \p first on.
void add(TaskResult& task, const char* label, const char* type, const std::vector<double>& values, int first = 0) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    CellResult cell;
    cell.key = {.task = task.name, .method = label, .lift = "none", .seed = first + static_cast<int>(i)};
    cell.head.method = made_method(type);
    cell.has_metrics = true;
    cell.projected = {tvd(values[i])};
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

const MatrixEntry& entry_of(const Matrix& matrix, const std::string& method, std::size_t task = 0) {
  for (const MatrixRow& row : matrix.rows) {
    if (row.method == method) return row.entries[task];
  }
  static const MatrixEntry none;
  ADD_FAILURE() << method;
  return none;
}

// Noise that seeds share hides no difference of pairs, but does hide it where seeds are not the same.
TEST(BestCandidates, PairsOfSeedsDecideWhatTwoMeansDoNot) {
  const std::vector<double> noise = {0.30, 0.10, 0.25, 0.18, 0.40};
  std::vector<double> worse = noise;
  for (std::size_t i = 0; i < worse.size(); ++i) worse[i] += 0.010 + 0.0001 * static_cast<double>(i);
  TaskResult paired = made_task();
  add(paired, "a", "ddpm", noise);
  add(paired, "b", "edm", worse);
  const MadeReport one(paired);
  EXPECT_TRUE(entry_of(one.analysis.matrix, "a").may_be_best);
  EXPECT_FALSE(entry_of(one.analysis.matrix, "b").may_be_best);
  EXPECT_EQ(one.analysis.matrix.tasks[0].candidates, 1);
  EXPECT_EQ(one.analysis.matrix.tasks[0].seeds, 5);
  TaskResult apart = made_task();
  add(apart, "a", "ddpm", noise);
  add(apart, "b", "edm", worse, 5);
  EXPECT_EQ(MadeReport(apart).analysis.matrix.tasks[0].candidates, 2);
}

// Six equal methods, of which any may be called the best: it is lost in at most alpha of the cases. Without the
// correction for the number of the others it is lost more often, which shows that the test can see it.
TEST(BestCandidates, KeepTheBestWithTheirLevel) {
  constexpr int trials = 1500;
  constexpr int methods = 6;
  Stream stream(1, "matrix test");
  int lost = 0;
  int lost_without = 0;
  for (int trial = 0; trial < trials; ++trial) {
    TaskSummary summary;
    summary.columns.resize(1);
    summary.columns[0].direction = Direction::lower;
    std::vector<int> ranked;
    for (int m = 0; m < methods; ++m) {
      Summary entry;
      for (int seed = 0; seed < 5; ++seed) entry.values.emplace_back(seed, 1.0 + 0.1 * stream.normal());
      summary.table.push_back({std::move(entry)});
      ranked.push_back(m);
    }
    const auto keeps = [&](double alpha) {
      const std::vector<int> kept = best_candidates(summary, 0, ranked, alpha);
      return std::find(kept.begin(), kept.end(), 0) != kept.end();
    };
    lost += keeps(0.05) ? 0 : 1;
    lost_without += keeps(0.05 * (methods - 1)) ? 0 : 1;
  }
  // Three standard deviations of a binomial above the level.
  const double most = 0.05 * trials + 3 * std::sqrt(0.05 * 0.95 * trials);
  EXPECT_LE(lost, most);
  EXPECT_GT(lost_without, most);
}

TEST(BestCandidates, OneSeedDecidesNothing) {
  TaskResult task = made_task();
  add(task, "a", "ddpm", {0.1});
  add(task, "b", "edm", {0.9});
  const MadeReport made(task);
  EXPECT_EQ(made.analysis.matrix.tasks[0].candidates, 2);
  EXPECT_EQ(entry_of(made.analysis.matrix, "b").rank, 2);
}

TEST(Matrix, OrdersLearnersByRankAndPutsTheOthersBehind) {
  TaskResult first = made_task("first");
  add(first, "truth", "oracle", {0.010, 0.011, 0.012});
  add(first, "moments", "gaussian", {0.50, 0.51, 0.52});
  add(first, "good", "ddpm", {0.10, 0.11, 0.12});
  add(first, "bad", "edm", {0.30, 0.31, 0.33});
  TaskResult second = made_task("second");
  add(second, "good", "ddpm", {0.2, 0.2, 0.2});
  add(second, "broken", "realnvp", {0.1, 0.1, 0.1});
  second.cells.back().has_metrics = false;
  second.cells.back().projected.clear();
  second.cells.back().problem = "failed";
  const MadeReport made(ResultSet{.directory = "", .tasks = {first, second}});
  const Matrix& matrix = made.analysis.matrix;
  std::vector<std::string> names;
  for (const MatrixRow& row : matrix.rows) names.push_back(row.method);
  EXPECT_THAT(names, ElementsAre("good", "bad", "broken", "truth", "moments"));
  EXPECT_EQ(entry_of(matrix, "bad", 1).arm, -1);     // not run there
  EXPECT_EQ(entry_of(matrix, "broken", 1).rank, 0);  // its mean is over the survivors
  EXPECT_EQ(matrix.tasks[1].ranked, 1);
  EXPECT_EQ(matrix.tasks[0].candidate, 0);
  const std::optional<Table> table = matrix_table(made.analysis);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->rows.front().name, "perfect model");
  EXPECT_EQ(table->rows[1].cells[0].shade, 0.0);
  EXPECT_EQ(table->rows[2].cells[0].shade, 1.0);
  EXPECT_EQ(table->rows[2].cells[1].note, "not run on this task");
}

TEST(Matrix, ScalesFromTheMomentFitToTheOracle) {
  TaskResult task = made_task();
  add(task, "truth", "oracle", {0.1, 0.1, 0.1});
  add(task, "moments", "gaussian", {0.5, 0.5, 0.5});
  add(task, "copies", "memorizer", {0.2, 0.2, 0.2});
  add(task, "noisy copies", "memorizer", {0.15, 0.15, 0.15});
  add(task, "method", "ddpm", {0.28, 0.30, 0.32});
  const MadeReport made(task);
  const Matrix& matrix = made.analysis.matrix;
  EXPECT_NEAR(entry_of(matrix, "truth").score.value, 1, 1e-12);
  EXPECT_NEAR(entry_of(matrix, "moments").score.value, 0, 1e-12);
  EXPECT_NEAR(entry_of(matrix, "method").score.value, 0.5, 1e-12);
  // t(0.975; 2) · 0.02/√3 on a scale of 0.4.
  EXPECT_NEAR(entry_of(matrix, "method").score.interval.high, 0.5 + 4.302652729911275 * 0.02 / std::sqrt(3.0) / 0.4,
              1e-9);
  // The better of the two that learn nothing, and not the moment fit.
  EXPECT_NEAR(matrix.tasks[0].training.value, (0.5 - 0.15) / 0.4, 1e-12);
  const Figure figure = interval_figure(matrix);
  EXPECT_THAT(figure.commands, HasSubstr("'noisy copies'"));
  EXPECT_THAT(figure.commands, HasSubstr("from 0.875,graph 0"));
}

// Ends that noise alone may exchange are no scale, and there is nothing to draw.
TEST(Matrix, HasNoScaleWhereTheEndsAreNotApart) {
  TaskResult task = made_task();
  add(task, "truth", "oracle", {0.1, 0.1});
  add(task, "moments", "gaussian", {0.101, 0.101});
  add(task, "method", "ddpm", {0.1, 0.1});
  const MadeReport made(task);
  EXPECT_FALSE(entry_of(made.analysis.matrix, "method").score.known());
  EXPECT_EQ(interval_figure(made.analysis.matrix).commands, "");
}

TEST(Matrix, IsMissingWhereNoTaskHasAMetric) {
  TaskResult task = made_task();
  CellResult cell;
  cell.key = {.task = "task", .method = "m", .lift = "none", .seed = 0};
  task.cells.push_back(cell);
  const MadeReport made(task);
  EXPECT_FALSE(matrix_table(made.analysis));
}

}  // namespace
}  // namespace onmanifold
