// SPDX-License-Identifier: Apache-2.0
#include "claims/claims.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "claims/papers.hpp"
#include "core/call_count.hpp"
#include "core/error.hpp"

namespace onmanifold {
namespace {

/// A claim with tests, before Holm's correction.
struct Open {
  ClaimResult* result;
  bool complete;
  std::vector<std::string> blocked, failed;
};

/// Claims that need no correction are decided here; \return whether \p found is one that does.
bool judge_alone(ClaimResult& result, const Evidence& found) {
  if (found.decision) {
    result.test = found.decision->test;
    result.verdict = found.decision->verdict;
    if (result.verdict == Verdict::reproduced && !result.missing.empty()) result.verdict = Verdict::inconclusive;
    result.reason = result.test.reason;
  } else if (!found.touched) {
    result.reason = "nothing of it is in these results";
  } else if (result.claim.deterministic) {
    result.verdict = Verdict::inconclusive;
    result.reason = "incomplete";
  } else {
    return true;
  }
  return false;
}

/// Alpha is shared by all that were begun.
void correct_for_family(std::vector<Open>& open) {
  Vector p(static_cast<Index>(open.size()));
  for (std::size_t i = 0; i < open.size(); ++i) {
    const ClaimResult& result = *open[i].result;
    const bool usable = open[i].complete && result.missing.empty() && result.test.n >= claim_smallest_n;
    p[static_cast<Index>(i)] = usable ? result.test.p : 1;
  }
  const Vector adjusted = open.empty() ? Vector() : holm_adjusted(p);
  for (std::size_t i = 0; i < open.size(); ++i) {
    open[i].result->family = static_cast<int>(open.size());
    open[i].result->adjusted_p = adjusted[static_cast<Index>(i)];
  }
}

void judge_corrected(const Open& entry, double alpha) {
  ClaimResult& result = *entry.result;
  result.verdict = Verdict::inconclusive;
  if (!entry.complete) {
    result.reason = "incomplete";
    return;
  }
  if (!entry.blocked.empty()) {
    result.reason = fmt::format("{}", fmt::join(entry.blocked, "; "));
    return;
  }
  if (!result.missing.empty()) {
    result.reason = "part of what it needs is missing; " + result.test.reason;
  } else {
    result.verdict = decide(result.test, result.adjusted_p, alpha);
    result.reason = result.test.reason;
    if (result.test.n < claim_smallest_n) {
      result.reason = fmt::format("{} finished replicates, {} are the least", result.test.n, claim_smallest_n);
    }
    if (!entry.failed.empty()) {
      if (result.verdict == Verdict::reproduced) result.verdict = Verdict::inconclusive;
      result.reason += fmt::format("; missing or failed where its pair is not: {}", fmt::join(entry.failed, ", "));
    }
  }
  if (result.verdict != Verdict::inconclusive) return;
  result.replicates_needed = replicates_needed(result.test, result.family, alpha);
  if (result.replicates_needed > 0)
    result.reason += fmt::format("; would need about {} replicates", result.replicates_needed);
}

void say_what_is_missing(ClaimResult& result) {
  if (result.missing.empty() || result.verdict == Verdict::not_tested) return;
  constexpr std::size_t shown = 3;
  const auto end = result.missing.begin() + static_cast<std::ptrdiff_t>(std::min(shown, result.missing.size()));
  result.reason += fmt::format("; missing: {}", fmt::join(result.missing.begin(), end, "; "));
  if (result.missing.size() > shown) result.reason += fmt::format(" and {} more", result.missing.size() - shown);
}

}  // namespace

const std::vector<Claim>& claims() {
  static const std::vector<Claim> all = [] {
    std::vector<Claim> found;
    for (const auto paper : {map_claims, lens_claims, inexact_claims, mad_claims, niso_claims}) {
      for (Claim& claim : paper()) found.push_back(std::move(claim));
    }
    std::sort(found.begin(), found.end(), [](const Claim& a, const Claim& b) {
      return std::tuple(a.id.size(), a.id) < std::tuple(b.id.size(), b.id);
    });
    return found;
  }();
  return all;
}

std::string claim_text(const Claim& claim) {
  return fmt::format(
      "{}\n\nsource      {}\nexperiment  {}\nendpoint    {}\nrule        {}\nkind        {}\n", claim.statement,
      claim.source, claim.experiment, claim.endpoint, claim.rule,
      claim.deterministic ? "deterministic, takes no share of alpha" : "tested at alpha = .05 with Holm");
}

std::vector<ClaimResult> judge_claims(const ResultSet& results, double alpha) {
  count_call("judge_claims");
  if (!(alpha > 0) || !(alpha < 1)) throw InvalidInput("judge_claims: alpha must lie in (0, 1)");
  std::vector<ClaimResult> judged;
  judged.reserve(claims().size());
  std::vector<Open> open;
  for (const Claim& claim : claims()) {
    Evidence found(results);
    claim.judge(found);
    ClaimResult& result = judged.emplace_back();
    result.claim = claim;
    result.tasks = found.tasks;
    result.missing = found.missing;
    if (!judge_alone(result, found)) continue;
    if (!found.tests.empty()) result.test = all_of(found.tests);
    open.push_back({&result, !found.tests.empty(), found.blocked, found.failed_favoured});
  }
  correct_for_family(open);
  for (const Open& entry : open) judge_corrected(entry, alpha);
  for (ClaimResult& result : judged) say_what_is_missing(result);
  return judged;
}

bool holds_claims(const ResultSet& results) {
  return std::any_of(results.tasks.begin(), results.tasks.end(),
                     [](const TaskResult& task) { return task.file && suite_of(*task.file).claims; });
}

}  // namespace onmanifold
