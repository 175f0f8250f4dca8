// SPDX-License-Identifier: Apache-2.0
#include "core/settings.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"

namespace onmanifold {

Settings::Settings(Value table, std::string where) : line_(table.line), where_(std::move(where)) {
  auto* entries = table.get_if<Value::Table>();
  if (entries == nullptr) throw InvalidInput(fmt::format("{}: expected a table, got {}", where_, table.type_name()));
  table_ = std::move(*entries);
}

bool Settings::has(std::string_view key) const {
  return table_.contains(std::string(key));
}

std::string Settings::locate(const std::string& key) const {
  const auto entry = table_.find(key);
  const int line = entry != table_.end() && entry->second.line > 0 ? entry->second.line : line_;
  return line > 0 ? fmt::format("{}: line {}: {}", where_, line, key) : fmt::format("{}: {}", where_, key);
}

const Value* Settings::find(const std::string& key) const {
  const auto entry = table_.find(key);
  return entry == table_.end() ? nullptr : &entry->second;
}

SettingInfo& Settings::note(const std::string& key, std::string_view kind, Value fallback, std::string_view meaning) {
  const auto known =
      std::find_if(asked_.begin(), asked_.end(), [&](const SettingInfo& setting) { return setting.key == key; });
  if (known != asked_.end()) return *known;
  return asked_.emplace_back(SettingInfo{.key = key,
                                         .kind = kind,
                                         .fallback = std::move(fallback),
                                         .low = {},
                                         .high = {},
                                         .choices = {},
                                         .meaning = std::string(meaning)});
}

double Settings::number(const std::string& key, double fallback, std::string_view meaning) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return number(key, fallback, -infinity, infinity, meaning);
}

double Settings::number(const std::string& key, double fallback, double low, double high, std::string_view meaning) {
  SettingInfo& setting = note(key, "number", fallback, meaning);
  if (low > -std::numeric_limits<double>::infinity()) setting.low = low;
  if (high < std::numeric_limits<double>::infinity()) setting.high = high;
  double result = fallback;
  if (const Value* value = find(key)) {
    if (const auto* number = value->get_if<double>()) {
      result = *number;
    } else if (const auto* integer = value->get_if<std::int64_t>()) {
      result = static_cast<double>(*integer);
    } else {
      throw InvalidInput(fmt::format("{}: expected a number, got {}", locate(key), value->type_name()));
    }
    if (!(result >= low && result <= high)) {
      throw InvalidInput(fmt::format("{}: {} is outside [{}, {}]", locate(key), result, low, high));
    }
  }
  resolved_.insert_or_assign(key, result);
  return result;
}

Index Settings::integer(const std::string& key, Index fallback, Index low, Index high, std::string_view meaning) {
  SettingInfo& setting = note(key, "integer", static_cast<std::int64_t>(fallback), meaning);
  if (low > std::numeric_limits<Index>::min()) setting.low = static_cast<std::int64_t>(low);
  if (high < std::numeric_limits<Index>::max()) setting.high = static_cast<std::int64_t>(high);
  Index result = fallback;
  if (const Value* value = find(key)) {
    const auto* integer = value->get_if<std::int64_t>();
    if (integer == nullptr) {
      throw InvalidInput(fmt::format("{}: expected an integer, got {}", locate(key), value->type_name()));
    }
    result = static_cast<Index>(*integer);
    if (result < low || result > high) {
      throw InvalidInput(fmt::format("{}: {} is outside [{}, {}]", locate(key), result, low, high));
    }
  }
  resolved_.insert_or_assign(key, static_cast<std::int64_t>(result));
  return result;
}

bool Settings::boolean(const std::string& key, bool fallback, std::string_view meaning) {
  note(key, "true or false", fallback, meaning);
  bool result = fallback;
  if (const Value* value = find(key)) {
    const auto* boolean = value->get_if<bool>();
    if (boolean == nullptr) {
      throw InvalidInput(fmt::format("{}: expected true or false, got {}", locate(key), value->type_name()));
    }
    result = *boolean;
  }
  resolved_.insert_or_assign(key, result);
  return result;
}

std::string Settings::text(const std::string& key, const std::string& fallback, std::string_view meaning) {
  note(key, "text", fallback, meaning);
  std::string result = fallback;
  if (const Value* value = find(key)) {
    const auto* text = value->get_if<std::string>();
    if (text == nullptr) {
      throw InvalidInput(fmt::format("{}: expected a string, got {}", locate(key), value->type_name()));
    }
    result = *text;
  }
  resolved_.insert_or_assign(key, result);
  return result;
}

std::string Settings::choice(const std::string& key, const std::string& fallback,
                             const std::vector<std::string>& choices, std::string_view meaning) {
  note(key, "text", fallback, meaning).choices = choices;
  std::string result = text(key, fallback);
  for (const std::string& candidate : choices) {
    if (candidate == result) return result;
  }
  throw InvalidInput(fmt::format("{}: '{}' is not one of {}", locate(key), result, fmt::join(choices, ", ")));
}

std::vector<std::string> Settings::texts(const std::string& key, const std::vector<std::string>& fallback,
                                         std::string_view meaning) {
  note(key, "texts", Value::Array(fallback.begin(), fallback.end()), meaning);
  std::vector<std::string> result = fallback;
  if (const Value* value = find(key)) {
    const auto* array = value->get_if<Value::Array>();
    if (array == nullptr) {
      throw InvalidInput(fmt::format("{}: expected an array of strings, got {}", locate(key), value->type_name()));
    }
    result.clear();
    for (const Value& item : *array) {
      const auto* text = item.get_if<std::string>();
      if (text == nullptr) {
        throw InvalidInput(fmt::format("{}: expected strings, found {}", locate(key), item.type_name()));
      }
      result.push_back(*text);
    }
  }
  resolved_.insert_or_assign(key, Value::Array(result.begin(), result.end()));
  return result;
}

std::string Settings::required_text(const std::string& key, std::string_view meaning) {
  note(key, "text", {}, meaning);
  if (!has(key)) throw InvalidInput(fmt::format("{}: missing", locate(key)));
  return text(key, "");
}

void Settings::finish() const {
  for (const auto& [key, value] : table_) {
    if (resolved_.contains(key)) continue;
    std::vector<std::string> known;
    for (const auto& entry : resolved_) known.push_back(entry.first);
    const std::string near = nearest_name(key, known);
    throw InvalidInput(fmt::format("{}: unknown key{} (known: {})", locate(key),
                                   near.empty() ? std::string() : fmt::format(": did you mean '{}'?", near),
                                   fmt::join(known, ", ")));
  }
}

}  // namespace onmanifold
