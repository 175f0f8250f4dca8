// SPDX-License-Identifier: Apache-2.0
#pragma once
// A method from outside the tree on tasks × lifts × replicates, without a suite file: the same cells as those of a
// suite, which reports, comparisons and claims cannot tell from others.

#include <memory>
#include <string>
#include <vector>

#include "suite/scheduler.hpp"
#include "suite/suite_spec.hpp"

namespace onmanifold {

/// A method that no registry has.
struct OwnMethod {
  std::string name;            ///< label in tables and part of a path
  MethodFactory make;          ///< called once a cell, with \p settings
  MethodInfo info = {};        ///< its role, and where it handles the dimension mismatch
  Value::Table settings = {};  ///< recorded in every cell: another value is another configuration
  Value::Table inputs = {};    ///< what else its samples depend on, by name, e.g. the hash of its source
};

/// What it is evaluated on.
struct EvaluationPlan {
  std::vector<TaskSpec> tasks;
  std::vector<LiftSpec> lifts;  ///< empty: none
  ReplicateRange replicates = {0, 4};
  Index n_train = 10000;
  Index n_samples = 10000;
  Index n_reference = 10000;
  std::vector<std::string> beside = {};  ///< registered methods with their default settings, on the same tasks
  std::string suite = "evaluation";      ///< name of the plan in the results
};

/// The task "name" or "name(key=value,…)" with its settings and metrics. \throw InvalidInput naming what cannot be read
/// or is not known.
[[nodiscard]] TaskSpec make_task_spec(const std::string& text);
/// A task from elsewhere, such as make_points_task().
[[nodiscard]] TaskSpec make_task_spec(Task task);
/// The lift "name", "name:sigma=S" or "name:factor=F", labelled by that text with '-' for other signs. \throw
/// InvalidInput
[[nodiscard]] LiftSpec make_lift_spec(const std::string& text);

/// Runs \p method, and those beside it, on all of \p plan, in this process or on workers as \p options say. Finished
/// cells are skipped, so that the same call goes on where another one was stopped. \throw InvalidInput as run_suite(),
/// or on an empty plan.
RunSummary evaluate(const OwnMethod& method, const EvaluationPlan& plan, const RunOptions& options);

}  // namespace onmanifold
