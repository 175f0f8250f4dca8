// SPDX-License-Identifier: Apache-2.0
#include "results/result_set.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/temporary_directory.hpp"
#include "reports/csv_report.hpp"
#include "reports/report.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/made_report.hpp"
#include "tests/support/synthetic_results.hpp"

namespace onmanifold {
namespace {

const SyntheticResults small = {.seeds = 2, .samples = 20, .reference = 20, .mesh_resolution = 6};

const CellResult& cell(const ResultSet& results, const std::string& key) {
  for (const TaskResult& task : results.tasks) {
    for (const CellResult& candidate : task.cells) {
      if (candidate.key.text() == key) return candidate;
    }
  }
  throw std::runtime_error("no cell " + key);
}

TEST(LoadResults, FailedAndUnfinishedCellsAreRows) {
  const TemporaryDirectory directory;
  SyntheticResults options = small;
  options.seeds = 3;
  write_synthetic_results(directory.path(), options);
  const ResultSet results = load_results(directory.path());
  ASSERT_EQ(results.tasks.size(), 3U);
  EXPECT_EQ(results.tasks[0].name, "synthetic-mesh");
  EXPECT_TRUE(results.tasks[0].file.has_value());
  EXPECT_EQ(results.tasks[0].cells.size(), 27U);
  const CellResult& failed = cell(results, "synthetic-sphere/ddpm/none/seed-1");
  EXPECT_EQ(failed.head.status.state, CellState::diverged);
  EXPECT_EQ(failed.problem, std::string("diverged: ") + synthetic_failure);
  const CellResult& unfinished = cell(results, "synthetic-mesh/ddpm/isotropic-0.1/seed-2");
  EXPECT_FALSE(unfinished.has_metrics);
  EXPECT_NE(unfinished.problem.find("no metrics file"), std::string::npos);
  EXPECT_TRUE(cell(results, "synthetic-mesh/oracle/none/seed-0").problem.empty());
}

TEST(LoadResults, BrokenFilesAreRowsToo) {
  const TemporaryDirectory directory;
  write_synthetic_results(directory.path(), small);
  for (const char* name : {"synthetic-plane/oracle/none/seed-0.h5", "synthetic-plane/oracle/none/seed-1.metrics.h5",
                           "synthetic-plane/task.h5"}) {
    std::ofstream(directory.file(name), std::ios::trunc) << "no HDF5";
  }
  const ResultSet results = load_results(directory.path());
  EXPECT_EQ(cell(results, "synthetic-plane/oracle/none/seed-0").problem.find("unreadable: "), 0U);
  EXPECT_EQ(cell(results, "synthetic-plane/oracle/none/seed-1").problem.find("unreadable metrics"), 0U);
  EXPECT_FALSE(results.tasks[1].file.has_value());
  EXPECT_FALSE(results.tasks[1].problem.empty());
}

TEST(LoadResults, MissingAndEmptyDirectoriesAreBadInput) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(
      throws_message<InvalidInput>([&] { (void)load_results(directory.path()); }, {directory.path(), "no results"}));
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)load_results(directory.file("none")); }, {"none"}));
}

TEST(FindValue, FollowsAPath) {
  const Value value = Value::Table{{"lift", Value::Table{{"sigma", 0.1}, {"name", "x"}}}, {"n", 3}};
  EXPECT_EQ(find_number(value, "lift.sigma"), 0.1);
  EXPECT_EQ(find_number(value, "n"), 3.0);
  EXPECT_EQ(find_text(value, "lift.name"), "x");
  EXPECT_TRUE(std::isnan(find_number(value, "lift.none")));
  EXPECT_TRUE(std::isnan(find_number(value, "n.sigma")));
  EXPECT_EQ(find_text(value, "n"), "");
}

// A reader of RFC 4180 for the test.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      rows.back().back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      rows.back().emplace_back();
    } else if (!quoted && c == '\n') {
      rows.emplace_back(1);
    } else {
      rows.back().back() += c;
    }
  }
  rows.pop_back();
  return rows;
}

TEST(CsvReport, ReadsBackExactly) {
  const TemporaryDirectory directory;
  write_synthetic_results(directory.path(), small);
  const ResultSet results = load_results(directory.path());
  const auto rows = parse_csv(csv_report(results));
  ASSERT_EQ(rows[0].size(), 20U);
  EXPECT_EQ(rows[0][7], "value");
  std::size_t next = 1;
  std::size_t failed = 0;
  for (const TaskResult& task : results.tasks) {
    for (const CellResult& c : task.cells) {
      if (!c.problem.empty()) {
        ASSERT_EQ(rows[next].size(), 20U);
        EXPECT_EQ(rows[next][19], c.problem);
        EXPECT_EQ(rows[next][7], "nan");
        ++next;
        ++failed;
        continue;
      }
      for (const auto* records : {&c.raw, &c.projected}) {
        for (const MetricRecord& r : *records) {
          ASSERT_LT(next, rows.size());
          const std::vector<std::string>& row = rows[next++];
          ASSERT_EQ(row.size(), 20U);
          EXPECT_EQ(row[0] + "/" + row[2] + "/" + row[3] + "/seed-" + row[4], c.key.text());
          EXPECT_EQ(row[5], records == &c.raw ? "raw" : "projected");
          EXPECT_EQ(row[6], r.name);
          EXPECT_EQ(std::stod(row[7]), r.value);
          EXPECT_EQ(std::stod(row[9]), r.null);
          EXPECT_EQ(row[15], r.parameters);
          EXPECT_EQ(row[19], r.status.text());
        }
      }
    }
  }
  EXPECT_EQ(next, rows.size());
  EXPECT_EQ(failed, 1U);
}

TEST(WriteReports, WritesEachFormatAndRefusesUnknownOnes) {
  const TemporaryDirectory directory;
  write_synthetic_results(directory.file("in"), small);
  EXPECT_TRUE(throws_message<InvalidInput>(
      [&] {
        write_reports(MadeReport(load_results(directory.file("in"))).report, directory.file("out"), {"csv", "pdf"});
      },
      {"'pdf'", "html, md, csv, tex"}));
  EXPECT_FALSE(std::filesystem::exists(directory.file("out")));
  const std::vector<std::string> paths =
      write_reports(MadeReport(load_results(directory.file("in"))).report, directory.file("out"), {"md", "csv"});
  ASSERT_EQ(paths.size(), 2U);
  EXPECT_EQ(paths[0], directory.file("out/report.md"));
  EXPECT_EQ(read_file(paths[1]), csv_report(load_results(directory.file("in"))));
}

}  // namespace
}  // namespace onmanifold
