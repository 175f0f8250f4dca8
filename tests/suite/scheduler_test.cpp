// SPDX-License-Identifier: Apache-2.0
#include "suite/scheduler.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "results/verify.hpp"
#include "suite/cell_lock.hpp"
#include "suite/pipeline.hpp"
#include "suite/toml_file.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/made_images.hpp"
#include "tests/support/same_results.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

constexpr bool memory_is_limited = !sanitized;  // sanitizers reserve address space of their own

/// A method that misbehaves in do_fit as its tag says.
enum class Misdeed { throws, aborts, eats_memory, hangs, diverges, is_unsupported, exits };

template <Misdeed misdeed>
class BadMethod final : public GenerativeModel {
 private:
  void do_fit(const FitContext&) override {
    switch (misdeed) {
      case Misdeed::throws:
        throw std::runtime_error("made to throw");
      case Misdeed::aborts:
        std::abort();
      case Misdeed::exits:
        _exit(0);
      case Misdeed::diverges:
        throw NumericalFailure("loss is not finite at step 12");
      case Misdeed::is_unsupported:
        throw Unsupported("not on this manifold");
      case Misdeed::hangs:
        while (true) pause();
      case Misdeed::eats_memory: {
        std::vector<std::vector<double>> eaten;
        constexpr int blocks = memory_is_limited ? 64 : 1;  // 64 MiB each, 4 GiB in all, where a limit stops them
        for (int i = 0; i < blocks; ++i) eaten.emplace_back(std::size_t{1} << 23, 1.0);
        throw std::runtime_error("memory was not limited");
      }
    }
  }
  [[nodiscard]] Points do_sample(Index, const Stream&) const override { return {}; }
};

template <Misdeed misdeed>
std::unique_ptr<GenerativeModel> make_bad(Settings&) {
  return std::make_unique<BadMethod<misdeed>>();
}

/// All methods there are, and the bad ones.
const MethodRegistry& methods() {
  static const MethodRegistry registry = [] {
    MethodRegistry all("method");
    for (const auto& entry : method_registry().entries()) all.add(entry.name, entry.description, entry.factory);
    all.add("throws", "", make_bad<Misdeed::throws>);
    all.add("aborts", "", make_bad<Misdeed::aborts>);
    all.add("exits", "", make_bad<Misdeed::exits>);
    all.add("diverges", "", make_bad<Misdeed::diverges>);
    all.add("is_unsupported", "", make_bad<Misdeed::is_unsupported>);
    all.add("hangs", "", make_bad<Misdeed::hangs>);
    all.add("eats_memory", "", make_bad<Misdeed::eats_memory>);
    return all;
  }();
  return registry;
}

constexpr const char* head = R"(
[suite]
name = "test"
seeds = "0..1"
n_train = 60
n_samples = 50
n_reference = 70
[[task]]
name = "plane-gmm9"
[[task]]
name = "sphere-vmf6"
[[lift]]
name = "normal"
type = "normal"
[[method]]
name = "oracle"
[[method]]
name = "gaussian"
lifts = ["none", "normal"]
[[method]]
name = "ddpm"
steps = 8
batch = 32
width = 32
timesteps = 8
lifts = ["none", "normal"]
)";

SuiteSpec suite(const std::string& more = "") {
  return parse_suite(parse_toml(std::string(head) + more, "test.toml"), "test.toml", methods());
}

RunOptions options(const std::string& directory, int workers = 1) {
  RunOptions result;
  result.directory = directory;
  result.workers = workers;
  return result;
}

/// States by cell after a run.
std::map<std::string, CellStatus> states(const std::string& directory) {
  std::map<std::string, CellStatus> result;
  for (const CellKey& key : find_cells(directory)) result[key.text()] = read_cell_head(key.raw_path(directory)).status;
  return result;
}

/// A suite of one program in a file of its own, four replicates.
class ProgramSuite {
 public:
  explicit ProgramSuite(const std::string& text) : script_(directory_.file("model.sh")) { write(text); }
  void write(const std::string& text) const { std::ofstream(script_) << text; }
  [[nodiscard]] const std::string& script() const { return script_; }
  [[nodiscard]] std::string file(const std::string& name) const { return directory_.file(name); }
  [[nodiscard]] RunSummary run(const std::string& more = "", RunOptions how = options("", 4)) const {
    how.directory = directory_.file("results");
    const std::string text = fmt::format(R"(
[suite]
name = "test"
seeds = "0..3"
n_train = 50
n_samples = 50
n_reference = 50
[[task]]
name = "plane-gmm9"
[[method]]
name = "mine"
type = "external"
command = "/bin/sh {} {{train}} {{samples}}"
{}
)",
                                         script_, more);
    return run_suite(parse_suite(parse_toml(text, "test.toml"), "test.toml"), how);
  }

 private:
  TemporaryDirectory directory_;
  std::string script_;
};

