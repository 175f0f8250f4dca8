// SPDX-License-Identifier: Apache-2.0
#include "analysis/conclusions.hpp"

#include <algorithm>
#include <map>

#include "core/call_count.hpp"

namespace onmanifold {

SuiteInfo suite_of(const ResultSet& results) {
  for (const TaskResult& task : results.tasks) {
    SuiteInfo suite = task.file ? suite_of(*task.file) : SuiteInfo{};
    if (!suite.name.empty()) return suite;
  }
  return {};
}

Conclusions conclude(const ResultSet& results) {
  count_call("conclude");
  Conclusions found;
  int seeds = -1;
  for (const TaskResult& task : results.tasks) {
    std::map<std::pair<std::string, std::string>, int> done;
    for (const CellResult& cell : task.cells) {
      int& count = done[{cell.key.method, cell.key.lift}];
      if (cell.has_metrics) ++count;
      for (const auto* records : {&cell.raw, &cell.projected}) {
        for (const MetricRecord& record : *records) {
          const auto n = static_cast<double>(record.n_samples);
          if (n > 0.0 && !(found.samples <= n)) found.samples = n;
        }
      }
    }
    for (const auto& [arm, count] : done) seeds = seeds < 0 ? count : std::min(seeds, count);
  }
  found.seeds = std::max(0, seeds);
  found.comparison = found.seeds >= seeds_for_comparison;
  found.verdict = found.seeds >= seeds_for_verdict && found.samples >= samples_for_verdict;
  return found;
}

}  // namespace onmanifold
