// SPDX-License-Identifier: Apache-2.0
#pragma once
// Control `memorizer`: returns training points. Perfect by most metrics; `train_copy_rate` must catch it.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// Samples are CLEAN training points, drawn uniformly with replacement. No settings; no state, the training
/// points of the context are used (and must outlive the model).
[[nodiscard]] std::unique_ptr<GenerativeModel> make_memorizer(Settings& settings);

}  // namespace onmanifold
