// SPDX-License-Identifier: Apache-2.0
// A method of one's own beside the built-in ones: task, lift, score, and cells that `onmanifold report` reads.
#include <iostream>

#include "suite/evaluation.hpp"
#include "suite/score_scale.hpp"

using namespace onmanifold;

/// Training points with a little more noise, whoever asks.
class Jitter final : public GenerativeModel {
  void do_fit(const FitContext& context) override { points_ = context.training->epoch(0); }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    Points samples(points_.rows(), n);
    for (Index j = 0; j < n; ++j) samples.col(j) = points_.col(j % points_.cols());
    return samples + 0.01 * Stream(stream).normal(points_.rows(), n);
  }
  Points points_;
};

int main(int, char** arguments) {
  const TaskSpec task = make_task_spec("sphere-vmf6");
  const Points train = training_points(task.task, 0, 0, 1000);
  const Points lifted = Lift{LiftType::normal, 0.1}.apply(train, *task.task.manifold, Stream(1, "own_method"));

  const TaskContext context(task.task, 0, 1000);
  const TrainingPoints training(train);
  const PointsToScore asked{.name = "lifted", .metrics = "tvd", .train = &training};
  const ScoredMetric tvd = score_points(lifted, context, asked).metrics.back();
  const ScoreScale scale = score_scale(context, lifted.cols(), asked);
  std::cout << tvd.samples << " tvd " << tvd.record.value << ", place "
            << place_on_scale(tvd.record, *find_same(scale.floor, tvd), *find_same(scale.ceiling, tvd)) << '\n';

  const OwnMethod jitter{.name = "jitter", .make = [](Settings&) { return std::make_unique<Jitter>(); }};
  RunOptions options;
  options.directory = arguments[1];
  const RunSummary done = evaluate(jitter,
                                   {.tasks = {task},
                                    .lifts = {make_lift_spec("none"), make_lift_spec("normal:sigma=0.1")},
                                    .replicates = {0, 1},
                                    .n_train = 1000,
                                    .n_samples = 1000,
                                    .n_reference = 1000,
                                    .beside = {"oracle", "gaussian"}},
                                   options);
  std::cout << done.computed << " cells computed, " << done.skipped << " already there\n";

  // Or in a suite file beside the built-in methods, once it has a name there.
  MethodRegistry methods = method_registry();
  methods.add(jitter.name, "training points with noise", jitter.make, jitter.info);
  options.directory += "-suite";
  std::cout << run_suite(load_suite(arguments[2], methods), options).computed << " cells of a suite\n";
}
