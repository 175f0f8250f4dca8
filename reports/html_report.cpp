// SPDX-License-Identifier: Apache-2.0
#include "reports/html_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/assets.hpp"
#include "reports/claim_table.hpp"
#include "reports/csv_report.hpp"
#include "reports/gnuplot.hpp"
#include "reports/html_table.hpp"
#include "reports/interval_figure.hpp"
#include "reports/latex_report.hpp"
#include "reports/sample_pictures.hpp"
#include "reports/sentences.hpp"
#include "reports/task_figures.hpp"
#include "reports/text_format.hpp"
#include "reports/verdict_text.hpp"
#include "results/provenance.hpp"

namespace onmanifold {
namespace {

constexpr std::size_t bytes_for_csv = 1200000;
constexpr std::size_t bytes_for_latex = 400000;

Value count_value(std::size_t n) {
  return static_cast<std::int64_t>(n);
}

Value::Table measured_value(double value, double spread) {
  const FormattedValue text = format_measured(value, spread);
  return {{"value", text.value}, {"spread", text.spread}};
}

Value::Table arm_value(const Arm& arm) {
  return {{"method", arm.method}, {"lift", arm.lifted() ? arm.lift : ""}};
}

// --- who is best

Value best_value(const TaskAnalysis& task) {
  const TaskOverview& overview = task.overview;
  const TaskSummary& summary = task.summary;
  const auto c = static_cast<std::size_t>(overview.column);
  const auto b = static_cast<std::size_t>(overview.best);
  const Summary& best = summary.table[b][c];
  Value::Table row = arm_value(summary.arms[b]);
  row.merge(measured_value(best.mean, best.sd));
  row["class"] = best.at_floor ? "floor" : "value";
  Value::Array tied;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    if (a == b || !summary.table[a][c].best) continue;
    Value::Table one = arm_value(summary.arms[a]);
    one["next"] = !tied.empty();
    tied.push_back(std::move(one));
  }
  row["shared"] = !tied.empty();
  row["tied"] = std::move(tied);
  row["second"] = Value();
  if (overview.second >= 0) {
    Value::Table second = arm_value(summary.arms[static_cast<std::size_t>(overview.second)]);
    second["behind"] = overview.standard_error > 0.0 ? fmt::format("{:.1f}", overview.apart()) : "";
    second["how"] = overview.pairs > 0 ? fmt::format("paired over {} seeds", overview.pairs) : "of two means";
    row["second"] = std::move(second);
  }
  row["way"] = overview.below_floor          ? "worse than gaussian"
               : std::isfinite(overview.way) ? fmt::format("{:.0f} %", 100.0 * overview.way)
                                             : "—";
  return row;
}

Value overview_value(std::size_t index, const TaskAnalysis& task, const std::set<std::string>& defined) {
  const TaskOverview& overview = task.overview;
  Value::Table row = {{"index", count_value(index)}, {"name", task.result->name}, {"nothing", ""}};
  if (overview.column < 0) {
    row["nothing"] = overview.reason;
    return row;
  }
  const auto c = static_cast<std::size_t>(overview.column);
  const MetricColumn& column = task.summary.columns[c];
  row["metric"] = breakable(column.name);
  row["definition"] = defined.contains(column.name) ? definition_id(column.name) : "";
  row["arrow"] = direction_arrow(column.direction, column.target);
  row["unranked"] = overview.best < 0 ? overview.reason : "";
  if (overview.best >= 0) row["best"] = best_value(task);
  Value::Array ends;
  for (const int end : {overview.ends.floor, overview.ends.ceiling}) {
    const Summary none;
    const Summary& entry = end < 0 ? none : task.summary.table[static_cast<std::size_t>(end)][c];
    ends.push_back(measured_value(entry.mean, entry.sd));
  }
  ends.push_back(measured_value(column.null, column.null_sd));
  row["ends"] = std::move(ends);
  return row;
}

// A table with its title, notes and figure.
Value section_value(const std::optional<Table>& table, const Figure& figure = {}) {
  if (!table) return {};
  return Value::Table{{"title", table->title},
                      {"table", table_html(*table, table->description)},
                      {"figure", figure_html(figure, figure.name)},
                      {"footnotes", footnotes_value(*table)}};
}

std::string overview_html(const Report& report, const std::set<std::string>& defined) {
  Value::Array tasks;
  for (std::size_t t = 0; t < report.analysis.tasks.size(); ++t) {
    tasks.push_back(overview_value(t, report.analysis.tasks[t], defined));
  }
  static const Template page = page_template("overview");
  return page.render(Value::Table{{"tasks", std::move(tasks)}});
}

// What stands before everything else.
void add_first_screen(Value::Table& page, const Report& report) {
  const Analysis& analysis = report.analysis;
  const VerdictText verdict = verdict_text(analysis);
  page["headline"] = verdict.headline.empty() ? "Nothing can be ranked in these results." : verdict.headline;
  page["trust"] = verdict.trust;
  page["decided"] = verdict.decided;
  page["more"] = Value::Array(verdict.more.begin(), verdict.more.end());
  page["matrix"] = report.tables.matrix ? matrix_html(*report.tables.matrix) : "";
  const Figure intervals = interval_figure(analysis.matrix);
  page["intervals"] = figure_html(intervals, intervals.name);
}

// A folded task on one line.
std::string task_line(const MatrixTask& task, const std::vector<MatrixRow>& rows) {
  if (task.candidate < 0) return task.reason;
  const MatrixRow& best = rows[static_cast<std::size_t>(task.candidate)];
  return fmt::format("best mean: {}; {}", arm_label(best.method, best.lifted ? best.lift : ""),
                     task.candidates == 1
                         ? "no other may be the best"
                         : fmt::format("{} of {} learners may be the best", task.candidates, task.ranked));
}

// --- one task

// Figures and pictures of a task, and what could not be read for them.
struct TaskDrawings {
  std::string pictures;
  std::string figures;
  std::vector<std::string> problems;
};

std::string task_html(std::size_t index, const TaskAnalysis& task, const TaskTables& tables,
                      const std::set<std::string>& defined, const std::string& line, const std::string& no_picture,
                      TaskDrawings drawings) {
  Value::Array panes;
  const auto pane = [&](const std::string& label, const std::string& caption, const Table& table) {
    panes.push_back(Value::Table{{"number", count_value(panes.size())},
                                 {"first", panes.empty()},
                                 {"label", label},
                                 {"table", table_html(table, caption, defined)},
                                 {"footnotes", footnotes_value(table)}});
  };
  pane("Main metrics", "Main metrics: mean ± standard deviation over seeds", tables.main);
  pane("All, projected", "All metrics of projected samples",
       task_table(task, all_columns(task.summary, SampleKind::projected)));
  pane("All, raw", "All metrics of raw samples", task_table(task, all_columns(task.summary, SampleKind::raw)));
  if (tables.axis) pane("By place", "Where the mismatch is handled: " + tables.axis->description, *tables.axis);
  for (std::size_t d = 0; d < tables.diagnostics.size(); ++d) {
    const Table& table = tables.diagnostics[d];
    pane(plain_text(task.diagnostics[d].label), table.title + ". " + table.description, table);
  }
  std::vector<std::string>& problems = drawings.problems;
  std::sort(problems.begin(), problems.end());
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  static const Template page = page_template("task");
  return page.render(Value::Table{{"index", count_value(index)},
                                  {"name", task.result->name},
                                  {"summary", line},
                                  {"description", task.result->file ? task.result->file->description : ""},
                                  {"panes", std::move(panes)},
                                  {"no_picture", no_picture},
                                  {"pictures", std::move(drawings.pictures)},
                                  {"figures", std::move(drawings.figures)},
                                  {"problems", Value::Array(problems.begin(), problems.end())}});
}

Value::Array tasks_value(const Report& report, const std::set<std::string>& defined, bool& has_viewer) {
  const Analysis& analysis = report.analysis;
  const std::string& directory = analysis.results->directory;
  // How many points fit is known once the arms are counted.
  std::vector<TaskPictures> pictures;
  std::size_t clouds = 1;
  for (const TaskAnalysis& task : analysis.tasks) {
    pictures.push_back(load_pictures(directory, task));
    clouds += pictures.back().arms.size() + 1;
  }
  const PointBudget budget = point_budget(clouds);
  Value::Array sections;
  for (std::size_t t = 0; t < analysis.tasks.size(); ++t) {
    const TaskAnalysis& task = analysis.tasks[t];
    has_viewer = has_viewer || pictures[t].view == View::space || pictures[t].view == View::rotations;
    TaskDrawings drawings;
    drawings.problems = std::move(pictures[t].problems);
    if (task.result->file) drawings.pictures = pictures_html(t, *task.result->file, pictures[t], budget);
    const std::vector<Figure> figures = task_figures(task, load_curves(directory, task, drawings.problems));
    for (std::size_t i = 0; i < figures.size(); ++i) {
      drawings.figures += figure_html(figures[i], fmt::format("figure{}-{}", t, i));
    }
    sections.push_back(Value::Table{{"index", count_value(t)},
                                    {"name", task.result->name},
                                    {"section", task_html(t, task, report.tables.tasks[t], defined,
                                                          task_line(analysis.matrix.tasks[t], analysis.matrix.rows),
                                                          pictures[t].none, std::move(drawings))}});
    pictures[t] = {};
  }
  return sections;
}

// --- what the metrics of all tasks are

/// One entry a name.
struct MetricDefinition {
  TableColumn column;
  std::vector<std::pair<std::string, std::string>> settings;  ///< tasks of equal settings, settings
};

std::vector<MetricDefinition> metric_definitions(const Analysis& analysis) {
  std::vector<MetricDefinition> definitions;
  for (const TaskAnalysis& task : analysis.tasks) {
    const std::string& name = task.result->name;
    for (const MetricColumn& measured : task.summary.columns) {
      const TableColumn column = metric_column(measured);
      auto place = std::find_if(definitions.begin(), definitions.end(),
                                [&](const MetricDefinition& one) { return one.column.name == column.name; });
      if (place == definitions.end()) place = definitions.insert(place, {column, {}});
      if (column.parameters.empty()) continue;
      auto& settings = place->settings;
      const auto same = std::find_if(settings.begin(), settings.end(),
                                     [&](const auto& line) { return line.second == column.parameters; });
      if (same == settings.end()) {
        settings.emplace_back(name, column.parameters);
      } else if (same->first != name && !same->first.ends_with(", " + name)) {
        same->first += ", " + name;
      }
    }
  }
  return definitions;
}

std::string direction_words(const TableColumn& column) {
  if (!column.direction) return "no direction";
  switch (*column.direction) {
    case Direction::lower:
      return "lower is better";
    case Direction::higher:
      return "higher is better";
    case Direction::target:
      break;
  }
  return std::isfinite(column.target) ? fmt::format("best at {:.4g}", column.target) : "best at its target";
}

Value::Array definitions_value(const Report& report, const std::vector<MetricDefinition>& definitions) {
  Value::Array values;
  for (const MetricDefinition& one : definitions) {
    const auto text = report.metric_descriptions.find(one.column.name);
    Value::Array settings;
    for (const auto& [tasks, words] : one.settings)
      settings.push_back(Value::Table{{"tasks", tasks}, {"words", words}});
    values.push_back(Value::Table{{"id", definition_id(one.column.name)},
                                  {"name", breakable(one.column.name)},
                                  {"arrow", one.column.arrow()},
                                  {"text", text == report.metric_descriptions.end() ? "" : text->second},
                                  {"direction", direction_words(one.column)},
                                  {"unit", one.column.unit},
                                  {"settings", std::move(settings)}});
  }
  return values;
}

// --- where the numbers come from

void flatten(const Value& value, const std::string& prefix, std::map<std::string, std::string>& rows) {
  if (const auto* table = value.get_if<Value::Table>()) {
    for (const auto& [key, item] : *table) flatten(item, prefix.empty() ? key : prefix + "." + key, rows);
    return;
  }
  const auto words = [](const Value& item) {
    const auto* text = item.get_if<std::string>();
    return text == nullptr ? to_json(item) : *text;
  };
  const auto* array = value.get_if<Value::Array>();
  if (array == nullptr) {
    rows[prefix] = words(value);
    return;
  }
  std::vector<std::string> parts;
  for (const Value& item : *array) parts.push_back(words(item));
  rows[prefix] = fmt::format("{}", fmt::join(parts, " "));
}

Value::Array provenance_value(const ResultSet& results) {
  std::map<std::string, std::set<std::string>> values;
  std::set<const Value*> seen;
  for (const TaskResult& task : results.tasks) {
    for (const CellResult& cell : task.cells) {
      if (!seen.insert(cell.provenance.get()).second) continue;
      std::map<std::string, std::string> rows;
      flatten(*cell.provenance, "", rows);
      for (const auto& [key, value] : rows) values[key].insert(value);
    }
  }
  values.erase("");
  Value::Array shown;
  for (const auto& [key, variants] : values) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', ' ');
    shown.push_back(Value::Table{
        {"name", name},
        {"value", variants.size() == 1 ? *variants.begin()
                                       : fmt::format("{} … {} ({} values over the cells)", *variants.begin(),
                                                     *variants.rbegin(), variants.size())}});
  }
  return shown;
}

