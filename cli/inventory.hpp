// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything that has a name: what list prints and describe looks up.

#include <functional>
#include <string>
#include <vector>

namespace onmanifold {

struct InventoryItem {
  std::string name;
  std::string description;             ///< one line
  std::function<std::string()> detail;  ///< several lines, made on demand
};

struct InventoryKind {
  std::string kind;  ///< plural, e.g. "tasks"
  std::vector<InventoryItem> items;
};

/// All kinds that `list` knows, in the order in which it prints them.
[[nodiscard]] std::vector<InventoryKind> make_inventory();

}  // namespace onmanifold
