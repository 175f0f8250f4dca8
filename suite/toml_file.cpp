// SPDX-License-Identifier: Apache-2.0
#include "suite/toml_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

Value convert(const toml::node& node, const std::string& where) {
  Value value;
  if (const toml::table* table = node.as_table()) {
    Value::Table entries;
    for (const auto& [key, item] : *table) entries.emplace(std::string(key.str()), convert(item, where));
    value = std::move(entries);
  } else if (const toml::array* array = node.as_array()) {
    Value::Array items;
    for (const toml::node& item : *array) items.push_back(convert(item, where));
    value = std::move(items);
  } else if (const auto* text = node.as_string()) {
    value = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    value = number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value = boolean->get();
  } else {
    throw InvalidInput(fmt::format("{}: line {}: dates and times are not used here", where,
                                   static_cast<int>(node.source().begin.line)));
  }
  value.line = static_cast<int>(node.source().begin.line);
  return value;
}

}  // namespace

Value parse_toml(const std::string& text, const std::string& where) {
  try {
    return convert(toml::parse(text, where), where);
  } catch (const toml::parse_error& error) {
    throw InvalidInput(fmt::format("{}: line {}: {}", where, static_cast<int>(error.source().begin.line),
                                   std::string(error.description())));
  }
}

Value read_toml_file(const std::string& path) {
  if (std::filesystem::is_directory(path)) throw InvalidInput(fmt::format("{}: is a directory", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InvalidInput(fmt::format("{}: cannot be read", path));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse_toml(text, path);
}

}  // namespace onmanifold
