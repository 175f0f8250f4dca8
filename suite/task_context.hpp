// SPDX-License-Identifier: Apache-2.0
#pragma once
// What all cells of a task share in one process: the reference draws, what metrics found out about them, the features,
// and the training points of one replicate.

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "metrics/target.hpp"
#include "suite/suite_spec.hpp"
#include "suite/task_features.hpp"

namespace onmanifold {

class TaskContext {
 public:
  /// \p task as a suite with master seed \p seed has it, with \p n_reference reference draws (or all, of a data set).
  TaskContext(const Task& task, std::uint64_t seed, Index n_reference, std::uint64_t memory_bytes = 0);
  TaskContext(const TaskContext&) = delete;
  TaskContext& operator=(const TaskContext&) = delete;

  [[nodiscard]] const Task& task() const { return task_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] const Points& reference() const { return reference_; }
  [[nodiscard]] const PreparedTarget& target() const { return target_; }
  /// The clean training points of a replicate; those of the last one asked for are kept.
  [[nodiscard]] const TrainingPoints& training(int replicate, Index n);

 private:
  Task task_;
  std::uint64_t seed_;
  Points reference_;
  TaskFeatures features_;
  PreparedTarget target_;
  std::optional<std::pair<int, Index>> replicate_;
  Points training_;
  std::optional<TrainingPoints> training_points_;
};

/// The context of the last task asked for: cells come task by task.
class TaskContexts {
 public:
  [[nodiscard]] TaskContext& of(const SuiteSpec& suite, const TaskSpec& spec);

 private:
  const TaskSpec* spec_ = nullptr;
  std::unique_ptr<TaskContext> last_;
};

/// The clean training points of a replicate, D×n: common to all methods and lifts.
[[nodiscard]] Points training_points(const Task& task, std::uint64_t seed, int replicate, Index n);

}  // namespace onmanifold
