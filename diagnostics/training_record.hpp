// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a training ended.

#include <memory>

#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"

namespace onmanifold {

/// training: final_loss, the mean over the last tenth of the recorded loss; gradient_norm and
/// gradient_norm_sd over the last fifth.
[[nodiscard]] std::unique_ptr<Diagnostic> make_training_record(Settings& settings);

}  // namespace onmanifold
