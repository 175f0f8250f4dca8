// SPDX-License-Identifier: Apache-2.0
#pragma once
// A comparison for people and programs.

#include <string>

#include "core/value.hpp"
#include "reports/compare.hpp"

namespace onmanifold {

/// For a terminal; lines that did not change are counted, not listed.
[[nodiscard]] std::string comparison_text(const Comparison& comparison);
/// For a pull-request comment: verdict first, GitHub's Markdown, at most 65,000 characters.
[[nodiscard]] std::string comparison_markdown(const Comparison& comparison);
/// Everything, lines without change too.
[[nodiscard]] Value comparison_json(const Comparison& comparison);

}  // namespace onmanifold
