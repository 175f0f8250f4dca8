// SPDX-License-Identifier: Apache-2.0
#include "core/value.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.hpp"

namespace onmanifold {
namespace {

using Json = nlohmann::json;  // its objects are sorted maps

Json encode(const Value& value) {
  if (const auto* boolean = value.get_if<bool>()) return *boolean;
  if (const auto* integer = value.get_if<std::int64_t>()) return *integer;
  if (const auto* number = value.get_if<double>()) {
    if (std::isnan(*number)) return "nan";
    if (std::isinf(*number)) return *number > 0 ? "inf" : "-inf";
    return *number;
  }
  if (const auto* text = value.get_if<std::string>()) return *text;
  if (const auto* array = value.get_if<Value::Array>()) {
    Json json = Json::array();
    for (const Value& item : *array) json.push_back(encode(item));
    return json;
  }
  if (const auto* table = value.get_if<Value::Table>()) {
    Json json = Json::object();
    for (const auto& [key, item] : *table) json[key] = encode(item);
    return json;
  }
  return nullptr;
}

/// Deeper nesting than any record of ours: a hostile file must not exhaust the stack of decode().
constexpr int deepest_nesting = 200;

Value decode(const Json& json, std::string_view where, int depth = 0) {
  if (depth > deepest_nesting)
    throw InvalidInput(fmt::format("{}: JSON nested deeper than {} levels", where, deepest_nesting));
  switch (json.type()) {
    case Json::value_t::boolean:
      return json.get<bool>();
    case Json::value_t::number_integer:
      return json.get<std::int64_t>();
    case Json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
        throw InvalidInput(fmt::format("{}: JSON integer {} is too large", where, json.get<std::uint64_t>()));
      return json.get<std::int64_t>();
    case Json::value_t::number_float:
      return json.get<double>();
    case Json::value_t::string:
      return json.get<std::string>();
    case Json::value_t::array: {
      Value::Array array;
      for (const Json& item : json) array.push_back(decode(item, where, depth + 1));
      return array;
    }
    case Json::value_t::object: {
      Value::Table table;
      for (const auto& [key, item] : json.items()) table.emplace(key, decode(item, where, depth + 1));
      return table;
    }
    default:
      return {};
  }
}

}  // namespace

std::string_view Value::type_name() const {
  constexpr std::array<std::string_view, 7> names = {"null",     "a boolean", "an integer", "a number",
                                                     "a string", "an array",  "a table"};
  return names[data_.index()];
}

std::string to_json(const Value& value) {
  return encode(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_pretty_json(const Value& value) {
  return encode(value).dump(2, ' ', false, Json::error_handler_t::replace);
}

Value parse_json(std::string_view text, std::string_view where) {
  try {
    return decode(Json::parse(text), where);
  } catch (const Json::parse_error& error) {
    throw InvalidInput(fmt::format("{}: malformed JSON at byte {}", where, error.byte));
  } catch (const Json::out_of_range&) {  // the only other exception of the parser: a number beyond double
    throw InvalidInput(fmt::format("{}: JSON number out of range", where));
  }
}

}  // namespace onmanifold
