// SPDX-License-Identifier: Apache-2.0
#pragma once
// The sentences that every report shares: how to read a table, and what these seeds and sizes allow to
// conclude.

#include <string>
#include <vector>

#include "results/result_set.hpp"

namespace onmanifold {

/// Seeds and samples that a conclusion needs: ≥ 5 seeds for a comparison, ≥ 10 for a verdict; with exact
/// masses a total variation of .02 stands clear of its floor at 1e5 samples.
inline constexpr int seeds_for_comparison = 5;
inline constexpr int seeds_for_verdict = 10;
inline constexpr int samples_for_verdict = 100000;

/// Arrows, marks and rows, for text output.
[[nodiscard]] std::string reading_guide_text();

/// What may be concluded from this many seeds and samples; names suite `quick` a demonstration.
[[nodiscard]] std::vector<std::string> conclusion_lines(const ResultSet& results);

/// The suite of the results ("quick"), or "" if the task files do not say.
[[nodiscard]] std::string suite_name(const ResultSet& results);

}  // namespace onmanifold
