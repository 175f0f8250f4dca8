// SPDX-License-Identifier: Apache-2.0
#pragma once
// The parts of the module, one a file.

#include <memory>
#include <mutex>
#include <string>

#include "manifolds/geodesics.hpp"
#include "manifolds/manifold.hpp"
#include "python/bindings/conversions.hpp"
#include "suite/suite_spec.hpp"
#include "suite/task_context.hpp"

namespace onmanifold::python {

/// A task with what its scores share.
class TaskHandle {
 public:
  explicit TaskHandle(TaskSpec spec) : spec_(std::move(spec)) {}
  [[nodiscard]] const TaskSpec& spec() const { return spec_; }
  [[nodiscard]] const Task& task() const { return spec_.task; }
  /// With \p n_reference reference draws; the last one is kept, and with it its null values.
  [[nodiscard]] std::shared_ptr<const TaskContext> context(Index n_reference);

 private:
  TaskSpec spec_;
  std::mutex mutex_;
  Index n_reference_ = 0;
  std::shared_ptr<const TaskContext> context_;
};

using ManifoldHandle = std::shared_ptr<const Manifold>;

/// Training data of a cell or of the caller; what it reads from lives as long as it does, or until close().
class SourceHandle {
 public:
  SourceHandle(std::shared_ptr<const TrainingSource> source, ManifoldHandle manifold)
      : manifold_(std::move(manifold)), source_(std::move(source)) {}
  /// \throw InvalidInput after close().
  [[nodiscard]] const TrainingSource& get() const;
  /// The cell that it belongs to is over.
  void close() { source_.reset(); }

 private:
  ManifoldHandle manifold_;
  std::shared_ptr<const TrainingSource> source_;
};

/// The lift \p text of a task, with its level.
[[nodiscard]] Lift read_lift(const Task& task, const std::string& text);

void add_task(py::module_& module);
void add_results(py::module_& module);
void add_evaluate(py::module_& module);
void add_diagnose(py::module_& module);

}  // namespace onmanifold::python
