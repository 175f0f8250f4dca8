// SPDX-License-Identifier: Apache-2.0
#pragma once
// How often a piece of work was asked for: a report in all formats must not do any of it twice, and a test looks.

#include <map>
#include <string>
#include <string_view>

namespace onmanifold {

/// Calls by name since the program began, or since a test cleared them.
inline std::map<std::string, int, std::less<>>& call_counts() {
  static std::map<std::string, int, std::less<>> counts;
  return counts;
}

inline void count_call(std::string_view name) {
  ++call_counts().try_emplace(std::string(name)).first->second;
}

}  // namespace onmanifold
