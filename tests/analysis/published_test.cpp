// SPDX-License-Identifier: Apache-2.0
#include "analysis/published.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/latex_report.hpp"
#include "reports/markdown_report.hpp"
#include "reports/terminal_report.hpp"
#include "tests/support/made_method.hpp"
#include "tests/support/made_report.hpp"

namespace onmanifold {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr double rotation_shift = 1.0397207708399179;  // 1.5 log 2
constexpr const char* intrinsic = R"({"measure":"volume of the manifold"})";

// Likelihoods of one method by seed; the published rows are those of the mixtures with 16 modes.
ResultSet likelihoods(const std::string& method, const std::vector<double>& values, const std::string& lift = "none",
                      const char* parameters = intrinsic) {
  TaskResult task;
  task.name = "so3-mixture16";
  task.file = TaskFile{};
  task.file->name = task.name;
  task.file->details = Value::Table{
      {"published",
       Value::Array{
           Value::Table{
               {"metric", "nll"}, {"method", "Moser Flow"}, {"value", -0.85}, {"spread", 0.03}, {"source", "key"}},
           Value::Table{{"metric", "nll"}, {"method", "RSGM"}, {"value", -0.89}, {"spread", 0.03}, {"source", "key"}}}},
      {"published_note", "they are with respect to rotation vectors"}};
  for (std::size_t seed = 0; seed < values.size(); ++seed) {
    CellResult cell;
    cell.key = {.task = task.name, .method = "label", .lift = lift, .seed = static_cast<int>(seed)};
    cell.head.method = made_method(method, lift);
    cell.has_metrics = !std::isnan(values[seed]);
    if (!cell.has_metrics) cell.problem = "failed: x";
    MetricRecord record;
    record.name = "nll";
    record.value = values[seed];
    record.direction = Direction::lower;
    record.parameters = parameters;
    record.se = 0.01;
    if (cell.has_metrics) cell.raw = {record};
    task.cells.push_back(cell);
  }
  return {.directory = "", .tasks = {task}};
}

std::vector<PublishedComparison> compare(const ResultSet& results) {
  std::vector<TaskSummary> summaries;
  for (const TaskResult& task : results.tasks) summaries.push_back(summarise(task));
  return compare_published(results, summaries);
}

TEST(Published, TheSameMethodInTheMeasureOfThePaper) {
  // Mean .15, sd .02 in our measure; -.8897 in theirs.
  const auto found = compare(likelihoods("rsgm", {0.13, 0.15, 0.17}));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].published_method, "RSGM");
  EXPECT_EQ(found[0].method, "label");
  EXPECT_EQ(found[0].n, 3);
  EXPECT_NEAR(found[0].ours, 0.15 - rotation_shift, 1e-12);
  EXPECT_NEAR(found[0].sd, 0.02, 1e-12);
  EXPECT_NEAR(found[0].difference, 0.15 - rotation_shift + 0.89, 1e-12);
  EXPECT_NEAR(found[0].tolerance, 2 * std::sqrt(0.03 * 0.03 + 0.02 * 0.02 + 0.04 * 0.04), 1e-12);
  EXPECT_EQ(found[0].within, true);
  EXPECT_NEAR(rotation_shift, 1.5 * std::log(2.0), 1e-15);
}

TEST(Published, ADifferenceBeyondTheToleranceIsSaidSo) {
  // .12 above the published number, tolerance .108.
  const auto found = compare(likelihoods("rsgm", {0.25, 0.27, 0.29}));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].within, false);
  const auto table = published_table(found);
  ASSERT_TRUE(table.has_value());
  const std::string text = render_markdown(*table);
  EXPECT_THAT(text, testing::HasSubstr(
                        "| Task | Metric | n | method | published | ours † | difference | tolerance | within |"));
  EXPECT_THAT(text,
              testing::HasSubstr(
                  "| so3-mixture16 | nll | 3 | RSGM (key) | -0.89 ± 0.03 | -0.770 ± 0.020 | +0.12 | 0.11 | no |"));
  EXPECT_THAT(text,
              testing::HasSubstr("- † so3-mixture16: they are with respect to rotation vectors; ours is 1.0397 lower"));
  EXPECT_THAT(render_latex(*table, "published"), testing::HasSubstr("$-$0.89 & \\,$\\pm$\\,0.03"));
}

TEST(Published, OtherDataAreNotComparable) {
  // The same numbers as above, of a task that says that its data are too different.
  ResultSet results = likelihoods("rsgm", {0.13, 0.15, 0.17});
  auto& details = results.tasks[0].file->details;
  Value::Table table = *details.get_if<Value::Table>();
  table["published_comparable"] = false;
  Value::Table row = *(*table["published"].get_if<Value::Array>())[1].get_if<Value::Table>();
  row["verified"] = false;
  table["published"] = Value::Array{row};
  details = table;
  const auto found = compare(results);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].within, std::nullopt);
  EXPECT_THAT(render_markdown(*published_table(found)),
              testing::AllOf(testing::HasSubstr("RSGM (key, unverified)"), testing::HasSubstr("| not comparable |")));
}

TEST(Published, OneSeedHasItsEvaluationErrorForASpread) {
  const auto found = compare(likelihoods("rsgm", {0.15}));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(std::isnan(found[0].sd));
  EXPECT_NEAR(found[0].tolerance, 2 * std::sqrt(0.03 * 0.03 + 0.01 * 0.01 + 0.04 * 0.04), 1e-12);
}

TEST(Published, NothingIsComparedThatIsNotTheSame) {
  EXPECT_TRUE(compare(likelihoods("riemannian_flow_matching", {0.15, 0.16})).empty());  // another method
  EXPECT_TRUE(compare(likelihoods("rsgm", {0.15, 0.16}, "normal")).empty());            // lifted data
  EXPECT_TRUE(compare(likelihoods("rsgm", {0.15, nan_value})).empty());                 // a mean over survivors
  EXPECT_TRUE(
      compare(likelihoods("rsgm", {0.15, 0.16}, "none", R"({"measure":"volume of the ambient space"})")).empty());
  ResultSet other = likelihoods("rsgm", {0.15, 0.16});
  other.tasks[0].name = "torus-vm";  // no rule for its measure
  EXPECT_TRUE(compare(other).empty());
  other = likelihoods("rsgm", {0.15, 0.16});
  other.tasks[0].file.reset();
  EXPECT_TRUE(compare(other).empty());
  EXPECT_FALSE(published_table({}).has_value());
}

TEST(Published, StandsInTheReportsOnlyWhereThereIsACounterpart) {
  const MadeReport with(likelihoods("rsgm", {0.13, 0.15, 0.17}));
  const MadeReport without(likelihoods("vae", {0.13, 0.15, 0.17}));
  for (const auto& report :
       {markdown_report(with.report), terminal_report(with.report, false), latex_report(with.report)}) {
    EXPECT_THAT(report, testing::HasSubstr("Published and ours"));
  }
  for (const auto& report :
       {markdown_report(without.report), terminal_report(without.report, false), latex_report(without.report)}) {
    EXPECT_THAT(report, testing::Not(testing::HasSubstr("Published and ours")));
    EXPECT_THAT(report, testing::HasSubstr("as published, not computed here"));
  }
}

}  // namespace
}  // namespace onmanifold
