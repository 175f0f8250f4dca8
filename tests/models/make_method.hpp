// SPDX-License-Identifier: Apache-2.0
#pragma once
// A registered method with the settings of a test, none of which it may leave unread.

#include <memory>
#include <string>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "models/registry.hpp"

namespace onmanifold {

inline std::unique_ptr<GenerativeModel> make(const std::string& name, const Value::Table& table = {}) {
  Settings settings{Value(table), "test"};
  auto model = method_registry().get(name).factory(settings);
  settings.finish();
  return model;
}

}  // namespace onmanifold
