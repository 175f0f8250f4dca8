// SPDX-License-Identifier: Apache-2.0
#include "reports/narrative.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

namespace onmanifold {

std::string reading_guide_text() {
  return "↓ lower is better, ↑ higher, →v best at v. * best learner, shared by all within one standard error "
         "of it (bold in Markdown and LaTeX); where one is best alone, the second best, if clear of it by more than the "
         "standard error of the difference, is underlined (italic in Markdown). "
         "· within two standard deviations of the value a perfect model would get. oracle: fresh true "
         "samples (no "
         "model can do better); exact_score: the sampler driven by the exact score (no learning); gaussian: "
         "fitted "
         "moments only; memorizer: copies of training points. None of these four is ranked.";
}

std::string suite_name(const ResultSet& results) {
  for (const TaskResult& task : results.tasks) {
    if (!task.file) continue;
    const std::string name = find_text(task.file->details, "suite");
    if (!name.empty()) return name;
  }
  return "";
}

std::vector<std::string> conclusion_lines(const ResultSet& results) {
  std::vector<std::string> lines;
  // The least seeds that any arm has: a comparison is as good as its weakest arm.
  int seeds = -1;
  double samples = std::numeric_limits<double>::quiet_NaN();
  for (const TaskResult& task : results.tasks) {
    std::map<std::pair<std::string, std::string>, int> done;
    for (const CellResult& cell : task.cells) {
      int& count = done[{cell.key.method, cell.key.lift}];
      if (cell.has_metrics) ++count;
      for (const auto* records : {&cell.raw, &cell.projected}) {
        for (const MetricRecord& record : *records) {
          const auto n = static_cast<double>(record.n_samples);
          if (n > 0.0 && !(samples <= n)) samples = n;
        }
      }
    }
    for (const auto& [arm, count] : done) seeds = seeds < 0 ? count : std::min(seeds, count);
  }
  const std::string suite = suite_name(results);
  if (suite == "quick" || suite == "smoke") {
    lines.push_back(
        fmt::format("Suite {} is a demonstration: it shows that the pipeline works and what a result "
                    "looks like. Its differences are no findings.",
                    suite));
  }
  const bool enough_samples = !std::isnan(samples) && samples >= samples_for_verdict;
  const std::string here = fmt::format("Here: {} seed{}{}.", std::max(0, seeds), seeds == 1 ? "" : "s",
                                       std::isnan(samples) ? "" : fmt::format(", {:.0f} samples", samples));
  lines.push_back(
      fmt::format("A comparison needs at least {} seeds; a verdict {} seeds and, where the law is known "
                  "exactly, {} samples, so that a total variation of 0.02 stands clear of the floor. {}{}",
                  seeds_for_comparison, seeds_for_verdict, samples_for_verdict, here,
                  seeds >= seeds_for_verdict && enough_samples ? " Enough for a verdict."
                  : seeds >= seeds_for_comparison              ? " Enough for a comparison, not for a verdict."
                                                               : " Too few for either."));
  return lines;
}

}  // namespace onmanifold