TEST(Scheduler, AProgramThatChangedMakesItsCellsStale) {
  const ProgramSuite program("cp \"$1\" \"$2\"\n");
  std::ofstream(program.file("weights.pt")) << "1";
  std::ofstream(program.file("unrelated.py")) << "1";
  const std::string inputs = "inputs = ['" + program.file("weights.pt") + "']";
  EXPECT_EQ(program.run(inputs).computed, 4);
  EXPECT_EQ(program.run(inputs).skipped, 4);
  std::ofstream(program.file("unrelated.py")) << "2";
  EXPECT_EQ(program.run(inputs).skipped, 4);
  RunOptions force = options("", 1);
  force.force = true;
  EXPECT_EQ(program.run(inputs, force).skipped, 4);
  for (const std::string& changed : {program.script(), program.file("weights.pt")}) {
    std::ofstream(changed, std::ios::app) << "\n";
    EXPECT_TRUE(throws_message<InvalidInput>(
        [&] { (void)program.run(inputs); },
        {"has another configuration (method.inputs." + changed + ": \"", "use --force to compute it again"}));
    EXPECT_EQ(program.run(inputs, force).computed, 4) << changed;
    EXPECT_EQ(program.run(inputs).skipped, 4);
  }
}

TEST(Scheduler, RecomputeComputesWhatIsThere) {
  const ProgramSuite program("cp \"$1\" \"$2\"\n");
  EXPECT_EQ(program.run().computed, 4);
  RunOptions again = options("", 1);
  again.recompute = true;
  EXPECT_EQ(program.run("", again).computed, 4);
  again.only = "*/seed-1";
  EXPECT_EQ(program.run("", again).computed, 1);
  again.metrics_only = true;
  EXPECT_THROW((void)program.run("", again), InvalidInput);
}

TEST(Scheduler, AProgramRunsNoMoreOftenAtOnceThanItMay) {
  const std::string alone = "mkdir \"$0.busy\" || exit 7\nsleep 0.3\ncp \"$1\" \"$2\"\nrmdir \"$0.busy\"\n";
  EXPECT_GT(ProgramSuite(alone).run().failed, 0);
  const RunSummary one = ProgramSuite(alone).run("max_parallel = 1");
  EXPECT_EQ(one.failed, 0);
  EXPECT_EQ(one.computed, 4);
  // It is in no hash: another number leaves the results as they are.
  const ProgramSuite program("cp \"$1\" \"$2\"\n");
  EXPECT_EQ(program.run("max_parallel = 1").computed, 4);
  EXPECT_EQ(program.run("max_parallel = 2").skipped, 4);
  EXPECT_THROW((void)program.run("max_parallel = 0"), InvalidInput);
}

TEST(Scheduler, RunsEveryCellOnceAndThenNoneAgain) {
  const TemporaryDirectory directory;
  const RunSummary first = run_suite(suite(), options(directory.path()));
  EXPECT_EQ(first.selected, 20);
  EXPECT_EQ(first.computed, 20);
  EXPECT_EQ(first.failed, 0);
  EXPECT_TRUE(first.complete);
  EXPECT_EQ(find_cells(directory.path()).size(), 20U);
  EXPECT_TRUE(fs::exists(directory.file("plane-gmm9/task.h5")));
  const auto written = fs::last_write_time(directory.file("plane-gmm9/ddpm/none/seed-0.h5"));

  const RunSummary second = run_suite(suite(), options(directory.path(), 2));
  EXPECT_EQ(second.skipped, 20);
  EXPECT_EQ(second.computed, 0);
  EXPECT_EQ(fs::last_write_time(directory.file("plane-gmm9/ddpm/none/seed-0.h5")), written);
}