// Numbers of tasks, methods, … and cells without result.
void add_counts(Value::Table& page, const Analysis& analysis) {
  std::set<std::string> methods;
  std::set<int> seeds;
  std::size_t cells = 0;
  std::size_t failed = 0;
  Value::Array failures;
  const auto fail = [&](const std::string& where, const std::string& why) {
    failures.push_back(Value::Table{{"where", where}, {"why", why}});
  };
  for (const TaskAnalysis& task : analysis.tasks) {
    if (!task.result->problem.empty()) fail(task.result->name, task.result->problem);
    seeds.insert(task.summary.seeds.begin(), task.summary.seeds.end());
    for (const Arm& arm : task.summary.arms) methods.insert(arm.method);
    cells += task.result->cells.size();
    for (const CellResult& cell : task.result->cells) {
      if (cell.problem.empty()) continue;
      ++failed;
      fail(cell.key.text(), cell.problem);
    }
  }
  const auto counted = [](std::size_t n, const char* name) {
    return fmt::format("{} {}{}", n, name, n == 1 ? "" : "s");
  };
  page["facts"] = fmt::format("{}, {}, {}, {}", counted(analysis.tasks.size(), "task"),
                              counted(methods.size(), "method"), counted(seeds.size(), "seed"), counted(cells, "cell"));
  page["failed"] = count_value(failed);
  page["cells"] = count_value(cells);
  page["has_failures"] = !failures.empty();
  page["failures"] = std::move(failures);
}

