// SPDX-License-Identifier: Apache-2.0
#include "reports/assets.hpp"

// The assembler includes the files: a generated array of bytes would take the compiler a minute. The paths
// are definitions of this file alone; CMake rebuilds it when one of the files changes.
#define ONMANIFOLD_EMBED(name, path)                       \
  extern "C" const char onmanifold_asset_##name##_begin[]; \
  extern "C" const char onmanifold_asset_##name##_end[];   \
  asm(".pushsection .rodata\n"                             \
      ".global onmanifold_asset_" #name                    \
      "_begin\n"                                           \
      ".global onmanifold_asset_" #name                    \
      "_end\n"                                             \
      ".hidden onmanifold_asset_" #name                    \
      "_begin\n"                                           \
      ".hidden onmanifold_asset_" #name                    \
      "_end\n"                                             \
      "onmanifold_asset_" #name "_begin:\n.incbin \"" path \
      "\"\n"                                               \
      "onmanifold_asset_" #name                            \
      "_end:\n.byte 0\n"                                   \
      ".popsection\n")

ONMANIFOLD_EMBED(page_style, ONMANIFOLD_PAGE_STYLE);
ONMANIFOLD_EMBED(tables, ONMANIFOLD_TABLES_SCRIPT);
ONMANIFOLD_EMBED(viewer, ONMANIFOLD_VIEWER_SCRIPT);
ONMANIFOLD_EMBED(three, ONMANIFOLD_THREE_SCRIPT);
ONMANIFOLD_EMBED(orbit, ONMANIFOLD_ORBIT_SCRIPT);

namespace onmanifold {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view page_style() {
  return between(onmanifold_asset_page_style_begin, onmanifold_asset_page_style_end);
}

std::string_view tables_script() {
  return between(onmanifold_asset_tables_begin, onmanifold_asset_tables_end);
}

std::string_view viewer_script() {
  return between(onmanifold_asset_viewer_begin, onmanifold_asset_viewer_end);
}

std::string_view three_script() {
  return between(onmanifold_asset_three_begin, onmanifold_asset_three_end);
}

std::string_view orbit_controls_script() {
  return between(onmanifold_asset_orbit_begin, onmanifold_asset_orbit_end);
}

std::string_view three_licence() {
  return "three.js r111 and its OrbitControls. The MIT License. Copyright 2010-2019 three.js authors.\n"
         "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and "
         "associated documentation files (the \"Software\"), to deal in the Software without restriction, "
         "including "
         "without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or "
         "sell "
         "copies of the Software, and to permit persons to whom the Software is furnished to do so, subject "
         "to the "
         "following conditions: The above copyright notice and this permission notice shall be included in "
         "all "
         "copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT "
         "WARRANTY OF "
         "ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, "
         "FITNESS FOR "
         "A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE "
         "LIABLE "
         "FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, "
         "ARISING "
         "FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.";
}

}  // namespace onmanifold
