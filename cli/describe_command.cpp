// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/inventory.hpp"
#include "core/error.hpp"
#include "core/suggestion.hpp"

namespace onmanifold {

int describe_command(const std::string& name) {
  if (name.find('(') != std::string::npos) {
    fmt::print("{} (task)\n{}", name, describe_task(name));
    return 0;
  }
  const std::vector<InventoryKind> inventory = make_inventory();
  std::vector<std::string> known;
  bool found = false;
  for (const InventoryKind& group : inventory) {
    for (const InventoryItem& item : group.items) {
      known.push_back(item.name);
      if (item.name != name) continue;
      // One name can stand for two things, e.g. a lift and a suite: print both.
      fmt::print("{}{} ({})\n{}", found ? "\n" : "", name, group.kind.substr(0, group.kind.size() - 1), item.detail());
      found = true;
    }
  }
  if (!found) throw InvalidInput(unknown_name("name", name, known));
  return exit_ok;
}

}  // namespace onmanifold
