// SPDX-License-Identifier: Apache-2.0
#pragma once
// The claims of the papers as testable statements, and their verdicts as a pure function of results on disk: the cells
// of a suite that says `claims = true`. Primary endpoints, margins and rules are fixed here, before any run. A claim
// stands in the file of its paper (claims/map.cpp, …); claims() is their registry.

#include <functional>
#include <string>
#include <vector>

#include "claims/curves.hpp"
#include "claims/evidence.hpp"

namespace onmanifold {

/// One claim.
struct Claim {
  std::string id;      ///< "C7"
  std::string source;  ///< keys of docs/bibliography.bib
  std::string statement;
  std::string experiment;  ///< tasks and configurations that it reads
  std::string endpoint;    ///< the one primary quantity
  std::string rule;        ///< how it is decided, in words
  /// Collects the evidence: adds tests, or a decision without chance.
  std::function<void(Evidence&)> judge = {};
  /// The curves that it is read from, where the results hold them; empty: it has none.
  std::function<std::vector<CurveFigure>(const ResultSet&)> curves = {};
  bool deterministic = false;  ///< takes no share of alpha
};
/// The registry: C1 … C27, in order.
[[nodiscard]] const std::vector<Claim>& claims();
/// What `describe` shows.
[[nodiscard]] std::string claim_text(const Claim& claim);

struct ClaimResult {
  Claim claim;
  Verdict verdict = Verdict::not_tested;
  ClaimTest test;
  double adjusted_p = std::numeric_limits<double>::quiet_NaN();  ///< Holm's; NaN without a test
  int family = 0;                                                ///< tests that Holm corrects for
  int replicates_needed = 0;                                     ///< of an inconclusive claim; 0: not known
  std::vector<TaskEvidence> tasks;
  std::vector<std::string> missing;  ///< cells, metrics or diagnostics that are not there
  std::string reason;                ///< one sentence
};

/// All claims in order. Claims with any number on disk share alpha by Holm, incomplete ones with p = 1, so that a run
/// that fails cannot make the others easier. Never throws on missing, failed or NaN data.
[[nodiscard]] std::vector<ClaimResult> judge_claims(const ResultSet& results, double alpha = 0.05);

/// The results come from a suite that says `claims = true`.
[[nodiscard]] bool holds_claims(const ResultSet& results);

}  // namespace onmanifold
