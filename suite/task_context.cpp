// SPDX-License-Identifier: Apache-2.0
#include "suite/task_context.hpp"

namespace onmanifold {
namespace {

Target target_of(const Task& task, const Points& reference, std::uint64_t seed, const FeatureMaps& features,
                 std::uint64_t memory_bytes) {
  return {.reference = &reference,
          .manifold = task.manifold.get(),
          .partition = task.partition.get(),
          .masses = task.masses.size() > 0 ? &task.masses : nullptr,
          .sampler = simulation_sampler(task),
          .held_out = task.sampler.get(),
          .density = task.density.get(),
          .feature_maps = &features,
          .evaluation = evaluation_stream(task, seed),
          .memory_bytes = memory_bytes};
}

}  // namespace

TaskContext::TaskContext(const Task& task, std::uint64_t seed, Index n_reference, std::uint64_t memory_bytes)
    : task_(task),
      seed_(seed),
      reference_(sample_reference(task_, n_reference, reference_stream(task_, seed))),
      features_(task_),
      target_(target_of(task_, reference_, seed, features_, memory_bytes)) {}

const TrainingPoints& TaskContext::training(int replicate, Index n) {
  const std::pair<int, Index> asked(replicate, n);
  if (replicate_ != asked) {
    training_points_.reset();
    training_ = training_points(task_, seed_, replicate, n);
    training_points_.emplace(training_);
    replicate_ = asked;
  }
  return *training_points_;
}

TaskContext& TaskContexts::of(const SuiteSpec& suite, const TaskSpec& spec) {
  if (spec_ != &spec) {
    last_ = std::make_unique<TaskContext>(spec.task, suite.seed, sizes_of(suite, spec).reference);
    spec_ = &spec;
  }
  return *last_;
}

Points training_points(const Task& task, std::uint64_t seed, int replicate, Index n) {
  return sample_training(task, n, training_stream(task, seed, replicate).at("data"));
}

}  // namespace onmanifold
