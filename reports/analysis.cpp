// SPDX-License-Identifier: Apache-2.0
#include "reports/analysis.hpp"

#include <set>

#include "core/error.hpp"
#include "core/suggestion.hpp"

namespace onmanifold {

Analysis analyse(const ResultSet& results) {
  Analysis analysis;
  analysis.results = &results;
  analysis.suite = suite_of(results);
  analysis.conclusions = conclude(results);
  std::vector<TaskSummary> summaries;
  std::vector<TaskOverview> overviews;
  for (const TaskResult& task : results.tasks) {
    summaries.push_back(summarise(task, results.metrics));
    overviews.push_back(task_overview(task, summaries.back()));
  }
  analysis.ranking = rank_arms(summaries, overviews);
  analysis.lifts = lift_effects(results, summaries);
  analysis.matrix = make_matrix(summaries, overviews);
  analysis.answers = answer(analysis.matrix, analysis.lifts, analysis.suite.purpose);
  analysis.published = compare_published(results, summaries);
  for (std::size_t t = 0; t < summaries.size(); ++t) {
    analysis.tasks.push_back({.result = &results.tasks[t],
                              .summary = {},
                              .overview = std::move(overviews[t]),
                              .axis = mismatch_axis(summaries[t]),
                              .diagnostics = summarise_diagnostics(summaries[t])});
    analysis.tasks.back().summary = std::move(summaries[t]);
  }
  if (analysis.suite.claims) analysis.claims = judge_claims(results);
  return analysis;
}

Matrix metric_matrix(const Analysis& analysis, const std::string& metric) {
  std::vector<TaskSummary> summaries;
  std::vector<TaskOverview> overviews;
  std::set<std::string> known;
  bool found = false;
  for (const TaskAnalysis& task : analysis.tasks) {
    TaskOverview overview = task.overview;
    overview.column = -1;
    overview.reason = "not measured on this task";
    for (const int c : asked_columns(task.summary)) {
      const MetricColumn& column = task.summary.columns[static_cast<std::size_t>(c)];
      known.insert(column.name);
      if (column.name != metric || overview.column >= 0) continue;
      found = true;
      overview.column = column.mixed_protocol || !column.direction ? -1 : c;
      overview.reason = overview.column >= 0 ? "" : "records differ, or the metric has no direction";
    }
    summaries.push_back(task.summary);
    overviews.push_back(std::move(overview));
  }
  if (!found) throw InvalidInput(unknown_name("metric of these results", metric, {known.begin(), known.end()}));
  return make_matrix(summaries, overviews);
}

}  // namespace onmanifold
