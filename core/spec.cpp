// SPDX-License-Identifier: Apache-2.0
#include "core/spec.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

std::string_view trim(std::string_view text) {
  const auto space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_word(std::string_view text, std::string_view signs) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || signs.find(c) != std::string_view::npos;
  });
}

/// One text that is read; messages begin with what it is.
class Reader {
 public:
  explicit Reader(std::string what) : what_(std::move(what)) {}

  template <class... Parts>
  [[noreturn]] void fail(fmt::format_string<Parts...> format, Parts&&... parts) const {
    throw InvalidInput(fmt::format("{}: {}", what_, fmt::format(format, std::forward<Parts>(parts)...)));
  }

  /// Where the first comma outside parentheses and quotes stands, or the end.
  [[nodiscard]] std::size_t comma(std::string_view text) const {
    int depth = 0;
    bool quoted = false;
    std::size_t found = text.size();
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '"') quoted = !quoted;
      if (quoted) continue;
      if (c == '(') ++depth;
      if (c == ')' && --depth < 0) fail("unmatched ')'");
      if (c == ',' && depth == 0) return i;
    }
    if (quoted) fail("unmatched '\"'");
    if (depth != 0) fail("unmatched '('");
    return found;
  }

  [[nodiscard]] Value value(std::string_view text) const {
    if (text == "true") return true;
    if (text == "false") return false;
    const char* const end = text.data() + text.size();
    std::int64_t integer = 0;
    if (const auto [stop, error] = std::from_chars(text.data(), end, integer); error == std::errc() && stop == end) {
      return integer;
    }
    double number = 0;
    if (const auto [stop, error] = std::from_chars(text.data(), end, number); error == std::errc() && stop == end) {
      if (!std::isfinite(number)) fail("'{}' is not a finite number", text);
      return number;
    }
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
      return std::string(text.substr(1, text.size() - 2));
    }
    if (!is_word(text, "_-./:~+@"))
      fail("cannot read the value '{}' (text with other signs needs double quotes)", text);
    return std::string(text);
  }

  [[nodiscard]] Value::Table settings(std::string_view text, const SpecRules& rules) const {
    Value::Table table;
    while (!text.empty()) {
      const std::size_t equals = text.find('=');
      const std::string key(trim(text.substr(0, equals)));
      if (equals == std::string_view::npos || key.empty() || !is_word(key, "_")) {
        fail("expected key=value, found '{}'", trim(text.substr(0, comma(text))));
      }
      text.remove_prefix(equals + 1);
      const bool rest = rules.takes_rest != nullptr && rules.takes_rest(key);
      const std::size_t end = rest ? text.size() : comma(text);
      const std::string_view word = rest ? text : trim(text.substr(0, end));
      if (word.empty()) fail("no value for {}", key);
      const bool is_text = rest || (rules.is_text != nullptr && rules.is_text(key));
      if (!table.emplace(key, is_text ? Value(std::string(word)) : value(word)).second) fail("{} is given twice", key);
      if (end == text.size()) break;
      text.remove_prefix(end + 1);
      if (trim(text).empty()) fail("it ends with a comma");
    }
    return table;
  }

 private:
  std::string what_;
};

}  // namespace

Spec parse_spec(std::string_view text, const SpecRules& rules) {
  text = trim(text);
  const Reader reader(fmt::format("{} '{}'", rules.kind, text));
  const std::size_t open = text.find_first_of("(:");
  Spec spec{.name = std::string(trim(text.substr(0, open))), .settings = {}};
  if (!is_word(spec.name, "_-")) reader.fail("a name is made of letters, digits, '_' and '-'");
  if (open == std::string_view::npos) return spec;
  std::string_view inside = text.substr(open + 1);
  if (text[open] == '(') {
    if (inside.empty() || inside.back() != ')') reader.fail("expected {}(key=value,...)", spec.name);
    inside.remove_suffix(1);
  }
  spec.settings = reader.settings(trim(inside), rules);
  return spec;
}

std::vector<Spec> parse_spec_list(std::string_view text, const SpecRules& rules) {
  const Reader reader(fmt::format("{} list '{}'", rules.kind, text));
  std::vector<Spec> specs;
  for (;;) {
    const std::size_t end = reader.comma(text);
    if (trim(text.substr(0, end)).empty()) reader.fail("empty entry");
    specs.push_back(parse_spec(text.substr(0, end), rules));
    if (specs.back().name.empty()) reader.fail("cannot read '{}'", trim(text.substr(0, end)));
    if (end == text.size()) return specs;
    text.remove_prefix(end + 1);
  }
}

}  // namespace onmanifold
