// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files that are part of the program: the style and scripts of the HTML page, and three.js with its orbit
// controls. They are put into the binary at build time, so that a page needs nothing but the binary.

#include <string_view>

namespace onmanifold {

[[nodiscard]] std::string_view page_style();
/// Sorting, filtering, packed downloads.
[[nodiscard]] std::string_view tables_script();
[[nodiscard]] std::string_view viewer_script();
/// three.js, under the MIT licence; see three_licence().
[[nodiscard]] std::string_view three_script();
[[nodiscard]] std::string_view orbit_controls_script();
/// The notice that goes with every copy of three.js.
[[nodiscard]] std::string_view three_licence();

}  // namespace onmanifold
