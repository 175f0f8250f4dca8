// SPDX-License-Identifier: Apache-2.0
#pragma once
// An explicit registry: name -> description and factory, filled by one line per unit in a registry.cpp. No
// self-registering statics: they vanish when linked from a static library.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/suggestion.hpp"

namespace onmanifold {

/// Of units that have nothing to say of themselves.
struct NoInfo {};

/// Items in the order in which they were added. \tparam Factory anything copyable, usually a function pointer.
/// \tparam Info what a unit knows about itself, see contracts/unit_info.hpp.
template <class Factory, class Info = NoInfo>
class Registry {
 public:
  struct Entry {
    std::string name;
    std::string description;  ///< one line
    Factory factory;
    Info info;
  };

  /// \p kind is what messages call an item, e.g. "task".
  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  /// \throw InvalidInput if \p name is taken.
  void add(std::string name, std::string description, Factory factory, Info info = {}) {
    if (find(name) != nullptr) throw InvalidInput(fmt::format("{} '{}' is registered twice", kind_, name));
    entries_.push_back({std::move(name), std::move(description), std::move(factory), std::move(info)});
  }

  /// \throw InvalidInput that says what may be meant and lists the known names.
  [[nodiscard]] const Entry& get(std::string_view name) const {
    if (const Entry* entry = find(name)) return *entry;
    throw InvalidInput(unknown_name(kind_, name, names()));
  }

  [[nodiscard]] const Entry* find(std::string_view name) const {
    const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
    return it == entries_.end() ? nullptr : &*it;
  }

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const Entry& entry : entries_) result.push_back(entry.name);
    return result;
  }

 private:
  std::string kind_;
  std::vector<Entry> entries_;
};

}  // namespace onmanifold
