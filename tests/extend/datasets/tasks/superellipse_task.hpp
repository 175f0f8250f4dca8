// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "datasets/task.hpp"

namespace onmanifold {

/// Uniform angles on a superellipse.
[[nodiscard]] Task make_superellipse_task(Settings& settings);

}  // namespace onmanifold
