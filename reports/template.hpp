// SPDX-License-Identifier: Apache-2.0
#pragma once
// Text with holes: pages and documents stand in files of their own and are filled with data. A small part of Mustache,
// whose signs do not clash with LaTeX's when others are chosen.
//   {{name}}              the value, escaped
//   {{&name}}             the value as it is: markup that was made by a template
//   {{#name}} … {{/name}} for each item of an array, or once where the value is not empty; names are looked up in the
//                         item first, then outside; {{.}} is the item itself
//   {{^name}} … {{/name}} where the value is missing, false, empty
// A line that holds nothing but the begin or end of such a part leaves no line behind.

#include <string>
#include <string_view>
#include <vector>

#include "core/value.hpp"

namespace onmanifold {

class Template {
 public:
  using Escape = std::string (*)(std::string_view);

  /// \p source must live as long as the template. \throw InvalidInput for parts that do not close, naming \p name.
  Template(std::string name, std::string_view source, Escape escape, std::string_view open = "{{",
           std::string_view close = "}}");

  /// \throw InvalidInput if a value that is printed is missing, so that no hole stays unseen.
  [[nodiscard]] std::string render(const Value& data) const;

 private:
  struct Node {
    enum class Kind { text, escaped, raw, section, inverted };
    Kind kind = Kind::text;
    std::string_view text;  ///< literal, or name
    std::vector<Node> children = {};
  };
  using Scopes = std::vector<const Value*>;

  std::vector<Node> parse(std::string_view& rest, std::string_view until);
  void render(const std::vector<Node>& nodes, Scopes& scopes, std::string& text) const;
  void render_section(const Node& node, Scopes& scopes, std::string& text) const;

  std::string name_;
  std::string_view source_;
  Escape escape_;
  std::string_view open_;
  std::string_view close_;
  std::vector<Node> nodes_;
};

}  // namespace onmanifold