TEST(Scheduler, ResultsDoNotDependOnWorkersOrderOrShards) {
  const TemporaryDirectory one;
  const TemporaryDirectory two;
  const TemporaryDirectory shares;
  run_suite(suite(), options(one.path(), 1));
  run_suite(suite(), options(two.path(), 2));
  EXPECT_TRUE(same_results(one.path(), two.path()));
  for (const int shard : {3, 1, 2}) {
    RunOptions share = options(shares.path());
    share.shard = shard;
    share.shards = 3;
    run_suite(suite(), share);
  }
  EXPECT_TRUE(same_results(one.path(), shares.path()));

  // The check can fail: another master seed gives other bits.
  const TemporaryDirectory other;
  SuiteSpec reseeded = suite();
  reseeded.seed = 1;
  run_suite(reseeded, options(other.path()));
  EXPECT_FALSE(same_results(one.path(), other.path()));
}

TEST(Scheduler, AddingACellChangesNoOther) {
  const TemporaryDirectory small;
  const TemporaryDirectory large;
  run_suite(suite(), options(small.path()));
  run_suite(suite("[[method]]\nname = \"memorizer\"\n"), options(large.path()));
  for (const CellKey& key : find_cells(small.path())) {
    EXPECT_TRUE(
        same_points(read_raw_cell(key.raw_path(small.path())).raw, read_raw_cell(key.raw_path(large.path())).raw));
  }
}

TEST(Scheduler, MethodsSeeTheSameData) {
  const TemporaryDirectory directory;
  run_suite(suite("[[method]]\nname = \"memorizer\"\n[[method]]\nname = \"again\"\ntype = \"memorizer\"\n"),
            options(directory.path()));
  const Points a = read_raw_cell(directory.file("sphere-vmf6/memorizer/none/seed-1.h5")).raw;
  const Points b = read_raw_cell(directory.file("sphere-vmf6/again/none/seed-1.h5")).raw;
  EXPECT_FALSE(same_points(a, b));  // other sampling streams …
  Index shared = 0;                 // … but draws from one training set of 60 points
  for (Index i = 0; i < a.cols(); ++i) {
    for (Index j = 0; j < b.cols(); ++j) {
      if (same_points(a.col(i), b.col(j))) {
        ++shared;
        break;
      }
    }
  }
  EXPECT_GT(shared, 10);
}

TEST(Scheduler, AKilledRunGoesOnWhereItStopped) {
  const TemporaryDirectory whole;
  const TemporaryDirectory killed;
  run_suite(suite(), options(whole.path(), 2));

  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    RunOptions run = options(killed.path(), 2);
    Index finished = 0;
    run.on_cell = [&](const CellKey&, const CellStatus&) {
      if (++finished == 7) raise(SIGKILL);
    };
    run_suite(suite(), run);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_GE(find_cells(killed.path()).size(), 7U);
  ASSERT_LT(find_cells(killed.path()).size(), 20U);

  const RunSummary rest = run_suite(suite(), options(killed.path()));
  EXPECT_GE(rest.skipped + rest.measured, 7);
  EXPECT_GT(rest.computed, 0);
  EXPECT_TRUE(same_results(whole.path(), killed.path()));
}

TEST(Scheduler, BadCellsAreRecordedWhileTheRestGoesOn) {
  const TemporaryDirectory directory;
  SuiteSpec spec = suite(R"(
[[method]]
name = "throws"
[[method]]
name = "aborts"
[[method]]
name = "exits"
[[method]]
name = "diverges"
[[method]]
name = "is_unsupported"
[[method]]
name = "eats_memory"
)");
  spec.tasks.resize(1);
  spec.last_replicate = 0;
  spec.memory_gb = 1.0;
  const RunSummary summary = run_suite(spec, options(directory.path(), 2));
  EXPECT_EQ(summary.computed, 5);
  EXPECT_EQ(summary.failed, 5);
  EXPECT_EQ(summary.unsupported, 1);

  const std::map<std::string, CellStatus> cells = states(directory.path());
  ASSERT_EQ(cells.size(), 11U);
  const auto cell = [&](const std::string& method) { return cells.at("plane-gmm9/" + method + "/none/seed-0"); };
  EXPECT_EQ(cell("oracle").state, CellState::ok);
  EXPECT_EQ(cell("throws").state, CellState::failed);
  EXPECT_EQ(cell("throws").message, "made to throw");
  EXPECT_EQ(cell("aborts").state, CellState::failed);
  EXPECT_NE(cell("aborts").message.find("signal 6"), std::string::npos) << cell("aborts").message;
  EXPECT_EQ(cell("exits").state, CellState::failed);
  EXPECT_EQ(cell("diverges").state, CellState::diverged);
  EXPECT_EQ(cell("diverges").message, "loss is not finite at step 12");
  EXPECT_EQ(cell("is_unsupported").state, CellState::unsupported);
  EXPECT_EQ(cell("is_unsupported").message, "not on this manifold");
  EXPECT_EQ(cell("eats_memory").state, CellState::failed);
  if (memory_is_limited) {
    EXPECT_NE(cell("eats_memory").message.find("memory"), std::string::npos);
    EXPECT_EQ(cell("eats_memory").message.find("not limited"), std::string::npos) << cell("eats_memory").message;
  }

  // Failed cells are tried again, unsupported ones are not.
  const RunSummary again = run_suite(spec, options(directory.path(), 2));
  EXPECT_EQ(again.failed, 5);
  EXPECT_EQ(again.skipped, 6);
}

