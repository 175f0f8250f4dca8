// SPDX-License-Identifier: Apache-2.0
// The rule on planted numbers, and that nothing of a suite is seen by its trials.
#include "suite/tuning.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/temporary_directory.hpp"
#include "suite/pipeline.hpp"
#include "suite/scheduler.hpp"
#include "suite/task_context.hpp"
#include "suite/toml_file.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

constexpr const char* small_suite = R"TOML(
[suite]
name = "small"
seed = 5
seeds = "0..1"
n_train = 60
n_samples = 40
[[task]]
name = "plane-gmm9"
metrics = "tvd,coverage(k=5)"
[[task]]
name = "plane-smiley"
[[task]]
name = "sphere-vmf6"
metrics = "tvd"
[[lift]]
name = "normal"
type = "normal"
[[method]]
name = "memorizer"
[[method]]
name = "ddpm"
steps = 3
width = 32
depth = 1
timesteps = 5
lifts = ["none", "normal"]
[[method]]
name = "stated"
type = "ddpm"
steps = 3
learning_rate = 1e-3
[[exclude]]
task = "sphere-*"
method = "ddpm"
lift = "normal"
)TOML";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

SuiteSpec parse(const std::string& text, const std::string& source = "s.toml") {
  return parse_suite(parse_toml(text, source), source);
}

std::vector<RateTrial> trials(const std::vector<std::vector<double>>& values) {
  std::vector<RateTrial> result;
  for (const std::vector<double>& of_rate : values) {
    result.push_back({.rate = static_cast<double>(result.size() + 1), .values = of_rate});
  }
  return result;
}

TEST(TuningRule, TakesTheBestMeanAndTheSmallerRateWithinItsError) {
  // Errors of a third of the spread of (-d, 0, d): d / sqrt(3).
  EXPECT_EQ(choose_rate(trials({{9, 9, 9}, {5, 5, 5}, {4, 4, 4}}), Direction::lower), 2U);
  EXPECT_EQ(choose_rate(trials({{9, 9, 9}, {5, 5, 5}, {2, 4, 6}}), Direction::lower), 1U);        // 5 < 4 + 1.15
  EXPECT_EQ(choose_rate(trials({{9, 9, 9}, {5.2, 5.2, 5.2}, {2, 4, 6}}), Direction::lower), 2U);  // 5.2 is not
  EXPECT_EQ(choose_rate(trials({{4, 4, 4}, {9, 9, 9}, {4, 4, 4}}), Direction::lower), 0U);        // a tie
  // The error is that of the best, not that of the candidate.
  EXPECT_EQ(choose_rate(trials({{0, 5, 10}, {4, 4, 4}}), Direction::lower), 1U);
  // The smaller rate, not the earlier one.
  std::vector<RateTrial> reversed = trials({{4, 4, 4}, {4, 4, 4}});
  std::swap(reversed[0].rate, reversed[1].rate);
  EXPECT_EQ(choose_rate(reversed, Direction::lower), 1U);
  EXPECT_EQ(choose_rate(trials({{9, 9, 9}, {5, 5, 5}}), Direction::higher), 0U);
  EXPECT_EQ(choose_rate(trials({{9, 9, 9}, {5, 5, 5}}), Direction::target, 10), 0U);
}

TEST(TuningRule, CountsALostReplicateAsTheWorst) {
  std::vector<RateTrial> some = trials({{5, 5, 5}, {1, 1}, {4, 4, 4}});
  some[1].lost = 1;  // by its mean it would be the best
  EXPECT_EQ(choose_rate(some, Direction::lower), 2U);
  some[1].lost = 0;
  EXPECT_EQ(choose_rate(some, Direction::lower), 1U);
  for (RateTrial& trial : some) trial.lost = 1;
  EXPECT_EQ(choose_rate(some, Direction::lower), std::nullopt);
  EXPECT_EQ(choose_rate(trials({{4}, {3}}), Direction::lower), 1U);  // one replicate has no error
  EXPECT_THROW((void)choose_rate({}, Direction::lower), InvalidInput);
}

TEST(TuningSuite, GivesEveryConfigurationTheSameTrials) {
  const SuiteSpec suite = tuning_suite(parse(small_suite));
  EXPECT_EQ(suite.name, "small-tuning");
  EXPECT_EQ(suite.seed, tuning_seed);
  ASSERT_EQ(suite.tasks.size(), 2U);  // both planes are one family
  EXPECT_EQ(suite.tasks[0]->metrics.size(), 1U);
  std::map<std::string, std::set<double>> rates;  // by task and lift
  std::map<std::string, int> cells;
  for (const Cell& cell : expand(suite)) {
    EXPECT_EQ(cell.method->type, "ddpm");
    EXPECT_TRUE(cell.key.method.starts_with("ddpm.rate-")) << cell.key.text();
    EXPECT_EQ(cell.n_train, 60);
    const std::string where = cell.key.task + "/" + cell.key.lift;
    const auto& settings = *cell.method->settings.get_if<Value::Table>();
    rates[where].insert(*settings.at("learning_rate").get_if<double>());
    EXPECT_EQ(*settings.at("steps").get_if<std::int64_t>(), 3);
    ++cells[where];
  }
  const std::set<double> all(tuning_rates.begin(), tuning_rates.end());
  EXPECT_THAT(rates, testing::UnorderedElementsAre(testing::Pair("plane-gmm9/none", all),
                                                   testing::Pair("plane-gmm9/normal", all),
                                                   testing::Pair("sphere-vmf6/none", all)));
  for (const auto& [where, count] : cells) EXPECT_EQ(count, 18) << where;
}

