// SPDX-License-Identifier: Apache-2.0
#include "suite/toml_file.hpp"

#include <algorithm>
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

/// A key of many dotted parts is as many tables in each other, which the parser takes down one inside the other: too
/// many end the program. Looks at the text alone, past strings and comments.
void check_depth(const std::string& text, const std::string& where) {
  constexpr int most_parts = 16;
  int line = 1;
  int dots = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size()) - 1;
    } else if (c == '"' || c == '\'') {
      const bool multiline = text.compare(at, 3, std::string(3, c)) == 0;
      const std::string end(multiline ? 3 : 1, c);
      at += end.size();
      while (at < text.size() && text.compare(at, end.size(), end) != 0 && (multiline || text[at] != '\n')) {
        if (text[at] == '\\' && c == '"') ++at;
        if (at < text.size() && text[at] == '\n') ++line;
        ++at;
      }
      at = std::min(at + end.size(), text.size()) - 1;
      if (at < text.size() && text[at] == '\n') --at;  // a string that is not closed: the parser says so
    } else if (c == '.') {
      if (++dots >= most_parts) {
        throw InvalidInput(fmt::format("{}: line {}: a key of more than {} parts", where, line, most_parts));
      }
    } else if (c == '\n' || c == '=' || c == ',' || c == '[' || c == '{') {
      dots = 0;
      line += c == '\n' ? 1 : 0;
    }
  }
}

}  // namespace

Value parse_toml(const std::string& text, const std::string& where) {
  check_depth(text, where);
  try {
    return convert(toml::parse(text, where), where);
  } catch (const toml::parse_error& error) {
    throw InvalidInput(fmt::format("{}: line {}: {}", where, static_cast<int>(error.source().begin.line),
                                   std::string(error.description())));
  }
}

Value read_toml_file(const std::string& path) {
  if (std::filesystem::is_directory(path)) throw InvalidInput(fmt::format("{}: is a directory", path));
  if (std::filesystem::exists(path) && !std::filesystem::is_regular_file(path)) {
    throw InvalidInput(fmt::format("{}: not a regular file", path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InvalidInput(fmt::format("{}: cannot be read", path));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse_toml(text, path);
}

}  // namespace onmanifold
