// SPDX-License-Identifier: Apache-2.0
// Reports of one small set of results, letter by letter: tests/golden/reports/report.{txt,md,csv,tex}. After
// a wanted change of a format run this test once with ONMANIFOLD_UPDATE_GOLDEN=1, which writes the files, and
// read their diff.

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "reports/csv_report.hpp"
#include "reports/latex_report.hpp"
#include "reports/markdown_report.hpp"
#include "reports/terminal_report.hpp"
#include "tests/support/made_report.hpp"
#include "tests/support/report_fixture.hpp"

namespace onmanifold {
namespace {

std::string render(const std::string& format, const ResultSet& results) {
  const MadeReport made(results);
  if (format == "txt") return terminal_report(made.report, false);
  if (format == "md") return markdown_report(made.report);
  if (format == "csv") return csv_report(results);
  return latex_report(made.report);
}

class GoldenReport : public testing::TestWithParam<std::string> {};

TEST_P(GoldenReport, IsTheSameLetterByLetter) {
  const std::string path = ONMANIFOLD_SOURCE_DIR "/tests/golden/reports/report." + GetParam();
  const std::string text = render(GetParam(), report_fixture());
  if (std::getenv("ONMANIFOLD_UPDATE_GOLDEN") != nullptr) {  // NOLINT(concurrency-mt-unsafe)
    std::ofstream(path, std::ios::binary) << text;
    GTEST_SKIP() << "written: " << path;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  const std::string golden((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text, golden) << "wanted? Run with ONMANIFOLD_UPDATE_GOLDEN=1 and read the diff of tests/golden/reports";
}

// The comparison is worth something only if a number that changes is seen.
TEST_P(GoldenReport, OneChangedNumberIsSeen) {
  const std::string before = render(GetParam(), report_fixture());
  ResultSet changed = report_fixture();
  changed.tasks[1].cells[2].projected[0].value += 0.01;
  EXPECT_NE(render(GetParam(), changed), before);
  ResultSet failed = report_fixture();
  failed.tasks[0].cells[0].problem = "failed: other";
  EXPECT_NE(render(GetParam(), failed), before);
}

INSTANTIATE_TEST_SUITE_P(Formats, GoldenReport, testing::Values("txt", "md", "csv", "tex"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace onmanifold
