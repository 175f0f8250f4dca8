// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tables for a terminal of 80 columns.

#include <string>
#include <vector>

#include "reports/reporter.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {

/// Best values are marked "*", values at their floor "·"; with \p colour also bold and dim by ANSI escapes. A
/// table wider than \p width is broken into blocks of columns.
[[nodiscard]] std::string render_terminal(const Table& table, bool colour, int width = terminal_width);

/// One table per task and what they can and cannot tell.
[[nodiscard]] std::string terminal_report(const Report& report, bool colour);

/// Without colour, as report.txt.
class TerminalReporter final : public Reporter {
 public:
  [[nodiscard]] std::vector<std::string> write(const Report& report, const std::string& directory) const override;
};

}  // namespace onmanifold
