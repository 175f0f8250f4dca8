// SPDX-License-Identifier: Apache-2.0
#pragma once
// The diagnostics of a suite, asked of a score that comes from elsewhere.

#include <map>
#include <string>
#include <vector>

#include "contracts/score_field.hpp"
#include "core/value.hpp"
#include "datasets/task.hpp"
#include "results/cell_files.hpp"

namespace onmanifold {

/// Whose score it is, and what it was trained on.
struct ScoreToDiagnose {
  ScoreFunction function = {};  ///< without a score: the exact one of the task
  Vector levels = {};           ///< noise levels, falling, data units; empty: 40 from ten scales down to s_min
  Lift lift = {};               ///< of its training points
  Index n_train = 10000;        ///< training points, those of a suite with master seed 0 …
  int replicate = 0;            ///< … and this replicate
  Value::Table settings = {};   ///< by diagnostic, a table each
};

/// Diagnostics that need a score and can be asked of any, by name.
[[nodiscard]] std::vector<std::string> score_diagnostics();

/// The records of the diagnostics \p names. One that cannot be asked here says so in its status; whatever the function
/// throws reaches the caller. \throw InvalidInput on unknown names and settings, or on levels that do not fall.
[[nodiscard]] std::map<std::string, DiagnosticRecord> diagnose(const Task& task, const ScoreToDiagnose& asked,
                                                               const std::vector<std::string>& names);

}  // namespace onmanifold
