// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/inventory.hpp"
#include "cli/messages.hpp"

namespace onmanifold {

namespace {

int list_command(const std::string& kind) {
  const std::vector<InventoryKind> inventory = make_inventory();
  for (const InventoryKind& group : inventory) {
    if (!kind.empty() && group.kind != kind) continue;
    if (kind.empty()) fmt::print("{}\n", group.kind);
    std::size_t width = 0;
    for (const InventoryItem& item : group.items) width = std::max(width, item.name.size());
    for (const InventoryItem& item : group.items) {
      fmt::print("{}{:<{}}  {}\n", kind.empty() ? "  " : "", item.name, width, item.description);
    }
    if (kind.empty()) fmt::print("\n");
    if (group.items.empty() && !kind.empty()) say("no {} in this version\n", kind);
  }
  return exit_ok;
}

}  // namespace

void add_list_command(CommandLine& line) {
  const auto kind = std::make_shared<std::string>();
  Command command = line.add("list", "List what there is, one item a line, name first");
  command.option("kind", *kind, "One kind only",
                 {.one_of = {"tasks", "methods", "lifts", "manifolds", "metrics", "diagnostics", "claims", "suites"}});
  command.footer("Example:\n  onmanifold list tasks");
  command.action([kind] { return list_command(*kind); });
}

}  // namespace onmanifold
