// SPDX-License-Identifier: Apache-2.0
#include "reports/latex_report.hpp"

#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "reports/report.hpp"
#include "reports/tables.hpp"
#include "reports/text_format.hpp"
#include "tests/support/command.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/made_report.hpp"
#include "tests/support/report_fixture.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// One metric, one text; two learners between an oracle and a perfect model.
Table small_table() {
  Table table;
  table.title = "sphere_x";
  table.description = "A law, 5 % of it";
  TableColumn tvd;
  tvd.name = "tvd";
  tvd.samples = SampleKind::projected;
  tvd.direction = Direction::lower;
  TableColumn place;
  place.name = "place";
  table.columns = {tvd, place};
  const auto row = [&](const char* method, const char* lift, RowGroup group, Measured value, const char* text) {
    TableRow made;
    made.name = method;
    made.lift = lift;
    made.n_ok = made.n_cells = 3;
    made.group = group;
    made.cells = {number_cell(value), word_cell(text)};
    table.rows.push_back(made);
  };
  row("oracle", "", RowGroup::oracle, {0.05, 0.0014}, "");
  row("ddpm", "normal", RowGroup::learner, {0.065, 0.0071}, "here");
  table.rows.back().cells[0].best = true;
  table.rows.back().cells[0].at_floor = true;
  row("ddpm", "none", RowGroup::learner, {-1.2e-5, 3e-6}, "[there]");
  table.rows.back().cells[0].second = true;
  row("vae", "none", RowGroup::learner, {}, "");
  row("perfect model", "", RowGroup::null, {0.05}, "");
  table.footnotes = {{"bins 288"}, {"a_cell: failed", true}};
  return table;
}

TEST(RenderLatex, Golden) {
  EXPECT_EQ(render_latex(small_table(), "sphere_x"), R"(\begin{table}
\centering\footnotesize\setlength{\tabcolsep}{4pt}
\caption{sphere\_x. A law, 5 \% of it.}
\label{tab:sphere-x}
\begin{tabular}{@{}llr@{}ll@{}}
\toprule
 & & \multicolumn{2}{c}{tvd} & \\
Method & Lift & \multicolumn{2}{c}{projected $\downarrow$} & \multicolumn{1}{l@{}}{place} \\
\midrule
\emph{oracle} &  & 0.0500 & \,$\pm$\,0.0014 &  \\
\midrule
ddpm & normal & \textbf{0.0650} & \,$\pm$\,\textbf{0.0071}\,$\cdot$ & here \\
ddpm & none & \underline{$-$1.20$\cdot$10$^{-5}$} & \,$\pm$\,\underline{3.0$\cdot$10$^{-6}$} & {[}there] \\
vae & none & --- & &  \\
\midrule
\emph{perfect model} &  & 0.05000 & &  \\
\bottomrule
\end{tabular}
\par\smallskip
{\scriptsize\raggedright
bins 288\par
$\times$ a\_cell: failed\par}
\end{table}
)");
}

TEST(RenderLatex, SeedsHaveAColumnWhereTheyDiffer) {
  Table table = small_table();
  table.equal_seeds = false;
  table.rows[1].n_ok = 2;
  const std::string text = render_latex(table, "t");
  EXPECT_THAT(text, HasSubstr("& $n$ &"));
  EXPECT_THAT(text, HasSubstr("ddpm & normal & 2/3 &"));
  EXPECT_THAT(render_latex(small_table(), "t"), Not(HasSubstr("$n$")));
}

TEST(RenderLatex, WideTablesAreBrokenAndLongOnesContinued) {
  Table table = small_table();
  while (table.columns.size() < 12) {
    table.columns.push_back(table.columns[0]);
    for (TableRow& row : table.rows) row.cells.push_back(row.cells[0]);
  }
  const auto count = [](const std::string& text, const std::string& part) {
    int n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
  };
  std::string text = render_latex(table, "t");
  EXPECT_GE(count(text, "\\begin{tabular}"), 2);
  EXPECT_EQ(count(text, "\\begin{table}"), 1);
  EXPECT_EQ(count(text, "\\begin{tabular}"), count(text, "\n\\emph{oracle}"));
  while (table.rows.size() < 40) table.rows.insert(table.rows.begin() + 1, table.rows[1]);
  text = render_latex(table, "t");
  EXPECT_GE(count(text, "\\begin{table}"), 2);
  EXPECT_EQ(count(text, "\\label"), 1);
  EXPECT_EQ(count(text, "bins 288"), 1);
  EXPECT_THAT(text, HasSubstr("(continued)"));
}

