// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tables as GitHub-flavoured Markdown, to be pasted.

#include <string>
#include <vector>

#include "reports/reporter.hpp"

namespace onmanifold {

/// Best values are bold, values at their floor of a learner carry "·".
[[nodiscard]] std::string render_markdown(const Table& table);

/// Heading, one table per task and how to read them.
[[nodiscard]] std::string markdown_report(const Report& report);

class MarkdownReporter final : public Reporter {
 public:
  [[nodiscard]] std::vector<std::string> write(const Report& report, const std::string& directory) const override;
};

}  // namespace onmanifold
