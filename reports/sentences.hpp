// SPDX-License-Identifier: Apache-2.0
#pragma once
// The sentences that every report shares: how to read a table, what is best where, and what these seeds and sizes allow
// to conclude.

#include <string>
#include <vector>

#include "reports/analysis.hpp"

namespace onmanifold {

/// Arrows, marks and rows, for text output.
[[nodiscard]] std::string reading_guide_text();

/// What may be concluded from this many seeds and samples; a suite that says it is one is named a demonstration.
[[nodiscard]] std::vector<std::string> conclusion_lines(const Analysis& analysis);

/// The best of each task, by how much against noise, floor and oracle; then the ranking.
[[nodiscard]] std::vector<std::string> overview_lines(const Analysis& analysis);

}  // namespace onmanifold
