// SPDX-License-Identifier: Apache-2.0
#pragma once
// Two-dimensional figures as SVG, drawn by gnuplot as a subprocess on a temporary script.

#include <string>
#include <string_view>

#include "reports/figure.hpp"

namespace onmanifold {

/// Runs gnuplot on \p commands (its terminal and output are set before them) and returns an SVG that can
/// stand in a page: ids start with \p id, black is the text colour of the page, no XML prologue. \throw
/// IoError naming the package if gnuplot is not installed, or with its message if it fails.
[[nodiscard]] std::string gnuplot_svg(std::string_view commands, int width, int height, std::string_view id,
                                      std::string_view title);

/// A figure with its caption as an element of a page, ids starting with \p id; one line that says why where
/// gnuplot fails or is missing, "" where there is nothing to draw.
[[nodiscard]] std::string figure_html(const Figure& figure, std::string_view id);

/// \p text as a string of a gnuplot script, quotes included, whatever is in it.
[[nodiscard]] std::string gnuplot_string(std::string_view text);

/// A figure as a file of its own, "svg", "pdf" or "png", black on white. \throw IoError as gnuplot_svg; InvalidInput
/// for another format.
[[nodiscard]] std::string gnuplot_file(const Figure& figure, std::string_view format);

}  // namespace onmanifold
