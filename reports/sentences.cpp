// SPDX-License-Identifier: Apache-2.0
#include "reports/sentences.hpp"

#include <cmath>

#include <fmt/format.h>

#include "reports/table.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

std::string task_line(const TaskAnalysis& task) {
  const TaskOverview& overview = task.overview;
  const TaskSummary& summary = task.summary;
  const auto c = static_cast<std::size_t>(overview.column);
  const MetricColumn& column = summary.columns[c];
  const auto label = [&](int arm) { return short_label(summary.arms[static_cast<std::size_t>(arm)]); };
  const auto entry_of = [&](int arm) -> const Summary& { return summary.table[static_cast<std::size_t>(arm)][c]; };
  const auto value = [&](int arm) { return measured_text(entry_of(arm).mean, entry_of(arm).sd); };
  std::string line = fmt::format("{}, {}: best is {} with {}", overview.task, metric_label(column),
                                 label(overview.best), value(overview.best));
  if (overview.n_best > 1) {
    line += fmt::format(", which {} share{} within one standard error",
                        overview.n_best == 2 ? "one other" : fmt::format("{} others", overview.n_best - 1),
                        overview.n_best == 2 ? "s" : "");
  } else if (overview.second >= 0) {
    const double apart = overview.apart();
    line += fmt::format(", ahead of {} with {}{}", label(overview.second), value(overview.second),
                        std::isnan(apart)
                            ? ""
                            : fmt::format(" by {} standard errors", to_text(round_fixed(apart, apart == 0 ? 0 : 1))));
  }
  line += "; ";
  for (const int end : {overview.ends.floor, overview.ends.ceiling}) {
    if (end >= 0 && !std::isnan(entry_of(end).mean)) line += fmt::format("{} {}, ", label(end), value(end));
  }
  line += "perfect model " + measured_text(column.null, column.null_sd);
  if (entry_of(overview.best).at_floor) line += "; the best is indistinguishable from a perfect model";
  if (overview.below_floor) line += fmt::format("; no learner is better than {}", label(overview.ends.floor));
  return plain_text(line + ".");
}

std::string ranking_line(const Ranking& ranking) {
  const RankedArm& first = ranking.arms.front();
  const std::string name = arm_label(first.method, first.lifted ? first.lift : "");
  const std::string over = fmt::format("Over {} task{}", ranking.tasks.size(), ranking.tasks.size() == 1 ? "" : "s");
  if (!ranking.separated()) {
    return plain_text(fmt::format(
        "{} no two of {} learners are separated (Friedman p {:.2g}, critical difference {:.2f}); the first is {} with "
        "mean rank {:.2f}.",
        over, ranking.arms.size(), ranking.friedman.p, ranking.cd, name, first.mean_rank));
  }
  const int with = ranking.groups.front().second;
  const Interval& interval = first.interval;
  return plain_text(fmt::format(
      "{} {} has the best mean rank of {} learners, {:.2f}{}; {} (critical difference {:.2f}).", over, name,
      ranking.arms.size(), first.mean_rank,
      std::isfinite(interval.low) ? fmt::format(" (95 % {:.2f} to {:.2f})", interval.low, interval.high) : "",
      with == 0   ? "every other is separated from it"
      : with == 1 ? "one other is not separated from it"
                  : fmt::format("{} others are not separated from it", with),
      ranking.cd));
}

}  // namespace

std::string reading_guide_text() {
  return "↓ lower is better, ↑ higher, →v best at v. * best learner, shared by all within one standard error "
         "of it (bold in Markdown and LaTeX); where one is best alone, the second best, if clear of it by more than the "
         "standard error of the difference, is underlined (italic in Markdown). "
         "· within two standard deviations of the value a perfect model would get. oracle: fresh true samples (no "
         "model can do better); exact_score: the sampler driven by the exact score (no learning); gaussian: fitted "
         "moments only; memorizer: copies of training points; kde: the same with noise. None of these five is ranked.";
}

std::vector<std::string> conclusion_lines(const Analysis& analysis) {
  std::vector<std::string> lines;
  if (analysis.suite.purpose == SuitePurpose::demonstration) {
    lines.push_back(
        fmt::format("Suite {} is a demonstration: it shows that the pipeline works and what a result looks "
                    "like. Do not interpret its differences.",
                    analysis.suite.name));
  }
  const Conclusions& found = analysis.conclusions;
  lines.push_back(fmt::format(
      "A comparison needs at least {} seeds; a verdict {} seeds and, where the distribution is known exactly, {} "
      "samples, so that a total variation of 0.02 stands clear of the null value. Here: {} seed{}{}.{}",
      seeds_for_comparison, seeds_for_verdict, samples_for_verdict, found.seeds, found.seeds == 1 ? "" : "s",
      std::isnan(found.samples) ? "" : fmt::format(", {:.0f} samples", found.samples),
      found.verdict      ? " Enough for a verdict."
      : found.comparison ? " Enough for a comparison, not for a verdict."
                         : " Too few for either."));
  return lines;
}

std::vector<std::string> overview_lines(const Analysis& analysis) {
  std::vector<std::string> lines;
  for (const TaskAnalysis& task : analysis.tasks) {
    if (task.overview.best >= 0) lines.push_back(task_line(task));
  }
  if (analysis.ranking.holds()) lines.push_back(ranking_line(analysis.ranking));
  return lines;
}

}  // namespace onmanifold
