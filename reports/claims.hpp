// SPDX-License-Identifier: Apache-2.0
#pragma once
// The claims of the papers as testable statements, and their verdicts as a pure function of results on disk:
// the cells of the suite `claims`. Primary endpoints, margins and rules are fixed here, before any run.

#include <string>
#include <vector>

#include "reports/claim_rules.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// One claim.
struct Claim {
  std::string id;      ///< "C7"
  std::string source;  ///< keys of docs/bibliography.bib
  std::string statement;
  std::string experiment;      ///< tasks and arms
  std::string endpoint;        ///< the one primary quantity
  std::string rule;            ///< how it is decided, in words
  bool deterministic = false;  ///< takes no share of alpha
};
/// C1 … C27.
[[nodiscard]] const std::vector<Claim>& claims();
/// What `describe` shows.
[[nodiscard]] std::string claim_text(const Claim& claim);

/// What one task says: descriptive, without a verdict.
struct TaskEvidence {
  std::string task;
  std::string quantity;
  int n = 0;
  double mean = std::numeric_limits<double>::quiet_NaN();
  double margin = std::numeric_limits<double>::quiet_NaN();  ///< smallest relevant effect, where there is one
  Vector values;                                             ///< n, one a seed; their mean is above
  Interval accepted;  ///< where the claim wants the mean, values over margin where there is one; NaN: nowhere
};

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

/// All claims in order. Claims with any number on disk share alpha by Holm, incomplete ones with p = 1, so
/// that a run that fails cannot make the others easier. Never throws on missing, failed or NaN data.
[[nodiscard]] std::vector<ClaimResult> judge_claims(const ResultSet& results, double alpha = 0.05);

/// The results come from the suite `claims`.
[[nodiscard]] bool holds_claims(const ResultSet& results);

}  // namespace onmanifold
