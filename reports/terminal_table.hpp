// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tables for a terminal of 120 columns.

#include <string>

#include "reports/table.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// Best values are marked "*", values at their floor "·"; with \p colour also bold and dim by ANSI escapes. A
/// table wider than \p width is broken into blocks of columns.
[[nodiscard]] std::string render_terminal(const Table& table, bool colour, int width = 120);

/// One table per task with the default columns, and what they can and cannot tell.
[[nodiscard]] std::string terminal_report(const ResultSet& results, bool colour);

}  // namespace onmanifold
