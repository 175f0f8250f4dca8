// SPDX-License-Identifier: Apache-2.0
#pragma once
// Verdicts as text: for a terminal, for Markdown and for a page.

#include <string>
#include <vector>

#include "reports/claim_figures.hpp"
#include "reports/claims.hpp"

namespace onmanifold {

/// Verdict, statement, numbers and reason of every claim, at most 120 columns wide.
[[nodiscard]] std::string claims_terminal(const std::vector<ClaimResult>& results);

/// One table under a heading of the second level.
[[nodiscard]] std::string claims_markdown(const std::vector<ClaimResult>& results);

/// A section with id "claims": a table, then for each claim its rule, reason, evidence and \p pictures, folded.
[[nodiscard]] std::string claims_html(const std::vector<ClaimResult>& results,
                                      const std::vector<ClaimPicture>& pictures = {});

}  // namespace onmanifold