TEST(TuningSuite, RefusesWhatCannotBeTuned) {
  EXPECT_TRUE(throws_message<InvalidInput>(
      [] { (void)tuning_suite(parse(replaced(small_suite, "seed = 5", "seed = 777"))); }, {"s.toml", "777"}));
  EXPECT_TRUE(throws_message<InvalidInput>(
      [] { (void)tuning_suite(parse(replaced(small_suite, "timesteps = 5", "timesteps = 5\nlearning_rate = 1e-3"))); },
      {"s.toml", "nothing to tune"}));
}

/// The columns of \p points as texts that can be compared.
std::set<std::string> columns_of(const Points& points) {
  std::set<std::string> result;
  for (Index j = 0; j < points.cols(); ++j) {
    const Vector column = points.col(j);
    result.emplace(reinterpret_cast<const char*>(column.data()),
                   sizeof(double) * static_cast<std::size_t>(column.size()));
  }
  return result;
}

int shared_columns(const Points& a, const Points& b) {
  const std::set<std::string> of_a = columns_of(a);
  int shared = 0;
  for (const std::string& column : columns_of(b)) shared += of_a.contains(column) ? 1 : 0;
  return shared;
}

TEST(TuningSuite, SharesNoDrawWithAnySuite) {
  for (const ShippedSuite& shipped : shipped_suites()) {
    const Value table = read_toml_file(shipped.path);
    const auto& head = *table.get_if<Value::Table>()->at("suite").get_if<Value::Table>();
    const auto seed = head.find("seed");
    if (seed == head.end()) continue;
    EXPECT_NE(*seed->second.get_if<std::int64_t>(), std::int64_t{tuning_seed}) << shipped.name;
  }
  const SuiteSpec suite = parse(small_suite);
  const SuiteSpec trial = tuning_suite(suite);
  const Task& task = trial.tasks[1]->task;
  TaskContext tried(task, trial.seed, 500);
  TaskContext judged(task, suite.seed, 500);
  for (int a = 0; a < tuning_replicates; ++a) {
    const Points training = tried.training(a, 500).points();
    for (int b = 0; b < 3; ++b) EXPECT_EQ(shared_columns(training, judged.training(b, 500).points()), 0);
    EXPECT_EQ(shared_columns(training, judged.reference()), 0);
    EXPECT_EQ(shared_columns(training, TaskContext(task, trial.seed, 500).training(a, 500).points()), 500);
  }
  EXPECT_EQ(shared_columns(tried.reference(), judged.reference()), 0);
}

TEST(TuningSuite, JudgesDataSetsByTheirValidationSplit) {
  const SuiteSpec suite =
      parse(replaced(small_suite, "name = \"plane-smiley\"", "name = \"backbone-8\"\nmetrics = \"energy\""));
  const SuiteSpec trial = tuning_suite(suite);
  const auto find = [](const SuiteSpec& in) {
    return std::find_if(in.tasks.begin(), in.tasks.end(),
                        [](const auto& task) { return task->task.splits.has_value(); });
  };
  ASSERT_NE(find(trial), trial.tasks.end());
  const Task& judged = (*find(suite))->task;
  const TaskContext context((*find(trial))->task, trial.seed, 300);
  EXPECT_EQ(shared_columns(context.reference(), judged.splits->validation->points()), 300);
  EXPECT_EQ(shared_columns(context.reference(), judged.splits->reference->points()), 0);
  EXPECT_EQ(shared_columns(TaskContext(judged, trial.seed, 300).reference(), judged.splits->reference->points()), 300);
}

