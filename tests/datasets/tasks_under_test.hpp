// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tasks with default settings, by name.

#include <string>

#include "datasets/task.hpp"

namespace onmanifold::testing {

inline Task default_task(const std::string& name) {
  Settings settings(Value(Value::Table{}), "test");
  return task_registry().get(name).factory(settings);
}

}  // namespace onmanifold::testing
