// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the program says on stderr.

#include <cstdio>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace onmanifold {

/// Formats a message and writes it to stderr. One that cannot be written (a full disk, a closed terminal) is lost, and
/// nothing else with it.
template <class... T>
void say(fmt::format_string<T...> format, T&&... values) {
  const std::string text = fmt::format(format, std::forward<T>(values)...);
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace onmanifold
