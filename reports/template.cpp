// SPDX-License-Identifier: Apache-2.0
#include "reports/template.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

constexpr std::string_view blanks = " \t";

const Value* look_up(const std::vector<const Value*>& scopes, std::string_view name) {
  if (name == ".") return scopes.back();
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    const auto* table = (*scope)->get_if<Value::Table>();
    if (table == nullptr) continue;
    const auto found = table->find(std::string(name));
    if (found != table->end()) return &found->second;
  }
  return nullptr;
}

bool is_empty(const Value* value) {
  if (value == nullptr || value->is_null()) return true;
  if (const auto* flag = value->get_if<bool>()) return !*flag;
  if (const auto* text = value->get_if<std::string>()) return text->empty();
  if (const auto* array = value->get_if<Value::Array>()) return array->empty();
  return false;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(blanks), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

}  // namespace

Template::Template(std::string name, std::string_view source, Escape escape, std::string_view open,
                   std::string_view close)
    : name_(std::move(name)), source_(source), escape_(escape), open_(open), close_(close) {
  std::string_view rest = source_;
  nodes_ = parse(rest, "");
}

std::vector<Template::Node> Template::parse(std::string_view& rest, std::string_view until) {
  std::vector<Node> nodes;
  while (true) {
    const std::size_t at = rest.find(open_);
    if (at == std::string_view::npos) {
      if (!until.empty()) throw InvalidInput(fmt::format("{}: the part '{}' is not closed", name_, until));
      nodes.push_back({Node::Kind::text, rest});
      return nodes;
    }
    std::string_view before = rest.substr(0, at);
    const std::size_t end = rest.find(close_, at);
    if (end == std::string_view::npos) throw InvalidInput(fmt::format("{}: a sign is not closed", name_));
    std::string_view tag = rest.substr(at + open_.size(), end - at - open_.size());
    const auto tag_begin = static_cast<std::size_t>(before.data() - source_.data()) + at;
    rest.remove_prefix(end + close_.size());
    const char sign = tag.empty() ? ' ' : tag.front();
    const bool is_part = sign == '#' || sign == '^' || sign == '/';
    if (is_part || sign == '&') tag.remove_prefix(1);
    tag = trimmed(tag);
    // The begin or end of a part that has a line for itself.
    const std::string_view line = source_.substr(0, tag_begin);
    const std::size_t line_begin = line.find_last_not_of(blanks);
    const std::size_t line_end = std::min(rest.find_first_not_of(blanks), rest.size());
    if (is_part && (line_begin == std::string_view::npos || line[line_begin] == '\n') && line_end < rest.size() &&
        rest[line_end] == '\n') {
      before = before.substr(0, before.find_last_not_of(blanks) + 1);
      rest.remove_prefix(line_end + 1);
    }
    if (!before.empty()) nodes.push_back({Node::Kind::text, before});
    if (sign == '/') {
      if (tag != until) throw InvalidInput(fmt::format("{}: '{}' closes the part '{}'", name_, tag, until));
      return nodes;
    }
    if (is_part) {
      nodes.push_back({sign == '#' ? Node::Kind::section : Node::Kind::inverted, tag, parse(rest, tag)});
    } else {
      nodes.push_back({sign == '&' ? Node::Kind::raw : Node::Kind::escaped, tag});
    }
  }
}

std::string Template::render(const Value& data) const {
  std::string text;
  Scopes scopes = {&data};
  render(nodes_, scopes, text);
  return text;
}

void Template::render_section(const Node& node, Scopes& scopes, std::string& text) const {
  const Value* value = look_up(scopes, node.text);
  const bool empty = is_empty(value);
  if (empty != (node.kind == Node::Kind::inverted)) return;
  const auto* array = empty ? nullptr : value->get_if<Value::Array>();
  if (array == nullptr) {
    if (!empty) scopes.push_back(value);
    render(node.children, scopes, text);
    if (!empty) scopes.pop_back();
    return;
  }
  for (const Value& item : *array) {
    scopes.push_back(&item);
    render(node.children, scopes, text);
    scopes.pop_back();
  }
}

void Template::render(const std::vector<Node>& nodes, Scopes& scopes, std::string& text) const {
  for (const Node& node : nodes) {
    if (node.kind == Node::Kind::text) {
      text += node.text;
      continue;
    }
    if (node.kind == Node::Kind::section || node.kind == Node::Kind::inverted) {
      render_section(node, scopes, text);
      continue;
    }
    const Value* value = look_up(scopes, node.text);
    if (value == nullptr) throw InvalidInput(fmt::format("{}: no value for '{}'", name_, node.text));
    const auto* words = value->get_if<std::string>();
    const std::string own = words == nullptr ? to_json(*value) : std::string();
    const std::string& shown = words == nullptr ? own : *words;
    text += node.kind == Node::Kind::raw ? shown : escape_(shown);
  }
}

}  // namespace onmanifold
