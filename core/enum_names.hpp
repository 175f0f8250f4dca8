// SPDX-License-Identifier: Apache-2.0
#pragma once
// Enumerations as the words that files and the command line use for them: one table an enumeration, read in both
// directions.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/suggestion.hpp"

namespace onmanifold {

/// Specialise with `static constexpr const char* kind` ("direction") and `static constexpr std::array names` of pairs
/// (enumerator, word).
template <class Enum>
struct EnumNames;

template <class Enum>
struct EnumName {
  Enum value;
  std::string_view name;
};

template <class Enum>
concept NamedEnum = requires {
  EnumNames<Enum>::names;
};

/// The word of \p value.
template <NamedEnum Enum>
[[nodiscard]] std::string_view name_of(Enum value) {
  for (const auto& entry : EnumNames<Enum>::names) {
    if (entry.value == value) return entry.name;
  }
  return {};
}

/// The value that \p word stands for, or nothing.
template <NamedEnum Enum>
[[nodiscard]] std::optional<Enum> find_named(std::string_view word) {
  for (const auto& entry : EnumNames<Enum>::names) {
    if (entry.name == word) return entry.value;
  }
  return std::nullopt;
}

/// All words, in the order of the table.
template <NamedEnum Enum>
[[nodiscard]] std::vector<std::string> words_of() {
  std::vector<std::string> words;
  for (const auto& entry : EnumNames<Enum>::names) words.emplace_back(entry.name);
  return words;
}

/// The value that \p word stands for. \throw InvalidInput that says what may be meant and lists the known words.
template <NamedEnum Enum>
[[nodiscard]] Enum parse_named(std::string_view word) {
  if (const std::optional<Enum> value = find_named<Enum>(word)) return *value;
  throw InvalidInput(unknown_name(EnumNames<Enum>::kind, word, words_of<Enum>()));
}

}  // namespace onmanifold