TEST(Scheduler, ATimeLimitIsAFailureToo) {
  const TemporaryDirectory directory;
  SuiteSpec spec = suite("[[method]]\nname = \"hangs\"\n");
  spec.tasks.resize(1);
  spec.last_replicate = 0;
  spec.timeout_s = 2;
  RunOptions run = options(directory.path(), 2);
  run.only = "*/[oh]*/*";  // oracle and hangs
  const RunSummary summary = run_suite(spec, run);
  EXPECT_EQ(summary.computed, 1);
  EXPECT_EQ(summary.failed, 1);
  EXPECT_EQ(states(directory.path()).at("plane-gmm9/hangs/none/seed-0").state, CellState::timeout);
}

TEST(Scheduler, AChangedConfigurationNeedsForce) {
  const TemporaryDirectory directory;
  SuiteSpec spec = suite();
  spec.tasks.resize(1);
  run_suite(spec, options(directory.path()));
  SuiteSpec changed = suite();
  changed.tasks.resize(1);
  changed.n_samples = 45;
  EXPECT_TRUE(throws_message<InvalidInput>([&] { run_suite(changed, options(directory.path())); },
                                           {"seed-0.h5", "n_samples: 50 -> 45", "--force"}));
  RunOptions forced = options(directory.path());
  forced.force = true;
  EXPECT_EQ(run_suite(changed, forced).computed, 10);
  EXPECT_EQ(read_raw_cell(directory.file("plane-gmm9/oracle/none/seed-0.h5")).raw.cols(), 45);
}

TEST(Scheduler, AChangedMetricListRecomputesMetricsOnly) {
  const TemporaryDirectory directory;
  SuiteSpec spec = suite();
  spec.tasks.resize(1);
  run_suite(spec, options(directory.path()));
  const Points before = read_raw_cell(directory.file("plane-gmm9/ddpm/normal/seed-1.h5")).raw;
  auto fewer = std::make_shared<TaskSpec>(*spec.tasks.front());
  fewer->metrics = parse_metric_list("tvd,constraint_max");
  spec.tasks.front() = fewer;
  const RunSummary summary = run_suite(spec, options(directory.path()));
  EXPECT_EQ(summary.measured, 10);
  EXPECT_EQ(summary.computed, 0);
  const MetricsCell metrics = read_metrics_cell(directory.file("plane-gmm9/ddpm/normal/seed-1.metrics.h5"));
  std::vector<std::string> names;
  for (const MetricRecord& record : metrics.raw) names.push_back(record.name);
  EXPECT_EQ(names, (std::vector<std::string>{"tvd", "constraint_max"}));
  EXPECT_TRUE(same_points(before, read_raw_cell(directory.file("plane-gmm9/ddpm/normal/seed-1.h5")).raw));
}

TEST(Scheduler, LostMetricsAreComputedFromStoredSamples) {
  const TemporaryDirectory directory;
  const TemporaryDirectory untouched;
  run_suite(suite(), options(directory.path()));
  run_suite(suite(), options(untouched.path()));
  fs::remove(directory.file("plane-gmm9/ddpm/normal/seed-1.metrics.h5"));
  RunOptions run = options(directory.path());
  const RunSummary summary = run_suite(suite(), run);
  EXPECT_EQ(summary.measured, 1);
  EXPECT_EQ(summary.computed, 0);
  EXPECT_TRUE(same_results(directory.path(), untouched.path()));
  run.metrics_only = true;
  EXPECT_EQ(run_suite(suite(), run).measured, 20);
  EXPECT_TRUE(same_results(directory.path(), untouched.path()));
}

