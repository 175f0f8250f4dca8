// SPDX-License-Identifier: Apache-2.0
#pragma once
// The curve x^p + y^p = 1 of the plane, for an even power p.

#include <memory>

#include "core/settings.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// Settings: power (even, 4 by default).
[[nodiscard]] std::shared_ptr<const Manifold> make_superellipse(Settings& settings);

}  // namespace onmanifold