void add_assets(Value::Table& page, bool viewer) {
  const auto add = [&](const char* name, std::string_view file) { page[name] = std::string(asset(file)); };
  page["version"] = std::string(version());
  page["viewer"] = viewer;
  add("style", "page.css");
  add("tables_script", "tables.js");
  if (!viewer) return;
  add("three_licence", "three_licence.txt");
  add("three_script", "three.js");
  add("orbit_script", "orbit.js");
  add("viewer_script", "viewer.js");
}

}  // namespace

std::string html_report(const Report& report) {
  const Analysis& analysis = report.analysis;
  const std::vector<MetricDefinition> definitions = metric_definitions(analysis);
  std::set<std::string> defined;
  for (const MetricDefinition& one : definitions) defined.insert(one.column.name);

  bool has_viewer = false;
  Value::Table page;
  page["title"] =
      analysis.suite.name.empty() ? "OnManifold results" : fmt::format("OnManifold: suite {}", analysis.suite.name);
  page["suite"] = analysis.suite.name;
  add_counts(page, analysis);
  const std::vector<std::string> conclusions = conclusion_lines(analysis);
  page["conclusions"] = Value::Array(conclusions.begin(), conclusions.end());
  const std::string csv =
      download_link("All numbers as CSV", "report.csv", "text/csv", csv_report(*analysis.results), bytes_for_csv);
  const std::string latex =
      download_link("Tables as LaTeX", "report.tex", "application/x-tex", latex_report(report), bytes_for_latex);
  page["downloads"] = csv + latex;
  page["too_large"] = csv.empty() || latex.empty();
  add_first_screen(page, report);
  page["overview"] = overview_html(report, defined);
  page["ranking"] = section_value(report.tables.ranking, rank_figure(analysis.ranking));
  page["claims"] =
      analysis.claims.empty() ? "" : claims_html(analysis.claims, claim_figures(*analysis.results, analysis.claims));
  page["published"] = section_value(report.tables.published);
  page["lifts"] = section_value(report.tables.lifts, lift_figure(analysis.lifts));
  page["tasks"] = tasks_value(report, defined, has_viewer);
  page["has_definitions"] = !definitions.empty();
  page["definitions"] = definitions_value(report, definitions);
  Value::Array provenance = provenance_value(*analysis.results);
  page["has_provenance"] = !provenance.empty();
  page["provenance"] = std::move(provenance);
  add_assets(page, has_viewer);
  static const Template whole = page_template("page");
  return whole.render(page);
}

std::vector<std::string> HtmlReporter::write(const Report& report, const std::string& directory) const {
  return {write_report_file(directory, "html", html_report(report))};
}

}  // namespace onmanifold