// The pictures of a report, which has no training data, need it in the file of the cell.
TEST(Scheduler, KeepsTheNearestTrainingImages) {
  const MadeImages images;
  const TemporaryDirectory directory;
  const std::string text = R"(
[suite]
name = "images"
seeds = "0..0"
n_train = 60
n_samples = 12
n_reference = 20
[[task]]
name = "flux-mnist14"
data = "made"
metrics = "constraint_mean"
[[task]]
name = "sphere-vmf6"
metrics = "constraint_mean"
[[method]]
name = "memorizer"
[[method]]
name = "gaussian"
)";
  const SuiteSpec some = parse_suite(parse_toml(text, "images.toml"), "images.toml", method_registry());
  EXPECT_EQ(run_suite(some, options(directory.path())).computed, 4);
  const RawCell copies = read_raw_cell(directory.file("flux-mnist14/memorizer/none/seed-0.h5"));
  EXPECT_EQ(copies.nearest_training, copies.raw.leftCols(10));  // its samples are training points
  const RawCell gaussian = read_raw_cell(directory.file("flux-mnist14/gaussian/none/seed-0.h5"));
  const Points training = training_points(some.tasks[0]->task, some.seed, 0, 60);
  ASSERT_EQ(gaussian.nearest_training.cols(), 10);
  for (Index i = 0; i < 10; ++i) {
    const Vector sample = gaussian.raw.col(i);
    const double least = (training.colwise() - sample).colwise().squaredNorm().minCoeff();
    EXPECT_NEAR((gaussian.nearest_training.col(i) - sample).squaredNorm(), least, 1e-12 * least) << i;
  }
  EXPECT_EQ(read_raw_cell(directory.file("sphere-vmf6/gaussian/none/seed-0.h5")).nearest_training.size(), 0);
}

TEST(Scheduler, KeepsAsManySamplesAsAsked) {
  const TemporaryDirectory whole;
  run_suite(suite(), options(whole.path()));
  const TemporaryDirectory directory;
  SuiteSpec some = suite();
  some.keep_samples = 20;
  EXPECT_EQ(run_suite(some, options(directory.path())).computed, 20);
  for (const CellKey& key : find_cells(directory.path())) {
    const RawCell all = read_raw_cell(key.raw_path(whole.path()));
    const RawCell kept = read_raw_cell(key.raw_path(directory.path()));
    EXPECT_EQ(kept.raw, all.raw.leftCols(20)) << key.text();
    EXPECT_EQ(kept.projected, all.projected.leftCols(20));
    EXPECT_EQ(kept.projection_distance.size(), 20);
    // Metrics see all samples.
    const MetricsCell full = read_metrics_cell(key.metrics_path(whole.path()));
    const MetricsCell part = read_metrics_cell(key.metrics_path(directory.path()));
    ASSERT_EQ(part.raw.size(), full.raw.size());
    for (std::size_t i = 0; i < full.raw.size(); ++i) {
      EXPECT_TRUE(part.raw[i].value == full.raw[i].value || std::isnan(full.raw[i].value)) << full.raw[i].name;
      EXPECT_EQ(part.raw[i].n_samples, 50);
    }
  }
  EXPECT_EQ(run_suite(some, options(directory.path())).skipped, 20);

  // Stopped between samples and metrics: done again.
  const CellKey stopped = find_cells(directory.path()).front();
  const MetricsCell before = read_metrics_cell(stopped.metrics_path(directory.path()));
  fs::remove(stopped.metrics_path(directory.path()));
  EXPECT_EQ(run_suite(some, options(directory.path())).computed, 1);
  EXPECT_EQ(read_metrics_cell(stopped.metrics_path(directory.path())).raw_digest, before.raw_digest);

  // None at all.
  const TemporaryDirectory empty;
  SuiteSpec none = suite();
  none.keep_samples = 0;
  EXPECT_EQ(run_suite(none, options(empty.path())).computed, 20);
  EXPECT_EQ(run_suite(none, options(empty.path())).skipped, 20);
  EXPECT_EQ(read_raw_cell(stopped.raw_path(empty.path())).raw.cols(), 0);
  RunOptions lost = options(empty.path());
  lost.metrics_only = true;
  EXPECT_TRUE(throws_message<InvalidInput>([&] { run_suite(none, lost); }, {"0 of 50 samples were kept"}));

  // New metrics of samples that are gone need an order.
  RunOptions anew = options(directory.path());
  anew.metrics_only = true;
  EXPECT_TRUE(throws_message<InvalidInput>([&] { run_suite(some, anew); }, {"20 of 50 samples were kept"}));
  SuiteSpec other = suite("\n[[exclude]]\ntask = \"plane-gmm9\"\n");
  other.keep_samples = 20;
  auto task = std::make_shared<TaskSpec>(*other.tasks.back());
  task->metrics.erase(task->metrics.begin() + 1, task->metrics.end());
  other.tasks.back() = task;
  EXPECT_TRUE(throws_message<InvalidInput>([&] { run_suite(other, options(directory.path())); }, {"use --force"}));
  RunOptions force = options(directory.path());
  force.force = true;
  EXPECT_EQ(run_suite(other, force).computed, 10);
}

