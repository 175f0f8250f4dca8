// SPDX-License-Identifier: Apache-2.0
#include "analysis/diagnostics.hpp"

#include <cmath>
#include <map>
#include <set>

#include "core/call_count.hpp"
#include "core/math/statistics.hpp"

namespace onmanifold {
namespace {

using Records = std::vector<const DiagnosticRecord*>;  // of one arm, by seed

DiagnosticAnswer answer_of(const Records& records, const std::string& name) {
  DiagnosticAnswer answer;
  for (const DiagnosticRecord* record : records) {
    const auto found = record->numbers.find(name);
    if (found != record->numbers.end() && found->second.size() == 1) {
      answer.values.push_back(found->second[0]);
    } else if (!record->status.ok()) {
      answer.problem = record->status.text();
    }
  }
  const Eigen::Map<const Vector> all(answer.values.data(), static_cast<Index>(answer.values.size()));
  if (all.size() > 0) answer.mean = mean(all);
  if (all.size() > 1) answer.sd = standard_deviation(all);
  return answer;
}

}  // namespace

std::vector<DiagnosticSummary> summarise_diagnostics(const TaskSummary& summary) {
  count_call("summarise_diagnostics");
  std::map<std::string, std::map<std::size_t, Records>> asked;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    for (const CellResult* cell : summary.arms[a].cells) {
      for (const auto& [label, record] : cell->head.diagnostics) asked[label][a].push_back(&record);
    }
  }
  std::vector<DiagnosticSummary> summaries;
  for (const auto& [label, arms] : asked) {
    std::set<std::string> names;
    std::set<std::string> problems;
    for (const auto& [arm, records] : arms) {
      for (const DiagnosticRecord* record : records) {
        bool answered = false;
        for (const auto& [name, series] : record->numbers) {
          if (series.size() != 1 || name.find('/') != std::string::npos) continue;
          if (std::isfinite(series[0])) names.insert(name);
          answered = true;
        }
        if (!answered && !record->status.ok()) problems.insert(record->status.text());
      }
    }
    DiagnosticSummary one;
    one.label = label;
    one.names.assign(names.begin(), names.end());
    one.problems.assign(problems.begin(), problems.end());
    for (const auto& [arm, records] : arms) {
      DiagnosticSummary::Row& row = one.rows.emplace_back();
      row.arm = arm;
      row.seeds = static_cast<int>(records.size());
      for (const std::string& name : one.names) row.answers.push_back(answer_of(records, name));
    }
    summaries.push_back(std::move(one));
  }
  return summaries;
}

}  // namespace onmanifold
