// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files that are part of the program: templates, style and scripts of the HTML page, templates of the LaTeX document,
// and three.js with its orbit controls. They are put into the binary at build time, so that a report needs nothing but
// the binary.

#include <string_view>

namespace onmanifold {

/// The file of this name, such as "page.css": those of page/ and latex/, "three.js" and "orbit.js". three.js is under
/// the MIT licence; the notice that goes with every copy of it is "three_licence.txt". \throw InvalidInput for others.
[[nodiscard]] std::string_view asset(std::string_view name);

}  // namespace onmanifold