TEST(RenderLatex, LongListsOfFailuresAreCut) {
  Table table = small_table();
  for (int i = 0; i < 20; ++i) table.footnotes.emplace_back(fmt::format("cell {}", i), true);
  const std::string text = render_latex(table, "t");
  EXPECT_THAT(text, HasSubstr("cell 4\\par"));
  EXPECT_THAT(text, Not(HasSubstr("cell 5")));
  EXPECT_THAT(text, HasSubstr("and 15 more"));
}

TEST(LatexName, IsSafeForLabelsAndFiles) {
  EXPECT_EQ(latex_name("sphere_vmf6"), "sphere-vmf6");
  EXPECT_EQ(latex_name("../a b/ü"), "-a-b---");
  EXPECT_EQ(latex_name(""), "table");
  EXPECT_EQ(latex_name("..."), "table");
}

TEST(LatexReport, HasEveryTableBetweenItsMarks) {
  const MadeReport made(report_fixture());
  const std::string report = latex_report(made.report);
  std::set<std::string> names;
  for (const auto& [name, text] : latex_tables(made.report)) {
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_THAT(report, HasSubstr(fmt::format("% begin table {}\n{}% end table {}\n", name, text, name)));
  }
  EXPECT_TRUE(names.contains("overview") && names.contains("ranking") && names.contains("lift-effect") &&
              names.contains("plane-x") && names.contains("sphere-y") && names.contains("plane-x-score-norm"));
  for (const char c : report) ASSERT_TRUE(c == '\n' || (c >= ' ' && c < 0x7F)) << static_cast<int>(c);
  // Two tasks whose names differ in what a label cannot have.
  ResultSet twins;
  twins.tasks.resize(2);
  twins.tasks[0].name = "a_b";
  twins.tasks[1].name = "a-b";
  const auto tables = latex_tables(MadeReport(twins).report);
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0].first, "a-b");
  EXPECT_EQ(tables[1].first, "a-b-2");
}

TEST(LatexReport, IsWrittenWithAFileForEachTable) {
  const TemporaryDirectory directory;
  const auto paths = write_reports(MadeReport(report_fixture()).report, directory.file("out"), {"tex"});
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_TRUE(paths[0].ends_with("report.tex"));
  for (const char* name : {"overview", "ranking", "plane-x"}) {
    std::ifstream file(directory.file(fmt::format("out/tables/{}.tex", name)));
    std::string line;
    ASSERT_TRUE(std::getline(file, line)) << name;
    EXPECT_EQ(line, "\\begin{table}");
  }
}

// --- what pdflatex says

bool has_pdflatex() {
  return run_command_line("command -v pdflatex && kpsewhich booktabs.sty float.sty longtable.sty").exit_code == 0;
}

// Errors, boxes that are too wide and fonts of pixels, line by line; empty if the document is fine.
std::string complaints(const std::string& document) {
  const TemporaryDirectory directory;
  std::ofstream(directory.file("report.tex"), std::ios::binary) << document;
  const CommandResult run = run_command_line(
      fmt::format("cd '{}' && pdflatex -interaction=nonstopmode -halt-on-error report.tex", directory.path()));
  std::ifstream file(directory.file("report.log"), std::ios::binary);
  std::string found = run.exit_code == 0 ? "" : "pdflatex failed\n";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("!") || line.starts_with("Overfull") || line.find("Missing character") != std::string::npos ||
        line.find("pk>") != std::string::npos) {
      found += line + "\n";
    }
  }
  if (!std::filesystem::exists(directory.file("report.pdf"))) found += "no PDF\n";
  return found;
}

TEST(Pdflatex, CompilesTheReportWithoutAWord) {
  if (!has_pdflatex()) GTEST_SKIP() << "no pdflatex with booktabs and float";
  EXPECT_EQ(complaints(latex_report(MadeReport(report_fixture()).report)), "");
}

