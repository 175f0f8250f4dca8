// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything that has a name: what list prints and describe looks up.

#include <functional>
#include <string>
#include <vector>

namespace onmanifold {

struct InventoryItem {
  std::string name;
  std::string description;              ///< one line
  std::function<std::string()> detail;  ///< several lines, made on demand
};

struct InventoryKind {
  std::string kind;  ///< plural, e.g. "tasks"
  std::vector<InventoryItem> items;
};

/// What `describe` says about a task with settings, "backbone-8(planar_omega=true)". \throw InvalidInput on unknown
/// names and settings.
[[nodiscard]] std::string describe_task(const std::string& text);

/// All kinds that `list` knows, in the order in which it prints them.
[[nodiscard]] std::vector<InventoryKind> make_inventory();

}  // namespace onmanifold
