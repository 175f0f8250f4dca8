// SPDX-License-Identifier: Apache-2.0
#include "reports/claim_figures.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/math/statistics.hpp"
#include "reports/claim_table.hpp"
#include "reports/gnuplot.hpp"

namespace onmanifold {
namespace {

Vector vector(std::initializer_list<double> values) {
  return Eigen::Map<const Vector>(values.begin(), static_cast<Index>(values.size()));
}

/// Cells of one arm with one diagnostic, seed by seed.
void add_series(TaskResult& task, const std::string& method, const std::string& lift, const std::string& label,
                const std::string& name, int seed, const Vector& values) {
  for (CellResult& cell : task.cells) {
    if (cell.key.method == method && cell.key.lift == lift && cell.key.seed == seed) {
      cell.head.diagnostics[label].numbers[name] = values;
      return;
    }
  }
  CellResult cell;
  cell.key = {task.name, method, lift, seed};
  cell.has_metrics = true;
  cell.head.diagnostics[label].numbers[name] = values;
  task.cells.push_back(cell);
}

std::vector<CurveFigure> curves_of(const ResultSet& results, const std::string& id) {
  for (const Claim& claim : claims()) {
    if (claim.id == id) return claim.curves(results);
  }
  ADD_FAILURE() << "no claim " << id;
  return {};
}

TEST(ClaimFigures, BandsAreMeansAndIntervals) {
  const std::map<int, Vector> x = {{0, vector({1, 2})}, {1, vector({1, 2})}, {2, vector({1, 2})}, {3, vector({1, 3})}};
  const std::map<int, Vector> y = {
      {0, vector({1, 10})}, {1, vector({2, NAN})}, {2, vector({6, 30})}, {3, vector({100, 100})}};
  const CurveBand band = band_over_seeds("b", x, y);  // seed 3 has another grid
  ASSERT_EQ(band.x, vector({1, 2}));
  EXPECT_DOUBLE_EQ(band.mean[0], 3);
  EXPECT_DOUBLE_EQ(band.mean[1], 20);
  const Interval interval = t_interval(vector({1, 2, 6}));
  EXPECT_DOUBLE_EQ(band.low[0], interval.low);
  EXPECT_DOUBLE_EQ(band.high[0], interval.high);

  // On a logarithmic axis: the geometric mean, and nothing that is not positive.
  const CurveBand powers = band_over_seeds("p", {{0, vector({1, 2})}, {1, vector({1, 2})}},
                                           {{0, vector({1, -1})}, {1, vector({100, 5})}}, true);
  EXPECT_NEAR(powers.mean[0], 10, 1e-12);
  EXPECT_NEAR(powers.mean[1], 5, 1e-12);
  EXPECT_TRUE(std::isnan(powers.low[1]));  // one value has no spread

  EXPECT_EQ(band_over_seeds("none", {}, {}).x.size(), 0);
  EXPECT_EQ(band_over_seeds("short", {{0, vector({1, 2})}}, {{0, vector({1})}}).x.size(), 0);
}

ResultSet some_results() {
  ResultSet results;
  for (const char* name : {"plane-gmm9", "sphere-vmf6"}) {
    TaskResult task;
    task.name = name;
    task.file.emplace();
    task.file->details = Value::Table{{"suite", "claims"}};
    for (int seed = 0; seed < 3; ++seed) {
      const double shift = 0.01 * seed;
      add_series(task, "oracle", "none", "score_norm_exact", "level", seed, vector({1, 0.1}));
      add_series(task, "oracle", "none", "score_norm_exact", "normal_square", seed, vector({1, 100}));
      add_series(task, "oracle", "none", "score_norm_exact", "slope", seed, vector({-2 + shift}));
      add_series(task, "ddpm", "none", "score_norm", "level", seed, vector({1, 0.1}));
      add_series(task, "ddpm", "none", "score_norm", "normal_square", seed, vector({1 + shift, 50}));
      add_series(task, "ddpm", "none", "score_norm", "regression", seed, vector({0.5 + shift}));
      for (const double sigma : {0.1, 0.3}) {
        CellResult cell;
        cell.key = {name, "ddpm", sigma == 0.1 ? "normal" : "normal-0.3", seed};
        cell.has_metrics = true;
        cell.head.config = Value::Table{{"lift", Value::Table{{"type", "normal"}, {"sigma", sigma}}}};
        MetricRecord tvd;
        tvd.name = "tvd";
        tvd.direction = Direction::lower;
        tvd.value = sigma + shift;
        cell.projected.push_back(tvd);
        task.cells.push_back(cell);
      }
    }
    results.tasks.push_back(task);
  }
  return results;
}

TEST(ClaimFigures, CurvesAreReadFromCells) {
  const ResultSet results = some_results();
  const std::vector<CurveFigure> scores = curves_of(results, "C3");
  ASSERT_EQ(scores.size(), 2U);
  EXPECT_EQ(scores[0].title, "plane-gmm9");
  ASSERT_EQ(scores[0].bands.size(), 2U);
  EXPECT_TRUE(scores[0].bands[0].reference);
  EXPECT_NEAR(scores[0].bands[1].mean[0], std::cbrt(1.0 * 1.01 * 1.02), 1e-12);

  const std::vector<CurveFigure> sweep = curves_of(results, "C13");
  ASSERT_EQ(sweep.size(), 1U);
  ASSERT_EQ(sweep[0].bands.size(), 1U);  // neither an unlifted arm nor rates are there
  EXPECT_EQ(sweep[0].bands[0].x, vector({0.1, 0.3}));
  EXPECT_NEAR(sweep[0].bands[0].mean[1], 0.31, 1e-12);

  EXPECT_TRUE(curves_of(results, "C21").empty());
  EXPECT_TRUE(curves_of({}, "C3").empty());
}

TEST(ClaimFigures, PicturesShowEverySeedAndWhatIsAskedFor) {
  const ResultSet results = some_results();
  const std::vector<ClaimResult> judged = judge_claims(results);
  const auto c3 = std::find_if(judged.begin(), judged.end(), [](const auto& one) { return one.claim.id == "C3"; });
  ASSERT_EQ(c3->tasks.size(), 4U);
  EXPECT_EQ(c3->tasks[0].values, vector({-2, -1.99, -1.98}));
  EXPECT_DOUBLE_EQ(c3->tasks[0].accepted.low, -2.2);
  EXPECT_DOUBLE_EQ(c3->tasks[1].accepted.high, 1.25);

  const std::vector<ClaimFigure> figures = claim_figures(results, judged);
  std::map<std::string, std::string> by_name;
  for (const ClaimFigure& one : figures) {
    const std::string svg = gnuplot_file(one.figure, "svg");
    EXPECT_TRUE(by_name.emplace(one.figure.name, svg).second) << one.figure.name;
    EXPECT_NE(svg.find("</svg>"), std::string::npos);
  }
  // Slopes about -2 and regressions about 1 have axes of their own.
  for (const char* name : {"claim-C3", "claim-C3-2", "claim-C3-curve-1", "claim-C3-curve-2"}) {
    EXPECT_TRUE(by_name.contains(name)) << name;
  }
  EXPECT_NE(by_name["claim-C3"].find("score_norm_exact slope of oracle"), std::string::npos);
  EXPECT_NE(by_name["claim-C3"].find("rgb( 18, 160, 122)"), std::string::npos);  // the region that is asked for
  EXPECT_FALSE(by_name.contains("claim-C20"));

  const std::string page = claims_html(judged, figures);
  EXPECT_NE(page.find("id=\"claim-C3\""), std::string::npos);
  EXPECT_NE(page.find("0.75 … 1.25"), std::string::npos);
  EXPECT_NE(page.find("id=\"claim-C3-"), std::string::npos);
  EXPECT_EQ(claims_html(judged).find("<svg"), std::string::npos);
}

TEST(ClaimTable, ShowsEveryClaimWithItsVerdictAndItsRule) {
  const std::vector<ClaimResult> all = judge_claims(some_results());
  for (const std::string& text : {claims_terminal(all), claims_markdown(all), claims_html(all)}) {
    for (const ClaimResult& result : all) EXPECT_NE(text.find(result.claim.id), std::string::npos);
    EXPECT_NE(text.find("inconclusive"), std::string::npos);
    EXPECT_NE(text.find("not tested"), std::string::npos);
    EXPECT_NE(text.find("1e-10"), std::string::npos);  // of the rule of C1: rules stand beside verdicts
  }
  EXPECT_EQ(claims_html(all).find("<= reconstruction"), std::string::npos);  // escaped
}

}  // namespace
}  // namespace onmanifold
