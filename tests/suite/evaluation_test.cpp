// SPDX-License-Identifier: Apache-2.0
// Methods from outside the tree, scores of points in memory and the scale they stand on.

#include "suite/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/point_files.hpp"
#include "core/files/temporary_directory.hpp"
#include "results/result_set.hpp"
#include "suite/score_scale.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

/// Training points of the first epoch, again.
class Repeater final : public GenerativeModel {
  void do_fit(const FitContext& context) override { points_ = context.training->epoch(0); }
  [[nodiscard]] Points do_sample(Index n, const Stream&) const override {
    return points_.leftCols(std::min(n, points_.cols()));
  }
  Points points_;
};

OwnMethod repeater() {
  return {.name = "repeater", .make = [](Settings&) { return std::make_unique<Repeater>(); }};
}

EvaluationPlan small_plan() {
  return {.tasks = {make_task_spec("sphere-vmf6")},
          .lifts = {make_lift_spec("none"), make_lift_spec("normal:sigma=0.05")},
          .replicates = {0, 1},
          .n_train = 200,
          .n_samples = 200,
          .n_reference = 200,
          .beside = {"gaussian"}};
}

TEST(Evaluation, LeavesOrdinaryCellsAndGoesOn) {
  const TemporaryDirectory directory;
  RunOptions options;
  options.directory = directory.file("out");
  options.in_process = true;
  const RunSummary first = evaluate(repeater(), small_plan(), options);
  EXPECT_EQ(first.computed, 6);  // the control sees no lift
  EXPECT_EQ(evaluate(repeater(), small_plan(), options).skipped, 6);
  const ResultSet results = load_results(options.directory);
  ASSERT_EQ(results.tasks.size(), 1U);
  EXPECT_EQ(results.tasks[0].cells.size(), 6U);
  for (const CellResult& cell : results.tasks[0].cells) EXPECT_TRUE(cell.problem.empty()) << cell.problem;
  OwnMethod other = repeater();
  other.settings = {{"steps", 3}};
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)evaluate(other, small_plan(), options); },
                                           {"another configuration", "method.settings.steps"}));
}

TEST(Evaluation, WorkersGiveTheBitsOfThisProcess) {
  const TemporaryDirectory directory;
  RunOptions here;
  here.directory = directory.file("here");
  here.in_process = true;
  RunOptions there;
  there.directory = directory.file("there");
  there.workers = 2;
  (void)evaluate(repeater(), small_plan(), here);
  (void)evaluate(repeater(), small_plan(), there);
  const CellKey key{"sphere-vmf6", "repeater", "normal-sigma-0.05", 1};
  EXPECT_EQ(read_raw_cell(key.raw_path(here.directory)).raw, read_raw_cell(key.raw_path(there.directory)).raw);
  const CellKey other{"sphere-vmf6", "repeater", "normal-sigma-0.05", 0};
  EXPECT_NE(read_raw_cell(key.raw_path(here.directory)).raw, read_raw_cell(other.raw_path(here.directory)).raw);
}

TEST(Evaluation, AMethodRegisteredOutsideTheTreeRunsInASuite) {
  const TemporaryDirectory directory;
  MethodRegistry methods = method_registry();
  methods.add("repeater", "training points again", repeater().make,
              {.role = MethodRole::control, .place = Place::nowhere, .varies = {}, .needs = {Need::training}});
  const std::string file = directory.file("own.toml");
  std::ofstream(file)
      << "[suite]\nname = \"own\"\nseeds = \"0..0\"\nn_train = 100\nn_samples = 100\nn_reference = 100\n"
         "[[task]]\nname = \"plane-gmm9\"\n[[method]]\nname = \"repeater\"\n";
  RunOptions options;
  options.directory = directory.file("out");
  EXPECT_EQ(run_suite(load_suite(file, methods), options).computed, 1);
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)load_suite(file); }, {"repeater"}));
}

TEST(Evaluation, LiftsAreReadAndLabelled) {
  EXPECT_EQ(make_lift_spec("normal:sigma=0.1").name, "normal-sigma-0.1");
  EXPECT_EQ(make_lift_spec("normal:factor=3").factor, 3);
  EXPECT_FALSE(make_lift_spec("isotropic").sigma.has_value());
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)make_lift_spec("normal:sigm=1"); }, {"sigm"}));
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)make_lift_spec("none:sigma=1"); }, {"sigma"}));
}

TEST(Evaluation, WhatCannotBeEvaluatedIsTold) {
  EvaluationPlan plan = small_plan();
  plan.n_train = 0;
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)evaluate(repeater(), plan, {}); }, {"0 training points"}));
  OwnMethod method = repeater();
  method.name = "../up";
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)evaluate(method, small_plan(), {}); }, {"../up", "path"}));
}

