// SPDX-License-Identifier: Apache-2.0
#pragma once
// Typed, checked reading of a table of settings. Every key must be asked for: what nobody asked for is an error that
// names file, line, key and the keys that would have been understood.

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.hpp"
#include "core/points.hpp"
#include "core/value.hpp"

namespace onmanifold {

/// What a unit said of a setting when it asked for it: what `describe` shows.
struct SettingInfo {
  std::string key;
  std::string_view kind;             ///< "number", "integer", "true or false", "text", "texts"
  Value fallback;                    ///< null where the setting is required
  Value low, high;                   ///< both ends included; null: none
  std::vector<std::string> choices;  ///< empty: any
  std::string meaning;               ///< one line
};

/// Reads one table. Ask for every known key, then call finish(). Every question may end with one line that says what
/// the setting means.
class Settings {
 public:
  /// \p where names the table in messages, e.g. "quick.toml [[method]]". \throw InvalidInput if not a table.
  Settings(Value table, std::string where);

  [[nodiscard]] bool has(std::string_view key) const;
  /// The setting, or \p fallback where it is missing. \throw InvalidInput on another type or outside [low, high].
  double number(const std::string& key, double fallback, double low = -std::numeric_limits<double>::infinity(),
                double high = std::numeric_limits<double>::infinity(), std::string_view meaning = {});
  double number(const std::string& key, double fallback, std::string_view meaning);
  Index integer(const std::string& key, Index fallback, Index low = std::numeric_limits<Index>::min(),
                Index high = std::numeric_limits<Index>::max(), std::string_view meaning = {});
  Index integer(const std::string& key, Index fallback, Index low, std::string_view meaning) {
    return integer(key, fallback, low, std::numeric_limits<Index>::max(), meaning);
  }
  bool boolean(const std::string& key, bool fallback, std::string_view meaning = {});
  std::string text(const std::string& key, const std::string& fallback, std::string_view meaning = {});
  /// One of \p choices. \throw InvalidInput that lists them.
  std::string choice(const std::string& key, const std::string& fallback, const std::vector<std::string>& choices,
                     std::string_view meaning = {});
  /// One of the words of an enumeration. \throw InvalidInput that lists them.
  template <NamedEnum Enum>
  Enum choose(const std::string& key, Enum fallback, std::string_view meaning = {}) {
    return *find_named<Enum>(choice(key, std::string(name_of(fallback)), words_of<Enum>(), meaning));
  }
  std::vector<std::string> texts(const std::string& key, const std::vector<std::string>& fallback,
                                 std::string_view meaning = {});
  /// \throw InvalidInput if \p key is missing.
  std::string required_text(const std::string& key, std::string_view meaning = {});

  /// \throw InvalidInput naming the first key that was never asked for, with its line and the known keys.
  void finish() const;

  /// Every setting asked for so far with the value in force, defaults included: what /config records.
  [[nodiscard]] const Value::Table& resolved() const { return resolved_; }
  /// What was said of them, in the order in which they were asked for.
  [[nodiscard]] const std::vector<SettingInfo>& asked() const { return asked_; }
  /// "where:line: key" for messages about one key.
  [[nodiscard]] std::string locate(const std::string& key) const;
  /// Name of the table, as given.
  [[nodiscard]] const std::string& where() const { return where_; }

 private:
  const Value* find(const std::string& key) const;
  /// Notes a question; one that comes again tells nothing new.
  SettingInfo& note(const std::string& key, std::string_view kind, Value fallback, std::string_view meaning);

  Value::Table table_;
  int line_ = 0;
  std::string where_;
  Value::Table resolved_;
  std::vector<SettingInfo> asked_;
};

}  // namespace onmanifold
