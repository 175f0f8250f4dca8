// SPDX-License-Identifier: Apache-2.0
#include "reports/html_report.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "reports/assets.hpp"
#include "reports/gnuplot.hpp"
#include "reports/html_table.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/made_report.hpp"
#include "tests/support/report_fixture.hpp"
#include "tests/support/synthetic_results.hpp"

namespace onmanifold {
namespace {

std::string page_of(const SyntheticResults& options) {
  const TemporaryDirectory directory;
  write_synthetic_results(directory.path(), options);
  return html_report(MadeReport(load_results(directory.path())).report);
}

const std::string& small_page() {
  static const std::string page = page_of({.seeds = 3, .samples = 30, .reference = 30, .mesh_resolution = 6});
  return page;
}

// Everything but three.js, which is code of others and never asked to load anything.
std::string without_three(std::string page) {
  for (const std::string_view script : {asset("three.js"), asset("orbit.js")}) {
    const std::size_t at = page.find(script);
    if (at != std::string::npos) page.erase(at, script.size());
  }
  return page;
}

// Addresses on the network that are not the name of an XML namespace: two slashes before a name with a dot in
// it.
std::vector<std::string> network_addresses(const std::string& page) {
  std::vector<std::string> found;
  for (std::size_t at = page.find("//"); at != std::string::npos; at = page.find("//", at + 2)) {
    const std::size_t end = page.find_first_of("/\"' \n\t<>()&;", at + 2);
    const std::string host = page.substr(at + 2, end - at - 2);
    if (host.find('.') != std::string::npos && host != "www.w3.org") found.push_back(host);
  }
  return found;
}

TEST(HtmlReport, LoadsNothingFromTheNetwork) {
  std::string page = without_three(small_page());
  EXPECT_LT(page.size() + 500000, small_page().size());
  // Base64 may hold two slashes by chance.
  for (std::size_t at = page.find("base64,"); at != std::string::npos; at = page.find("base64,", at + 1)) {
    page.erase(at, page.find('"', at) - at);
  }
  for (std::size_t at = page.find("<script type=\"application/json\""); at != std::string::npos;
       at = page.find("<script type=\"application/json\"", at)) {
    page.erase(at, page.find("</script>", at) - at);
  }
  EXPECT_TRUE(network_addresses(page).empty()) << network_addresses(page).front();
  EXPECT_EQ(page.find("@import"), std::string::npos);
  EXPECT_EQ(page.find("<link"), std::string::npos);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  // The check sees what it should.
  EXPECT_EQ(network_addresses("<img src=\"https://example.org/x.png\">").size(), 1U);
  EXPECT_EQ(network_addresses("<script src='//example.org/x.js'>").size(), 1U);
}

TEST(HtmlReport, EscapesWhatComesFromFiles) {
  EXPECT_EQ(small_page().find("<script>alert"), std::string::npos);
  EXPECT_NE(small_page().find("&lt;script&gt;alert(&quot;a|b&quot;)&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(small_page().find("&lt;made up&gt;"), std::string::npos);
  EXPECT_NE(small_page().find("Example CPU &lt;4 cores&gt;"), std::string::npos);
}

TEST(HtmlReport, ShowsFailuresProvenanceAndWhatItAllows) {
  for (const char* part : {"2 of 81 cells have no result", "synthetic-sphere/ddpm/none/seed-1", "demonstration",
                           "perfect model", "0123456789abcdef", "onmanifold run quick", "download=\"report.csv.gz\"",
                           "id=\"scene-2\"", "prefers-color-scheme: dark", "The MIT License"}) {
    EXPECT_NE(small_page().find(part), std::string::npos) << part;
  }
}

TEST(HtmlReport, ScriptsAndIdsAreSound) {
  const auto count = [](const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count(small_page(), "<script"), count(small_page(), "</script>"));
  EXPECT_EQ(count(small_page(), "<table"), count(small_page(), "</table>"));
  const std::string page = without_three(small_page());
  const std::regex id(R"re(\sid=["']([^"']+)["'])re");
  std::set<std::string> ids;
  for (std::sregex_iterator it(page.begin(), page.end(), id); it != std::sregex_iterator(); ++it) {
    EXPECT_TRUE(ids.insert((*it)[1]).second) << "twice: " << (*it)[1];
  }
}

TEST(HtmlReport, AFullSuiteStaysBelowFiveMegabytes) {
  // As many points and arms as suite quick has; the mesh has 72,200 faces.
  const std::string page = page_of({.seeds = 1, .samples = 2000, .reference = 2000, .mesh_resolution = 190});
  EXPECT_LT(page.size(), 5'000'000U);
}

TEST(HtmlReport, IsAFunctionOfTheFiles) {
  const TemporaryDirectory directory;
  write_synthetic_results(directory.path(), {.seeds = 1, .samples = 10, .reference = 10, .mesh_resolution = 5});
  const ResultSet results = load_results(directory.path());
  EXPECT_EQ(html_report(MadeReport(results).report), html_report(MadeReport(results).report));
}

TEST(HtmlReport, WorksWithAlmostNothing) {
  ResultSet results;
  results.tasks.resize(1);
  results.tasks[0].name = "t";
  results.tasks[0].problem = "no task.h5";
  CellResult cell;
  cell.key = {.task = "t", .method = "m", .lift = "none", .seed = 0};
  cell.head.status = {CellState::failed, "nothing"};
  cell.problem = "failed: nothing";
  results.tasks[0].cells.push_back(cell);
  const std::string page = html_report(MadeReport(results).report);
  EXPECT_NE(page.find("No picture of samples: no task.h5"), std::string::npos);
  EXPECT_NE(page.find("No metric has been computed"), std::string::npos);
  EXPECT_EQ(page.find("THREE"), std::string::npos);  // no view, no three.js
}

// The words and tables of a page, without what gnuplot draws (which changes with its version) and packed
// downloads.
std::string main_part(const ResultSet& results) {
  MadeReport made(results);
  made.report.metric_descriptions["tvd"] = "total variation distance of histograms";
  std::string page = html_report(made.report);
  page.erase(0, page.find("<main"));
  page.erase(page.find("<section id=\"provenance\">"));
  const std::size_t downloads = page.find("<nav class=\"folds\"");
  page.erase(downloads, page.find("</nav>", downloads) - downloads);
  for (std::size_t at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at + 1)) {
    page.replace(at, page.find("</svg>", at) + 6 - at, "<svg/>");
  }
  return page;
}

// After a wanted change run once with ONMANIFOLD_UPDATE_GOLDEN=1, which writes the file, and read its diff.
TEST(HtmlReport, TheMainPartIsTheSameLetterByLetter) {
  const std::string path = ONMANIFOLD_SOURCE_DIR "/tests/golden/reports/main.html";
  const std::string text = main_part(report_fixture());
  if (std::getenv("ONMANIFOLD_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    GTEST_SKIP() << "written: " << path;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  const std::string golden((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text, golden) << "wanted? Run with ONMANIFOLD_UPDATE_GOLDEN=1 and read the diff of tests/golden/reports";
  // One changed number is seen.
  ResultSet changed = report_fixture();
  changed.tasks[1].cells[2].projected[0].value += 0.01;
  EXPECT_NE(main_part(changed), golden);
}

TEST(HtmlReport, MetricsLeadToTheirDefinitions) {
  MadeReport made(report_fixture());
  made.report.metric_descriptions["tvd"] = "a <described> metric";
  const std::string page = html_report(made.report);
  EXPECT_NE(page.find("<a href=\"#def-tvd\">tvd</a>"), std::string::npos);
  EXPECT_NE(page.find("<div id=\"def-tvd\""), std::string::npos);
  EXPECT_NE(page.find("a &lt;described&gt; metric"), std::string::npos);
  EXPECT_EQ(definition_id("a b"), "def-a-20b");
}

TEST(HtmlReport, DownloadsArePackedWhereTheyAreLarge) {
  const std::string small = download_link("a & b", "x.csv", "text/csv", "1,2\n", 1000);
  EXPECT_NE(small.find("href=\"data:text/csv;base64,MSwyCg==\""), std::string::npos) << small;
  EXPECT_NE(small.find("a &amp; b"), std::string::npos);
  EXPECT_EQ(small.find("data-packed"), std::string::npos);
  const std::string large = download_link("a", "x.csv", "text/csv", std::string(200000, '7'), 10000);
  EXPECT_NE(large.find("download=\"x.csv.gz\""), std::string::npos);
  EXPECT_LT(large.size(), 2000U);
  EXPECT_EQ(download_link("a", "x.csv", "text/csv", "1,2\n", 4), "");
  EXPECT_EQ(gzip("abc"), gzip("abc"));
  EXPECT_EQ(gzip("abc").substr(0, 2), "\x1f\x8b");
}

TEST(Gnuplot, AMissingProgramNamesItsPackageAndThePageSaysSo) {
  const std::string path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  EXPECT_TRUE(throws_message<IoError>([] { (void)gnuplot_svg("plot 1", 100, 100, "a", "t"); }, {"gnuplot-nox"}));
  const std::string page = page_of({.seeds = 1, .samples = 5, .reference = 5, .mesh_resolution = 4});
  setenv("PATH", path.c_str(), 1);
  EXPECT_NE(page.find("Figure left out"), std::string::npos);
  EXPECT_NE(page.find("gnuplot-nox"), std::string::npos);
}

TEST(Gnuplot, BlackBecomesTheColourOfThePageAndIdsAreItsOwn) {
  const std::string svg =
      gnuplot_svg("set tics textcolor rgb 'black'\nplot '-' with points pt 2 lc rgb 'black'\n1 1\n2 2\ne\n", 200, 100,
                  "fig7", "a <title>");
  EXPECT_EQ(svg.find("<svg"), 0U);
  EXPECT_EQ(svg.find("'black'"), std::string::npos);
  EXPECT_EQ(svg.find("\"black\""), std::string::npos);
  EXPECT_EQ(svg.find("rgb(0,0,0)"), std::string::npos);
  EXPECT_NE(svg.find("currentColor"), std::string::npos);
  EXPECT_NE(svg.find("id='fig7-gpPt1'"), std::string::npos);
  EXPECT_NE(svg.find("href='#fig7-gpPt1'"), std::string::npos);
  EXPECT_NE(svg.find("<title>a &lt;title&gt;</title>"), std::string::npos);
}

TEST(Gnuplot, AFailureCarriesItsMessage) {
  EXPECT_TRUE(
      throws_message<IoError>([] { (void)gnuplot_svg("plot nonsense(\n", 100, 100, "a", "t"); }, {"gnuplot failed"}));
}

}  // namespace
}  // namespace onmanifold