TEST(Pdflatex, PrintsEveryCharacter) {
  if (!has_pdflatex()) GTEST_SKIP() << "no pdflatex with booktabs and float";
  std::string text = "\\documentclass{article}\n\\begin{document}\n\\raggedright\n";
  for (std::uint32_t code = 0x20; code < 0x2800; ++code) {
    std::string letter;
    if (code < 0x80) {
      letter = std::string(1, static_cast<char>(code));
    } else if (code < 0x800) {
      letter = {static_cast<char>(0xC0U | code >> 6U), static_cast<char>(0x80U | (code & 0x3FU))};
    } else {
      letter = {static_cast<char>(0xE0U | code >> 12U), static_cast<char>(0x80U | (code >> 6U & 0x3FU)),
                static_cast<char>(0x80U | (code & 0x3FU))};
    }
    const std::string escaped = escape_latex(letter);
    if (!escaped.starts_with("U+")) text += escaped + "\n";
  }
  EXPECT_EQ(complaints(text + "\\end{document}\n"), "");
}

// A table as an author would \\input it, in the widths of two classes: at four sizes of a column without a box that is
// too wide.
TEST(Pdflatex, PaperTablesFitTheirColumns) {
  if (!has_pdflatex()) GTEST_SKIP() << "no pdflatex with booktabs and float";
  const MadeReport made(report_fixture());
  const std::optional<Table> matrix = matrix_table(made.analysis);
  ASSERT_TRUE(matrix);
  const Table method = method_table(made.analysis, "ddpm normal");
  struct Page {
    const char* head;
    LatexStyle style;
  };
  const std::vector<Page> pages = {
      {"\\documentclass{article}", {.width = 4.7, .one_name = true}},
      {"\\documentclass[twocolumn]{article}", {.width = 3.17, .notes = false, .one_name = true}},
      {"\\documentclass[twocolumn]{article}", {.width = 6.4, .spanning = true, .one_name = true}},
      {"\\documentclass{article}\\setlength{\\textwidth}{5.5in}\\setlength{\\columnwidth}{5.5in}",
       {.width = 5.5, .one_name = true}},
      {"\\documentclass{article}\\setlength{\\textwidth}{3.25in}\\setlength{\\columnwidth}{3.25in}",
       {.width = 3.25, .one_name = true, .symbols = {{"tvd", "TVD"}, {"coverage", "κ in R³"}}}}};
  for (const Page& page : pages) {
    for (const Table* table : {&*matrix, &method}) {
      const std::string text = render_latex(*table, "one", page.style);
      EXPECT_THAT(text, StartsWith(page.style.spanning ? "\\begin{table*}" : "\\begin{table}"));
      EXPECT_EQ(complaints(fmt::format("{}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{}\\end{{document}}\n",
                                       page.head, text)),
                "")
          << page.head << "\n"
          << text;
    }
  }
  // Too wide a table in a narrow column is seen.
  EXPECT_THAT(complaints(fmt::format("{}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{}\\end{{document}}\n",
                                     pages[1].head, render_latex(method, "one", {.width = 12}))),
              HasSubstr("Overfull"));
}

TEST(PaperTables, KnowTheirMetricsAndMethods) {
  const MadeReport made(report_fixture());
  const Matrix matrix = metric_matrix(made.analysis, "coverage");
  const std::optional<Table> table = matrix_table(made.analysis, matrix);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->columns[0].direction, Direction::higher);
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)metric_matrix(made.analysis, "coverag"); }, {"coverage"}));
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)method_table(made.analysis, "ddpm norml"); }, {"ddpm normal"}));
  const std::string text =
      render_latex(method_table(made.analysis, "ddpm normal"), "m", {.symbols = {{"tvd", "TVD²"}}});
  EXPECT_THAT(text, HasSubstr("TVD$^{2}$"));
  EXPECT_EQ(text.find("resizebox"), std::string::npos);
}

// The check itself: an unescaped sign and a table that is too wide are seen.
TEST(Pdflatex, WouldSeeAFault) {
  if (!has_pdflatex()) GTEST_SKIP() << "no pdflatex with booktabs and float";
  const std::string head = "\\documentclass{article}\n\\begin{document}\n";
  EXPECT_THAT(complaints(head + "a_b\n\\end{document}\n"), HasSubstr("Missing $"));
  EXPECT_THAT(complaints(head + "\\noindent\\rule{30cm}{1pt}\n\\end{document}\n"), HasSubstr("Overfull"));
}

}  // namespace
}  // namespace onmanifold
