// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reading TOML: the only place that knows the parser. Every value keeps its line, so that later checks can name it.

#include <string>

#include "core/value.hpp"

namespace onmanifold {

/// The table of a TOML file. \throw InvalidInput naming file and line if it is malformed or cannot be read.
[[nodiscard]] Value read_toml_file(const std::string& path);
/// The same from text; \p where names the source in messages.
[[nodiscard]] Value parse_toml(const std::string& text, const std::string& where);

}  // namespace onmanifold
