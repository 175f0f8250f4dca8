// SPDX-License-Identifier: Apache-2.0
#pragma once
// The one notation for a name with settings, wherever people type one: tvd(bins=20), sphere:dim=2,radius=1,
// flux-mnist14(data=made), normal:sigma=0.1.

#include <string>
#include <string_view>
#include <vector>

#include "core/value.hpp"

namespace onmanifold {

/// A name with its settings.
struct Spec {
  std::string name;
  Value::Table settings;
};

/// What a kind of units knows of its settings before they are read.
struct SpecRules {
  std::string_view kind;                               ///< what messages call one: "metric"
  bool (*is_text)(std::string_view key) = nullptr;     ///< keys whose value is text also where it looks like a number
  bool (*takes_rest)(std::string_view key) = nullptr;  ///< keys of text that run to the end, commas included
};

/// Reads "name", "name(key=value, …)" or "name:key=value,…". Values: true, false, integers, finite numbers, text of
/// letters, digits and _-./:~+@, and any other text in double quotes. The name is not looked up; it may be empty.
/// \throw InvalidInput that names kind and text.
[[nodiscard]] Spec parse_spec(std::string_view text, const SpecRules& rules);

/// The same for several, split at commas outside parentheses and quotes; no name is empty.
[[nodiscard]] std::vector<Spec> parse_spec_list(std::string_view text, const SpecRules& rules);

}  // namespace onmanifold