TEST(Scheduler, OnlyChoosesCells) {
  const TemporaryDirectory directory;
  RunOptions run = options(directory.path());
  run.only = "sphere-*/gaussian/*/seed-1";
  EXPECT_EQ(run_suite(suite(), run).computed, 2);
  run.only = "nothing*";
  EXPECT_TRUE(throws_message<InvalidInput>([&] { run_suite(suite(), run); }, {"nothing*"}));
}

TEST(Scheduler, ACellHeldElsewhereIsLeftAlone) {
  const TemporaryDirectory directory;
  const CellKey key{"plane-gmm9", "oracle", "none", 0};
  const CellLock mine(directory.path(), key);
  ASSERT_TRUE(mine.owned());
  RunOptions run = options(directory.path());
  run.only = "plane-gmm9/oracle/*";
  const RunSummary summary = run_suite(suite(), run);
  EXPECT_EQ(summary.busy, 1);
  EXPECT_EQ(summary.computed, 1);
  EXPECT_FALSE(fs::exists(key.raw_path(directory.path())));
}

TEST(Scheduler, WhatAnotherRunFinishedMeanwhileIsNotCountedAsComputed) {
  const TemporaryDirectory directory;
  RunOptions run = options(directory.path());
  run.only = "*/gaussian/*";
  RunSummary other;
  bool started = false;
  // Another run does all the rest while this one is at work.
  run.on_cell = [&](const CellKey&, const CellStatus&) {
    if (started) return;
    started = true;
    RunOptions same = options(directory.path());
    same.only = run.only;
    other = run_suite(suite(), same);
  };
  const RunSummary summary = run_suite(suite(), run);
  EXPECT_EQ(summary.selected, 8);
  EXPECT_EQ(summary.computed, 1);
  EXPECT_EQ(other.computed, 7);
  EXPECT_EQ(other.skipped, 1);
  EXPECT_EQ(summary.skipped, 7);
}

TEST(Scheduler, WritesDownWhatItWasAskedForWhateverTheShard) {
  const TemporaryDirectory directory;
  RunOptions run = options(directory.path());
  run.only = "*/gaussian/*";
  run.shard = 2;
  run.shards = 4;
  EXPECT_EQ(run_suite(suite(), run).computed, 2);
  const std::vector<std::string> plans = find_cell_plans(directory.path());
  ASSERT_EQ(plans.size(), 1U);
  EXPECT_EQ(read_cell_plan(plans[0]).cells.size(), 8U);
  EXPECT_EQ(verify_directory(directory.path()).problems.size(), 6U);
  for (const int shard : {1, 3, 4}) {
    run.shard = shard;
    run_suite(suite(), run);
  }
  EXPECT_EQ(find_cell_plans(directory.path()), plans);
  EXPECT_TRUE(verify_directory(directory.path()).problems.empty());
  // Metrics of what is there are asked for, and no cells.
  RunOptions metrics = options(directory.path());
  metrics.metrics_only = true;
  run_suite(suite(), metrics);
  EXPECT_EQ(find_cell_plans(directory.path()), plans);
}

TEST(Scheduler, AnUnusableDirectoryIsSaidAtOnce) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("file");
  std::ofstream(file) << "x";
  EXPECT_TRUE(throws_message<IoError>([&] { run_suite(suite(), options(file)); }, {file}));
  EXPECT_TRUE(throws_message<IoError>([&] { run_suite(suite(), options("/proc/onmanifold")); }, {"/proc/onmanifold"}));
}

TEST(Scheduler, DescribesDifferences) {
  const Value before = Value::Table{{"a", 1}, {"b", Value::Table{{"c", 2.5}, {"d", "x"}}}};
  const Value after = Value::Table{{"a", 1}, {"b", Value::Table{{"c", 3.5}, {"e", true}}}};
  EXPECT_EQ(describe_difference(before, after),
            (std::vector<std::string>{"b.c: 2.5 -> 3.5", "b.d: \"x\" -> (none)", "b.e: (none) -> true"}));
  EXPECT_TRUE(describe_difference(before, before).empty());
}

}  // namespace
}  // namespace onmanifold
