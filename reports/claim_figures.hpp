// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the claims look like: the verdicts at one glance, the evidence of each claim against what it asks for,
// and the curves behind it. The data come from claims/; here they become commands of gnuplot.

#include <string>
#include <vector>

#include "claims/claims.hpp"
#include "reports/figure.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// A figure of one claim; its name is "claims" for that of all of them, "claim-C7", "claim-C13-curve-1".
struct ClaimFigure {
  std::string claim;  ///< "C7", or "" for that of all
  Figure figure;
};

/// First all statistics that are counted in smallest relevant effects, with their intervals; then for each
/// claim its evidence (every seed, mean and interval by task, and the region that the claim asks for) and its
/// curves. Claims of which nothing is on disk have none.
[[nodiscard]] std::vector<ClaimFigure> claim_figures(const ResultSet& results, const std::vector<ClaimResult>& judged);

}  // namespace onmanifold
