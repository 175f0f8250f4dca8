// SPDX-License-Identifier: Apache-2.0
#include "reports/table.hpp"

#include <algorithm>
#include <regex>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files/temporary_directory.hpp"
#include "reports/markdown_report.hpp"
#include "reports/sentences.hpp"
#include "reports/terminal_report.hpp"
#include "reports/text_format.hpp"
#include "tests/support/made_method.hpp"
#include "tests/support/made_report.hpp"
#include "tests/support/report_fixture.hpp"
#include "tests/support/synthetic_results.hpp"

namespace onmanifold {
namespace {

// Two metrics, four arms, two seeds each; one cell failed. Small enough to be worked out by hand.
TaskResult small_task() {
  TaskResult task;
  task.name = "sphere-x";
  task.file = TaskFile{};
  task.file->name = "sphere-x";
  task.file->description = "A law | on the sphere";
  task.file->details = Value::Table{{"n_train", 1000}, {"n_samples", 500}, {"n_reference", 400},
                                    {"s_min", 0.01},   {"scale", 2.0},     {"seeds", 2}};
  const auto add = [&](const char* method, const char* lift, double sigma, int seed, double tvd, double coverage) {
    CellResult cell;
    cell.key = {.task = "sphere-x", .method = method, .lift = lift, .seed = seed};
    cell.head.config = Value::Table{{"lift", Value::Table{{"sigma", sigma}}}};
    cell.head.method = made_method(method, sigma > 0 ? "normal" : "none");
    cell.has_metrics = true;
    MetricRecord t;
    t.name = "tvd";
    t.value = tvd;
    t.null = 0.05;
    t.null_sd = 0.002;
    t.direction = Direction::lower;
    t.parameters = R"({"bins":288})";
    t.n_samples = 500;
    MetricRecord c = t;
    c.name = "coverage";
    c.value = coverage;
    c.null = 0.96875;
    c.null_sd = 0.0025;
    c.direction = Direction::higher;
    c.parameters = R"({"k":5})";
    cell.projected = {t, c};
    task.cells.push_back(cell);
  };
  add("ddpm", "none", 0.0, 0, 0.10, 0.90);
  add("ddpm", "none", 0.0, 1, 0.12, 0.92);
  add("ddpm", "normal-0.1", 0.1, 0, 0.06, 0.95);
  add("ddpm", "normal-0.1", 0.1, 1, 0.07, 0.96);
  add("oracle", "none", 0.0, 0, 0.049, 0.969);
  add("oracle", "none", 0.0, 1, 0.051, 0.968);
  add("gaussian", "none", 0.0, 0, 0.40, 0.5);
  CellResult failed;
  failed.key = {.task = "sphere-x", .method = "gaussian", .lift = "none", .seed = 1};
  failed.head.method = made_method("gaussian");
  failed.head.status = {CellState::failed, "out of memory\nat <step> 3"};
  failed.problem = "failed: out of memory\nat <step> 3";
  task.cells.push_back(failed);
  return task;
}

Table small_table() {
  return MadeReport(small_task()).report.tables.tasks[0].main;
}

TEST(RenderTerminal, Golden) {
  EXPECT_EQ(render_terminal(small_table(), false, 120), R"(sphere-x
A law | on the sphere

                                  tvd          coverage
                 seeds    projected ↓       projected ↑
────────────────────────────────────────────────────────
oracle               2  0.0500±0.0014   0.96850±0.00071
────────────────────────────────────────────────────────
ddpm none            2    0.110±0.014       0.910±0.014
ddpm normal-0.1      2  0.0650±0.0071*    0.9550±0.0071*
────────────────────────────────────────────────────────
gaussian           1/2         0.4000            0.5000
────────────────────────────────────────────────────────
perfect model           0.0500±0.0020     0.9688±0.0025
1000 training points, 500 samples, 400 reference points; seeds 0..1; values are mean ± standard deviation over seeds,
  for a perfect model mean ± sd of one value
tvd: bins 288; coverage: k 5
lift over smallest noise of the model, σ/s_min: ddpm normal-0.1 5
1 of 8 cells have no result:
✗ sphere-x/gaussian/none/seed-1: failed: out of memory at <step> 3
)");
}

TEST(RenderTerminal, ColourMarksWithEscapes) {
  const std::string text = render_terminal(small_table(), true);
  EXPECT_NE(text.find("\033[1m0.0650±0.0071*\033[0m"), std::string::npos) << text;
  EXPECT_EQ(render_terminal(small_table(), false).find('\033'), std::string::npos);
}

// Two lengths that agree to rounding are one column; what differs, or is no length, stays.
TEST(TaskTable, AColumnThatRepeatsAnotherIsNamedBelow) {
  const auto made_with = [](double scale, const char* unit) {
    TaskResult task = small_task();
    for (CellResult& cell : task.cells) {
      if (!cell.has_metrics) continue;
      for (const char* name : {"first", "second"}) {
        MetricRecord record = cell.projected[0];
        record.name = name;
        record.unit = unit;
        if (cell.key.method == "ddpm" && std::string(name) == "second") record.value *= scale;
        cell.projected.push_back(record);
      }
    }
    return MadeReport(task).report.tables.tasks[0].main;
  };
  const Table merged = made_with(1 + 1e-14, "length");
  EXPECT_EQ(merged.columns.size(), 3U);
  EXPECT_EQ(merged.rows[0].cells.size(), 3U);
  EXPECT_TRUE(std::any_of(merged.footnotes.begin(), merged.footnotes.end(), [](const Footnote& note) {
    return note.text == "not repeated: second has the values of first";
  }));
  EXPECT_EQ(made_with(1 + 1e-9, "length").columns.size(), 4U);
  EXPECT_EQ(made_with(1, "").columns.size(), 4U);
}

// Words without a blank and names of one column may be longer; nothing of the made-up results is.
TEST(TerminalReport, NoLineIsWiderThanATerminal) {
  const auto widest = [](const std::string& text) {
    int most = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) most = std::max(most, display_width(line));
    return most;
  };
  const MadeReport made(report_fixture());
  EXPECT_LE(widest(terminal_report(made.report, false)), terminal_width);
  EXPECT_GT(widest(render_terminal(made.report.tables.tasks[0].main, false, 120)), terminal_width);
}

TEST(RenderMarks, TheSecondIsUnderlinedInColourAndItalicInMarkdown) {
  Table table = small_table();
  ASSERT_TRUE(table.rows[1].cells[0].second);  // ddpm none, tvd
  table.rows[1].cells[1].second = false;
  EXPECT_NE(render_terminal(table, true).find("\033[4m0.110±0.014\033[0m"), std::string::npos);
  EXPECT_EQ(render_terminal(table, true).find("\033[4m0.910"), std::string::npos);
  EXPECT_EQ(render_terminal(table, false), render_terminal(small_table(), false));
  EXPECT_NE(render_markdown(table).find("| *0.110 ± 0.014* | 0.910 ± 0.014 |"), std::string::npos);
}

TEST(RenderMarkdown, TextInCellsIsEscaped) {
  Table table = small_table();
  table.rows[1].cells[0].content = std::string("a|b_c");
  table.row_header = "x|y";
  const std::string text = render_markdown(table);
  EXPECT_NE(text.find("| *a\\|b\\_c* |"), std::string::npos) << text;
  EXPECT_NE(text.find("| x\\|y | Lift | n |"), std::string::npos) << text;
}

TEST(RenderTerminal, AWideTableIsBrokenIntoBlocks) {
  const std::string text = render_terminal(small_table(), false, 45);
  EXPECT_EQ(text.find("tvd      coverage"), std::string::npos);
  // The names of the arms stand before both blocks.
  const std::size_t first = text.find("ddpm normal-0.1");
  EXPECT_NE(text.find("ddpm normal-0.1", first + 1), std::string::npos);
}

TEST(RenderMarkdown, Golden) {
  EXPECT_EQ(render_markdown(small_table()), R"(## sphere-x

A law \| on the sphere

| Method | Lift | n | tvd ↓ (projected) | coverage ↑ (projected) |
|---|---|--:|--:|--:|
| *oracle* |  | 2 | 0.0500 ± 0.0014 | 0.96850 ± 0.00071 |
| ddpm | none | 2 | *0.110 ± 0.014* | *0.910 ± 0.014* |
| ddpm | normal-0.1 | 2 | **0.0650 ± 0.0071** | **0.9550 ± 0.0071** |
| *gaussian* |  | 1/2 | 0.4000 | 0.5000 |
| *perfect model* |  |  | 0.0500 ± 0.0020 | 0.9688 ± 0.0025 |

- 1000 training points, 500 samples, 400 reference points; seeds 0..1; values are mean ± standard deviation over seeds, for a perfect model mean ± sd of one value
- tvd: bins 288; coverage: k 5
- lift over smallest noise of the model, σ/s\_min: ddpm normal-0.1 5
- 1 of 8 cells have no result:
- ✗ sphere-x/gaussian/none/seed-1: failed: out of memory at &lt;step> 3
)");
}

TEST(MakeTable, ALiftBelowTheSmallestNoiseIsCalledInvisible) {
  TaskResult task = small_task();
  task.file->details = Value::Table{{"s_min", 0.1}, {"scale", 2.0}};
  const MadeReport made(task);
  const Table& table = made.report.tables.tasks[0].main;
  EXPECT_TRUE(std::any_of(table.footnotes.begin(), table.footnotes.end(), [](const Footnote& note) {
    return note.text.find("ddpm normal-0.1 0.5 (lift invisible)") != std::string::npos;
  }));
}

TEST(MakeTable, LikelihoodsHaveAColumnWhereThereAreAny) {
  TaskResult task = small_task();
  const auto nll_column = [&] {
    const TaskSummary summary = summarise(task);
    for (const int column : asked_columns(summary)) {
      const MetricColumn& found = summary.columns[static_cast<std::size_t>(column)];
      if (found.name == "nll") return std::pair(true, found);
    }
    return std::pair(false, MetricColumn());
  };
  MetricRecord nll;
  nll.name = "nll";
  nll.direction = Direction::lower;
  nll.status = {RecordState::not_applicable, "no stored log-densities"};
  nll.parameters = R"({"measure":"ambient"})";
  for (CellResult& cell : task.cells) {
    if (cell.has_metrics) cell.raw = {nll};
  }
  EXPECT_FALSE(nll_column().first);
  // One method has likelihoods, with other settings than those who have none: that is no mixture of protocols.
  nll.status = {};
  nll.value = 0.2;
  nll.null = 0.1;
  nll.parameters = R"({"measure":"manifold"})";
  task.cells[2].raw = {nll};
  ASSERT_TRUE(nll_column().first);
  EXPECT_FALSE(nll_column().second.mixed_protocol);
  EXPECT_EQ(nll_column().second.parameters, nll.parameters);
  EXPECT_EQ(nll_column().second.null, 0.1);
}

TEST(MakeTable, PublishedNumbersAreMarkedAsTheirs) {
  TaskResult task = small_task();
  const auto notes = [&] {
    std::vector<std::string> texts;
    const MadeReport made(task);
    for (const Footnote& note : made.report.tables.tasks[0].main.footnotes) texts.push_back(note.text);
    return texts;
  };
  for (const std::string& note : notes()) EXPECT_EQ(note.find("published"), std::string::npos) << note;
  task.file->details = Value::Table{
      {"published",
       Value::Array{
           Value::Table{{"metric", "nll"}, {"method", "RSGM"}, {"value", -0.89}, {"spread", 0.03}, {"source", "key1"}},
           Value::Table{
               {"metric", "nll"}, {"method", "M-FFF"}, {"value", -0.87}, {"spread", 0.0}, {"source", "key2"}}}},
      {"published_note", "another measure"}};
  const std::vector<std::string> found = notes();
  EXPECT_NE(std::find(found.begin(), found.end(),
                      "as published, not computed here: nll -0.89 ± 0.03 RSGM (key1), nll -0.87 M-FFF (key2); "
                      "another measure"),
            found.end());
}

std::vector<std::string> notes_of(const TaskResult& task) {
  std::vector<std::string> texts;
  const MadeReport made(task);
  for (const Footnote& note : made.report.tables.tasks[0].main.footnotes) texts.push_back(note.text);
  return texts;
}

TEST(MakeTable, SaysWhoSeesNewPointsInEveryPass) {
  TaskResult task = small_task();
  const auto set = [&](const std::string& method, bool fresh) {
    for (CellResult& cell : task.cells) {
      if (cell.key.method != method) continue;
      cell.head.config = Value::Table{{"lift", Value::Table{{"sigma", 0.0}}}, {"n_train", 1000}};
      if (fresh) cell.head.config.get_if<Value::Table>()->emplace("fresh", true);
    }
  };
  for (const char* method : {"ddpm", "oracle", "gaussian"}) set(method, false);
  EXPECT_THAT(notes_of(task).front(), testing::StartsWith("1000 training points, 500 samples"));
  set("ddpm", true);
  EXPECT_THAT(notes_of(task).front(),
              testing::StartsWith("1000 training points (ddpm new ones in every pass), 500 samples"));
  for (const char* method : {"oracle", "gaussian"}) set(method, true);
  EXPECT_THAT(notes_of(task).front(), testing::StartsWith("new training points in every pass of 1000, 500 samples"));
}

TEST(MakeTable, SaysWhatTrainingPointsAllowAndWhoIsBehind) {
  TaskResult task = small_task();
  // The moment fit is no such control: it is the floor.
  EXPECT_THAT(notes_of(task), testing::Not(testing::Contains(testing::HasSubstr("training points allow"))));
  for (const auto& [method, value] : {std::pair{"memorizer", 0.09}, std::pair{"kde", 0.07}}) {
    for (int seed = 0; seed < 2; ++seed) {
      CellResult cell = task.cells[0];
      cell.key = {.task = "sphere-x", .method = method, .lift = "none", .seed = seed};
      cell.head.method = made_method("memorizer");
      cell.projected[0].value = value + 0.002 * seed;
      task.cells.push_back(cell);
    }
  }
  // ddpm: .11 with an error of .01; normal-0.1: .065; kde: .071 with .001.
  EXPECT_THAT(notes_of(task),
              testing::Contains("what the training points allow without learning, tvd: kde 0.0710 ± 0.0014, memorizer "
                                "0.0910 ± 0.0014; behind it by more than two standard errors: ddpm"));
  for (CellResult& cell : task.cells) {
    if (cell.key.method == "ddpm") cell.projected[0].value = 0.071;
  }
  EXPECT_THAT(notes_of(task), testing::Contains(testing::EndsWith("two standard errors: nobody")));
}

TEST(MakeTable, SaysHowLearningRatesWereChosen) {
  TaskResult task = small_task();
  EXPECT_THAT(notes_of(task), testing::Not(testing::Contains(testing::HasSubstr("tuned"))));
  task.file->details.get_if<Value::Table>()->emplace(
      "tuning", Value::Table{{"replicates", 3}, {"learning_rates", Value::Array{1e-3, 1e-2}}});
  EXPECT_THAT(notes_of(task), testing::Contains("tuned: 2 trials × 3 seeds each"));
}

TEST(MakeTable, MissingSeedsAreNamed) {
  TaskResult task = small_task();
  task.file->details = Value::Table{{"seeds", 3}};
  const Table table = MadeReport(task).report.tables.tasks[0].main;
  EXPECT_TRUE(std::any_of(table.footnotes.begin(), table.footnotes.end(), [](const Footnote& note) {
    return note.text == "oracle none: 2 of 3 seeds are there" || note.text == "oracle: 2 of 3 seeds are there";
  }));
}

TEST(TerminalReport, FitsEightyColumns) {
  const TemporaryDirectory directory;
  write_synthetic_results(directory.path(), {.seeds = 3, .samples = 10, .reference = 10, .mesh_resolution = 5});
  const MadeReport made(load_results(directory.path()));
  const std::string text = terminal_report(made.report, false);
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = text.find('\n', start);
    EXPECT_LE(display_width(text.substr(start, end - start)), terminal_width) << text.substr(start, end - start);
    start = end + 1;
  }
  const std::string unbroken = std::regex_replace(text, std::regex("\\n +"), " ");
  for (const char* part : {"perfect model", "oracle", "memorizer", "1 of 27 cells have no result", "demonstration",
                           "Too few for either"}) {
    EXPECT_NE(unbroken.find(part), std::string::npos) << part;
  }
  const std::string markdown = markdown_report(made.report);
  EXPECT_EQ(markdown.find("<script>"), std::string::npos);
  EXPECT_NE(markdown.find("a\\|b"), std::string::npos);
}

TEST(ConclusionLines, SayWhatTheSeedsAllow) {
  const auto last_line = [](int seeds, Index samples) {
    ResultSet results;
    results.tasks.resize(1);
    for (int seed = 0; seed < seeds; ++seed) {
      CellResult cell;
      cell.key = {.task = "t", .method = "m", .lift = "none", .seed = seed};
      cell.has_metrics = true;
      cell.raw.resize(1);
      cell.raw[0].n_samples = samples;
      results.tasks[0].cells.push_back(cell);
    }
    return conclusion_lines(analyse(results)).back();
  };
  EXPECT_NE(last_line(3, 10000).find("Too few for either."), std::string::npos);
  EXPECT_NE(last_line(5, 10000).find("Enough for a comparison, not for a verdict."), std::string::npos);
  EXPECT_NE(last_line(10, 10000).find("not for a verdict."), std::string::npos);
  EXPECT_NE(last_line(10, 100000).find("Enough for a verdict."), std::string::npos);
}

}  // namespace
}  // namespace onmanifold