TEST(Tuning, RunsResumesAndIsTakenBySuites) {
  const TemporaryDirectory directory;
  const std::string results = directory.path() + "/trials";
  const SuiteSpec suite = parse(small_suite);
  const SuiteSpec trial = tuning_suite(suite);
  RunOptions options;
  options.directory = results;
  options.workers = 2;
  options.shards = 2;
  EXPECT_EQ(run_suite(trial, options).computed, 27);
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)collect_tuning(suite, results); }, {"the trial", "missing"}));
  options.shards = 1;
  EXPECT_EQ(run_suite(trial, options).computed, 27);
  EXPECT_EQ(run_suite(trial, options).skipped, 54);

  const Tuning tuning = collect_tuning(suite, results);
  ASSERT_EQ(tuning.configurations.size(), 3U);
  for (const TunedConfiguration& one : tuning.configurations) {
    EXPECT_TRUE(one.learning_rate.has_value());
    EXPECT_EQ(one.mean.size(), 6U);
    EXPECT_EQ(one.metric, "tvd");
    EXPECT_THAT(one.lost, testing::Each(0));
  }
  const std::string text = tuning_text(tuning);
  EXPECT_EQ(tuning_text(parse_tuning(parse_toml(text, "t.toml"), "t.toml")), text);

  // The suite takes what was chosen, also for the other task of the family; what states its rate keeps it.
  write_file(directory.path() + "/t.toml", replaced(text, "learning_rate = ", "learning_rate = 0.0123 # "));
  const std::string source = directory.path() + "/s.toml";
  const std::string asks = replaced(small_suite, "seed = 5", "seed = 5\ntuned = \"t.toml\"");
  const SuiteSpec tuned = parse(asks, source);
  const auto rate_of = [](const Cell& cell) {
    return *cell.method->settings.get_if<Value::Table>()->at("learning_rate").get_if<double>();
  };
  const std::vector<Cell> plain = expand(suite);
  const std::vector<Cell> cells = expand(tuned);
  ASSERT_EQ(cells.size(), plain.size());
  int moved = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].method->type != "ddpm") continue;
    const bool first =
        cells[i].key.method == "ddpm" && cells[i].key.lift == "none" && cells[i].key.task.starts_with("plane");
    EXPECT_EQ(rate_of(cells[i]) == 0.0123, first) << cells[i].key.text();
    moved += cells[i].sample_hash != plain[i].sample_hash ? 1 : 0;
    if (cells[i].key.method == "stated") {
      EXPECT_EQ(cells[i].sample_hash, plain[i].sample_hash);
    }
  }
  EXPECT_GE(moved, 4);
  TaskContext context(tuned.tasks[0]->task, tuned.seed, 100);
  const Value record = describe_task(tuned, *tuned.tasks[0], context).details.get_if<Value::Table>()->at("tuning");
  EXPECT_EQ(record.get_if<Value::Table>()->at("configurations").get_if<Value::Array>()->size(), 2U);

  EXPECT_TRUE(throws_message<InvalidInput>(
      [&] { (void)expand(parse(replaced(asks, "steps = 3", "steps = 4"), source)); }, {"ddpm", "other settings"}));
  EXPECT_TRUE(throws_message<InvalidInput>(
      [&] {
        const std::string renamed = replaced(asks, "name = \"ddpm\"", "name = \"other\"\ntype = \"ddpm\"");
        (void)expand(parse(replaced(renamed, "method = \"ddpm\"", "method = \"other\""), source));
      },
      {"no trial of other"}));
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse(replaced(asks, "seed = 5", "seed = 777"), source); },
                                           {source, "tuned", "777"}));
  EXPECT_TRUE(
      throws_message<InvalidInput>([&] { (void)parse(replaced(asks, "t.toml", "none.toml"), source); }, {"none.toml"}));
}

TEST(Tuning, FilesThatAreNoneAreRefused) {
  const auto refused = [](const std::string& text, const std::vector<std::string>& parts) {
    return throws_message<InvalidInput>([&] { (void)parse_tuning(parse_toml(text, "t.toml"), "t.toml"); }, parts);
  };
  const std::string head = "[tuning]\nsuite = \"s\"\nseed = 777\nreplicates = 3\nlearning_rates = [1e-3, 1e-2]\n";
  const std::string row =
      "[[configuration]]\nmethod = \"ddpm\"\nlift = \"none\"\nfamily = \"sphere\"\ntask = \"sphere-vmf6\"\n"
      "metric = \"tvd\"\nsettings = \"0\"\nmean = [1, nan]\nerror = [0.5, nan]\nlost = [0, 3]\n";
  EXPECT_EQ(parse_tuning(parse_toml(head + row, "t.toml"), "t.toml").configurations.at(0).learning_rate, std::nullopt);
  EXPECT_TRUE(refused("x = 1\n", {"t.toml", "[tuning]"}));
  EXPECT_TRUE(refused(head, {"t.toml", "[[configuration]]"}));
  EXPECT_TRUE(refused(head + replaced(row, "[1, nan]", "[1]"), {"t.toml", "line 13", "mean", "2 numbers"}));
  EXPECT_TRUE(refused(head + replaced(row, "[1, nan]", "[1, true]"), {"t.toml", "line 13", "mean", "a boolean"}));
  EXPECT_TRUE(refused(head + replaced(row, "metric", "metrik"), {"t.toml", "metric"}));
  EXPECT_TRUE(refused(head + row + "rate = 3\n", {"t.toml", "rate"}));
}

}  // namespace
}  // namespace onmanifold
