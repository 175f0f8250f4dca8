// SPDX-License-Identifier: Apache-2.0
#include "reports/assets.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/error.hpp"

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

// One line here and one below for each file.
ONMANIFOLD_EMBED(page, ONMANIFOLD_ASSETS "/page/page.html");
ONMANIFOLD_EMBED(task, ONMANIFOLD_ASSETS "/page/task.html");
ONMANIFOLD_EMBED(table, ONMANIFOLD_ASSETS "/page/table.html");
ONMANIFOLD_EMBED(matrix, ONMANIFOLD_ASSETS "/page/matrix.html");
ONMANIFOLD_EMBED(overview, ONMANIFOLD_ASSETS "/page/overview.html");
ONMANIFOLD_EMBED(viewer, ONMANIFOLD_ASSETS "/page/viewer.html");
ONMANIFOLD_EMBED(sheets, ONMANIFOLD_ASSETS "/page/sheets.html");
ONMANIFOLD_EMBED(figure, ONMANIFOLD_ASSETS "/page/figure.html");
ONMANIFOLD_EMBED(download, ONMANIFOLD_ASSETS "/page/download.html");
ONMANIFOLD_EMBED(style, ONMANIFOLD_ASSETS "/page/page.css");
ONMANIFOLD_EMBED(tables_script, ONMANIFOLD_ASSETS "/page/tables.js");
ONMANIFOLD_EMBED(viewer_script, ONMANIFOLD_ASSETS "/page/viewer.js");
ONMANIFOLD_EMBED(three_licence, ONMANIFOLD_ASSETS "/page/three_licence.txt");
ONMANIFOLD_EMBED(three, ONMANIFOLD_THREE_SCRIPT);
ONMANIFOLD_EMBED(orbit, ONMANIFOLD_ORBIT_SCRIPT);
ONMANIFOLD_EMBED(latex_report, ONMANIFOLD_ASSETS "/latex/report.tex.in");
ONMANIFOLD_EMBED(latex_table, ONMANIFOLD_ASSETS "/latex/table.tex.in");
ONMANIFOLD_EMBED(latex_claims, ONMANIFOLD_ASSETS "/latex/claims.tex.in");
ONMANIFOLD_EMBED(latex_signs, ONMANIFOLD_ASSETS "/latex/signs.txt");

#define ONMANIFOLD_ASSET(name, file)                                     \
  Asset {                                                                \
    file, onmanifold_asset_##name##_begin, onmanifold_asset_##name##_end \
  }

namespace onmanifold {
namespace {

struct Asset {
  std::string_view file;
  const char* begin;
  const char* end;
};

}  // namespace

std::string_view asset(std::string_view name) {
  static const std::array assets = {
      ONMANIFOLD_ASSET(page, "page.html"),
      ONMANIFOLD_ASSET(task, "task.html"),
      ONMANIFOLD_ASSET(table, "table.html"),
      ONMANIFOLD_ASSET(matrix, "matrix.html"),
      ONMANIFOLD_ASSET(overview, "overview.html"),
      ONMANIFOLD_ASSET(viewer, "viewer.html"),
      ONMANIFOLD_ASSET(sheets, "sheets.html"),
      ONMANIFOLD_ASSET(figure, "figure.html"),
      ONMANIFOLD_ASSET(download, "download.html"),
      ONMANIFOLD_ASSET(style, "page.css"),
      ONMANIFOLD_ASSET(tables_script, "tables.js"),
      ONMANIFOLD_ASSET(viewer_script, "viewer.js"),
      ONMANIFOLD_ASSET(three_licence, "three_licence.txt"),
      ONMANIFOLD_ASSET(three, "three.js"),
      ONMANIFOLD_ASSET(orbit, "orbit.js"),
      ONMANIFOLD_ASSET(latex_report, "report.tex.in"),
      ONMANIFOLD_ASSET(latex_table, "table.tex.in"),
      ONMANIFOLD_ASSET(latex_claims, "claims.tex.in"),
      ONMANIFOLD_ASSET(latex_signs, "signs.txt"),
  };
  const auto found = std::find_if(assets.begin(), assets.end(), [&](const Asset& one) { return one.file == name; });
  if (found == assets.end()) throw InvalidInput(fmt::format("no file '{}' in the program", name));
  return {found->begin, static_cast<std::size_t>(found->end - found->begin)};
}

}  // namespace onmanifold