TEST(ScorePoints, PiecesAndTheWholeHaveTheSameBits) {
  const TaskContext context(make_task_spec("plane-gmm9").task, 0, 500);
  const Points samples = context.task().sampler->sample(150'000, Stream(3, "samples"));
  PointsToScore whole{.metrics = "tvd,fd,constraint_mean,projection_distance"};
  PointsToScore pieces = whole;
  pieces.whole_bytes = 0;
  const Score a = score_points(samples, context, whole);
  const Score b = score_points(samples, context, pieces);
  ASSERT_EQ(a.metrics.size(), b.metrics.size());
  for (std::size_t i = 0; i < a.metrics.size(); ++i) {
    EXPECT_EQ(a.metrics[i].record.value, b.metrics[i].record.value) << a.metrics[i].record.name;
  }
  EXPECT_EQ(a.samples_hash, b.samples_hash);
  const Score other = score_points(samples.leftCols(149'999), context, pieces);
  EXPECT_NE(other.metrics[0].record.value, b.metrics[0].record.value);
  EXPECT_NE(other.samples_hash, b.samples_hash);
}

TEST(ScorePoints, FileAndMemoryGiveOneScore) {
  const TemporaryDirectory directory;
  const TaskContext context(make_task_spec("sphere-vmf6").task, 0, 300);
  const Points samples = context.task().sampler->sample(300, Stream(3, "samples"));
  write_points(directory.file("samples.npy"), samples);
  ScoreRequest request;
  request.samples = directory.file("samples.npy");
  request.task = "sphere-vmf6";
  request.reference_size = 300;
  const Score file = score_samples(request);
  const Score memory = score_points(samples, context);
  ASSERT_EQ(file.metrics.size(), memory.metrics.size());
  for (std::size_t i = 0; i < file.metrics.size(); ++i) {
    EXPECT_EQ(file.metrics[i].record.value, memory.metrics[i].record.value) << file.metrics[i].record.name;
  }
  EXPECT_EQ(file.samples_hash, memory.samples_hash);
  EXPECT_EQ(file.reference_hash, memory.reference_hash);
}

TEST(ScorePoints, ACheckpointEndsItBetweenTwoMetrics) {
  const TaskContext context(make_task_spec("plane-gmm9").task, 0, 200);
  const Points samples = context.task().sampler->sample(200, Stream(3, "samples"));
  int calls = 0;
  PointsToScore asked;
  asked.checkpoint = [&] {
    if (++calls == 3) throw std::range_error("stop");
  };
  EXPECT_THROW((void)score_points(samples, context, asked), std::range_error);
  EXPECT_EQ(calls, 3);
}

TEST(ScoreScale, TheEndsAreZeroAndOne) {
  const TaskContext context(make_task_spec("sphere-vmf6").task, 0, 2000);
  const Points train = context.task().sampler->sample(2000, Stream(3, "train"));
  const TrainingPoints training(train);
  const PointsToScore asked{.metrics = "tvd", .train = &training};
  const ScoreScale scale = score_scale(context, 2000, asked);
  const MetricRecord& floor = scale.floor.metrics[0].record;
  const MetricRecord& ceiling = scale.ceiling.metrics[0].record;
  EXPECT_EQ(place_on_scale(floor, floor, ceiling), 0);
  EXPECT_NEAR(place_on_scale(ceiling, floor, ceiling), 1, 0.1);
  const Score fresh = score_points(context.task().sampler->sample(2000, Stream(4, "fresh")), context, asked);
  EXPECT_NEAR(place_on_scale(fresh.metrics[0].record, floor, ceiling), 1, 0.1);
  // Without a difference between the ends there is no place.
  EXPECT_TRUE(std::isnan(place_on_scale(floor, ceiling, ceiling)) || place_on_scale(floor, ceiling, ceiling) < -1);
  MetricRecord without = floor;
  without.direction.reset();
  EXPECT_TRUE(std::isnan(place_on_scale(without, floor, ceiling)));
}

TEST(ScoreScale, DirectionsAndTargetsAreLosses) {
  MetricRecord value;
  value.direction = Direction::higher;
  MetricRecord floor = value;
  MetricRecord ceiling = value;
  floor.value = 0.2;
  ceiling.value = 1.0;
  value.value = 0.6;
  EXPECT_DOUBLE_EQ(place_on_scale(value, floor, ceiling), 0.5);
  value.direction = Direction::target;
  value.target = 1.0;
  value.value = 1.4;  // as far as the middle between floor and target
  EXPECT_DOUBLE_EQ(place_on_scale(value, floor, ceiling), 0.5);
  value.null = 1.0;
  value.null_sd = 0.5;  // the ends are not apart by two spreads
  EXPECT_TRUE(std::isnan(place_on_scale(value, floor, ceiling)));
}

}  // namespace
}  // namespace onmanifold
