// SPDX-License-Identifier: Apache-2.0
#pragma once
// All methods by type name.

#include <functional>
#include <memory>

#include "contracts/generative_model.hpp"
#include "contracts/unit_info.hpp"
#include "core/registry.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// A function or an object: a method from outside the tree may carry what it needs.
using MethodFactory = std::function<std::unique_ptr<GenerativeModel>(Settings& settings)>;
using MethodRegistry = Registry<MethodFactory, MethodInfo>;

/// The factory reads its settings (steps, schedule, …) and leaves finish() to the caller.
[[nodiscard]] const MethodRegistry& method_registry();

}  // namespace onmanifold
