// SPDX-License-Identifier: Apache-2.0
#include "datasets/task.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace onmanifold {

std::shared_ptr<const DiffusedScore> Task::diffused_score(const Lift& lift) const {
  return make_diffused_score == nullptr ? nullptr : make_diffused_score(lift);
}

Stream training_stream(const Task& task, std::uint64_t seed, int replicate) {
  return {seed, fmt::format("{}/train/{}", task.name, replicate)};
}

Stream reference_stream(const Task& task, std::uint64_t seed) {
  return {seed, fmt::format("{}/reference/v{}", task.name, task.version)};
}

Stream evaluation_stream(const Task& task, std::uint64_t seed) {
  return {seed, fmt::format("{}/evaluation", task.name)};
}

Points sample_training(const Task& task, Index n, Stream stream) {
  if (!task.splits) return task.sampler->sample(n, stream);
  return task.splits->train->sample(std::min(n, task.splits->train->size()), stream);
}

Points sample_reference(const Task& task, Index n, Stream stream) {
  if (!task.splits) return task.sampler->sample(n, stream);
  return task.splits->reference->sample(std::min(n, task.splits->reference->size()), stream);
}

const Sampler* simulation_sampler(const Task& task) {
  return task.splits ? nullptr : task.sampler.get();
}

}  // namespace onmanifold
