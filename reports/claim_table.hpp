// SPDX-License-Identifier: Apache-2.0
#pragma once
// Verdicts as text: for a terminal, for Markdown and for a page.

#include <string>
#include <vector>

#include "claims/claims.hpp"
#include "reports/claim_figures.hpp"

namespace onmanifold {

/// Verdict, statement, numbers, reason and rule of every claim, at most 120 columns wide.
[[nodiscard]] std::string claims_terminal(const std::vector<ClaimResult>& results);

/// One table under a heading of the second level.
[[nodiscard]] std::string claims_markdown(const std::vector<ClaimResult>& results);

/// A section with id "claims": a table, then for each claim its rule, reason, evidence and \p figures, folded.
/// Runs gnuplot for the figures, as figure_html.
[[nodiscard]] std::string claims_html(const std::vector<ClaimResult>& results,
                                      const std::vector<ClaimFigure>& figures = {});

}  // namespace onmanifold
