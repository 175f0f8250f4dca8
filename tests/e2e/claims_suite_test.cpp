// SPDX-License-Identifier: Apache-2.0
// The suite `claims` asks its cells for all that the claims read of them: labels, arms and metrics are names
// in two places, and a name that differs would only show after hours, as a claim that is never judged.

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "claims/claims.hpp"
#include "suite/suite_spec.hpp"

namespace onmanifold {
namespace {

/// Results with every cell of the suite, every metric that is asked for, and every diagnostic without its
/// numbers.
ResultSet promised(const SuiteSpec& suite) {
  ResultSet results;
  for (const Cell& cell : expand(suite)) {
    auto task = std::find_if(results.tasks.begin(), results.tasks.end(),
                             [&](const TaskResult& one) { return one.name == cell.key.task; });
    if (task == results.tasks.end()) {
      results.tasks.emplace_back();
      task = results.tasks.end() - 1;
      task->name = cell.key.task;
    }
    CellResult made;
    made.key = cell.key;
    made.head.config = cell.config();
    for (const DiagnosticSpec& asked : cell.diagnostics) made.head.diagnostics[asked.name];
    for (const MetricSpec& metric : cell.task->metrics) {
      MetricRecord record;
      record.name = metric.name;
      record.value = 1;
      made.raw.push_back(record);
      made.projected.push_back(record);
    }
    task->cells.push_back(made);
  }
  return results;
}

/// What a run of the suite would never bring: cells and metrics that it does not have, diagnostics that
/// nobody asks.
std::vector<std::string> never_there(const SuiteSpec& suite) {
  std::vector<std::string> found;
  for (const ClaimResult& result : judge_claims(promised(suite))) {
    for (const std::string& missing : result.missing) {
      const bool without_data = !suite.left_out.empty() && missing.find("flux-mnist14") != std::string::npos;
      const bool absent = missing.starts_with("cells ") || missing.starts_with("metric ") ||
                          missing.starts_with("a sweep ") || missing.ends_with(": not asked");
      if (absent && !without_data) found.push_back(result.claim.id + ": " + missing);
    }
  }
  return found;
}

SuiteSpec claims_suite() {
  return load_suite("claims");
}

TEST(ClaimsSuite, AsksForAllThatClaimsRead) {
  const SuiteSpec suite = claims_suite();
  EXPECT_GE(suite.last_replicate - suite.first_replicate, 9);  // Holm over the claims needs ten
  for (const std::string& line : never_there(suite)) ADD_FAILURE() << line;
}

TEST(ClaimsSuite, AMissingNameWouldShow) {
  SuiteSpec suite = claims_suite();
  std::erase_if(suite.diagnostics, [](const DiagnosticSpec& one) { return one.name == "density_error"; });
  const std::vector<std::string> lines = never_there(suite);
  ASSERT_FALSE(lines.empty());
  EXPECT_TRUE(lines.front().starts_with("C20: ")) << lines.front();

  SuiteSpec fewer = claims_suite();
  std::erase_if(fewer.methods, [](const auto& one) { return one.name == "niso"; });
  const std::vector<std::string> cells = never_there(fewer);
  ASSERT_FALSE(cells.empty());
  EXPECT_EQ(cells.front(), "C26: cells plane-gmm9 niso");
}

}  // namespace
}  // namespace onmanifold
