// SPDX-License-Identifier: Apache-2.0
#include "reports/analysis.hpp"

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

}  // namespace onmanifold
