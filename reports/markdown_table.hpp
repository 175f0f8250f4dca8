// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tables as GitHub-flavoured Markdown, to be pasted.

#include <string>

#include "reports/table.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// Best values are bold, values at their floor of a learner carry "·".
[[nodiscard]] std::string render_markdown(const Table& table);

/// Heading, one table per task with the default columns, and how to read them.
[[nodiscard]] std::string markdown_report(const ResultSet& results);

}  // namespace onmanifold
