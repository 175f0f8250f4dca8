// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"

namespace onmanifold {

/// radius: the largest norm of a training point.
[[nodiscard]] std::unique_ptr<Diagnostic> make_training_radius(Settings& settings);

}  // namespace onmanifold
