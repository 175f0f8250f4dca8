// SPDX-License-Identifier: Apache-2.0
#pragma once
// What cells look like in text; LaTeX has signs of its own.

#include <string>

#include "reports/table.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {

/// Value and spread of a cell as plain text, without its marks.
[[nodiscard]] FormattedValue cell_text(const TableCell& cell);
/// The same for LaTeX, escaped.
[[nodiscard]] FormattedValue cell_latex(const TableCell& cell);
/// Interval and values of every seed, and why some are missing: what a page shows on hover.
[[nodiscard]] std::string hover_text(const TableCell& cell);

}  // namespace onmanifold
