// SPDX-License-Identifier: Apache-2.0
#pragma once
// One cell from task to files: train, sample, project, measure. No scheduling, no files: pure functions of the cell.
// What the cells of a task share comes with them; it changes no number.

#include <memory>

#include "results/cell_files.hpp"
#include "suite/suite_spec.hpp"
#include "suite/task_context.hpp"

namespace onmanifold {

/// Trains and samples. Failures are results: a method that throws gives status failed, diverged or unsupported with
/// its message, never an exception. Streams (design, decision 5): training data and lift noise depend on task and
/// replicate; initialisation, training noise and sampling add method and lift.
[[nodiscard]] RawCell compute_raw_cell(const SuiteSpec& suite, const Cell& cell, TaskContext& shared);

/// All metrics of the cell's task on raw and on projected samples. \pre raw.status.ok()
/// \p raw_digest ties the result to its raw file.
[[nodiscard]] MetricsCell compute_metrics(const Cell& cell, const RawCell& raw, const std::string& raw_digest,
                                          TaskContext& shared);

/// The reference draws that task.h5 keeps, at most 2,000, D×n: their hash tells one reference from another. \p n is the
/// number of all draws.
[[nodiscard]] Points kept_reference(const Task& task, std::uint64_t seed, Index n);

/// What a report must know of a task.
[[nodiscard]] TaskFile describe_task(const SuiteSpec& suite, const TaskSpec& task, TaskContext& shared);

}  // namespace onmanifold
