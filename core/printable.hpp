// SPDX-License-Identifier: Apache-2.0
#pragma once
// Text from outside on its way to a terminal.

#include <string>
#include <string_view>

namespace onmanifold {

/// \p text with everything that could act on a terminal or change the order of what is read written out: control
/// characters (C0, DEL, C1), line separators, direction marks and overrides, and bytes that are not UTF-8, as \x1b,
/// \u{202e} and so on. One line; all other text, in any script, stays as it is.
[[nodiscard]] std::string printable(std::string_view text);
/// The same, but line breaks and tabs stay.
[[nodiscard]] std::string printable_lines(std::string_view text);

}  // namespace onmanifold
