// SPDX-License-Identifier: Apache-2.0
#pragma once
// The question of the suite as one table a task: where in the pipeline is the dimension mismatch handled? Columns are
// the places, rows the models that are otherwise blind to the manifold.

#include <optional>

#include "reports/table.hpp"

namespace onmanifold {

/// The first metric on projected samples, by which a task is judged: its column, or -1.
[[nodiscard]] int primary_column(const TaskSummary& summary);

/// Primary metric of all learners by place: nowhere (no lift), data (normal lift), data (isotropic, the control),
/// noise, loss, penalty, target, at sampling, intrinsic, in two steps. A method that handles it elsewhere stands in the
/// row of the blind method it varies. nullopt where the arms of the task take fewer than three places.
[[nodiscard]] std::optional<Table> make_axis_table(const TaskResult& task, const TaskSummary& summary);

}  // namespace onmanifold
