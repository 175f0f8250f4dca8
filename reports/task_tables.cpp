// SPDX-License-Identifier: Apache-2.0
// Tables of one task: its metrics, its axis, its diagnostics.

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/tuning_record.hpp"
#include "reports/tables.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

/// The numbers of papers for this task on one line, marked as theirs; empty if there are none.
std::string published_line(const Value& details) {
  const Value* rows = find_value(details, "published");
  const auto* array = rows == nullptr ? nullptr : rows->get_if<Value::Array>();
  if (array == nullptr || array->empty()) return {};
  std::vector<std::string> numbers;
  for (const Value& row : *array) {
    const double spread = find_number(row, "spread");
    numbers.push_back(fmt::format("{} {:.4g}{} {} ({})", find_text(row, "metric"), find_number(row, "value"),
                                  spread > 0 ? fmt::format(" ± {:.2g}", spread) : "", find_text(row, "method"),
                                  find_text(row, "source")));
  }
  std::string note = find_text(details, "published_note");
  if (!note.empty()) note = "; " + note;
  return fmt::format("as published, not computed here: {}{}", fmt::join(numbers, ", "), note);
}

std::string seed_range(const std::set<int>& seeds) {
  if (seeds.empty()) return "none";
  const int first = *seeds.begin();
  const int last = *seeds.rbegin();
  if (first == last) return fmt::format("{}", first);
  if (last - first + 1 == static_cast<int>(seeds.size())) return fmt::format("{}..{}", first, last);
  return fmt::format("{}", fmt::join(seeds, ", "));
}

double detail_of(const TaskResult& task, const char* key) {
  return task.file ? find_number(task.file->details, key) : MetricRecord::unknown;
}

// "4896 training points (my_method 1000, other new ones in every pass)". What a cell was told may be more than its task
// has.
std::string training_text(const TaskAnalysis& task) {
  const double available = detail_of(*task.result, "n_train");
  if (!std::isfinite(available)) return "";
  std::map<std::string, double> told;
  std::set<std::string> fresh;  // methods that see no point twice
  bool all_there = false;       // some cell got what it was told, and no less: then the task has as many
  for (const CellResult& cell : task.result->cells) {
    const double n = find_number(cell.head.config, "n_train");
    if (!std::isfinite(n)) continue;
    if (find_value(cell.head.config, "fresh") != nullptr) {
      fresh.insert(cell.key.method);
      continue;
    }
    told[cell.key.method] = n;
    all_there = all_there || n == available;
  }
  if (told.empty() && !fresh.empty()) return fmt::format("new training points in every pass of {:.0f}", available);
  std::vector<std::string> own;  // methods that learn from another number
  for (const auto& [method, n] : told) {
    const double used = all_there ? n : std::min(n, available);
    if (used != available) own.push_back(fmt::format("{} {:.0f}", method, used));
  }
  for (const std::string& method : fresh) own.push_back(method + " new ones in every pass");
  return fmt::format("{:.0f} training points{}", available,
                     own.empty() ? "" : fmt::format(" ({})", fmt::join(own, ", ")));
}

std::string sizes_line(const TaskAnalysis& task, const std::vector<int>& columns) {
  std::vector<std::string> parts;
  if (std::string training = training_text(task); !training.empty()) parts.push_back(std::move(training));
  const double n_samples = detail_of(*task.result, "n_samples");
  if (std::isfinite(n_samples)) {
    parts.push_back(fmt::format("{:.0f} samples", n_samples));
  } else if (!columns.empty()) {
    parts.push_back(
        fmt::format("{} samples", task.summary.columns[static_cast<std::size_t>(columns.front())].n_samples));
  }
  const double n_reference = detail_of(*task.result, "n_reference");
  if (std::isfinite(n_reference)) parts.push_back(fmt::format("{:.0f} reference points", n_reference));
  return fmt::format("{}{}seeds {}", fmt::join(parts, ", "), parts.empty() ? "" : "; ", seed_range(task.summary.seeds));
}

// Two lengths that differ by rounding on this task, in every arm and seed: one column is enough.
bool same_values(const TaskSummary& summary, std::size_t a, std::size_t b) {
  constexpr double rounding = 1e-12;  // of the greatest value
  const MetricColumn& one = summary.columns[a];
  const MetricColumn& other = summary.columns[b];
  if (one.unit.empty() || one.unit != other.unit || one.samples != other.samples || one.direction != other.direction ||
      one.mixed_protocol || other.mixed_protocol) {
    return false;
  }
  double largest = 0;
  double apart = 0;
  for (const std::vector<Summary>& row : summary.table) {
    const auto& x = row[a].values;
    const auto& y = row[b].values;
    if (x.size() != y.size()) return false;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i].first != y[i].first || !std::isfinite(x[i].second) || !std::isfinite(y[i].second)) return false;
      largest = std::max(largest, std::abs(x[i].second));
      apart = std::max(apart, std::abs(x[i].second - y[i].second));
    }
  }
  return largest > 0 && apart <= rounding * largest;
}

TableCell null_cell(const MetricColumn& column) {
  TableCell cell = number_cell(Measured{column.null, column.null_sd});
  if (std::isnan(column.null)) cell.note = "null value unknown";
  return cell;
}

void add_rows(Table& table, const TaskSummary& summary, const std::vector<int>& columns) {
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Arm& arm = summary.arms[a];
    const auto arms_of_method = std::count_if(summary.arms.begin(), summary.arms.end(),
                                              [&](const Arm& other) { return other.method == arm.method; });
    // A method whose only lift is none and that is no learner has no lift to speak of.
    const bool never_lifted = !arm.learns() && !arm.lifted() && arms_of_method == 1;
    TableRow row{.name = plain_text(arm.method),
                 .lift = never_lifted ? "" : plain_text(arm.lift),
                 .n_ok = arm.n_ok,
                 .n_cells = arm.n_cells(),
                 .group = row_group(arm.role),
                 .cells = {}};
    for (const int c : columns) {
      row.cells.push_back(summary_cell(summary.table[a][static_cast<std::size_t>(c)], arm.n_cells()));
    }
    table.equal_seeds =
        table.equal_seeds && arm.n_ok == arm.n_cells() && arm.n_cells() == summary.arms.front().n_cells();
    table.rows.push_back(std::move(row));
  }
  TableRow null_row;
  null_row.name = "perfect model";
  null_row.group = RowGroup::null;
  for (const int c : columns) null_row.cells.push_back(null_cell(summary.columns[static_cast<std::size_t>(c)]));
  table.rows.push_back(std::move(null_row));
}

// What the numbers are.
void add_settings(Table& table, const TaskAnalysis& task, const std::vector<int>& columns) {
  std::vector<std::string> settings;
  for (const TableColumn& column : table.columns) {
    std::vector<std::string> parts;
    if (!column.parameters.empty()) parts.push_back(column.parameters);
    if (!column.unit.empty()) parts.push_back("unit " + column.unit);
    if (!parts.empty()) settings.push_back(fmt::format("{}: {}", column.name, fmt::join(parts, ", ")));
  }
  // The same metric may stand on raw and projected samples with the same settings.
  settings.erase(std::unique(settings.begin(), settings.end()), settings.end());
  if (!settings.empty()) table.footnotes.emplace_back(plain_text(fmt::format("{}", fmt::join(settings, "; "))));
  for (const int c : columns) {
    const MetricColumn& column = task.summary.columns[static_cast<std::size_t>(c)];
    if (!column.mixed_protocol) continue;
    table.footnotes.emplace_back(
        fmt::format("{} ({}): records differ in version, settings or sizes, so nothing is ranked",
                    plain_text(column.name), name_of(column.samples)));
  }
}

void add_origins(Table& table, const TaskAnalysis& task) {
  for (const CellResult& cell : task.result->cells) {
    if (!cell.submission) continue;
    table.footnotes.emplace_back(plain_text(
        fmt::format("{} {}: submitted, {}, points {}…, {}; its training is not known here", cell.key.method,
                    cell.key.lift, find_text(cell.head.config, "file"),
                    find_text(cell.head.config, "samples_hash").substr(0, 12), find_text(cell.head.config, "origin"))));
  }
  std::vector<std::string> visible;
  for (const Arm& arm : task.summary.arms) {
    const double ratio = lift_visibility(*task.result, arm);
    if (std::isnan(ratio)) continue;
    visible.push_back(plain_text(
        fmt::format("{} {:.3g}{}", arm_label(arm.method, arm.lift), ratio, ratio < 1.0 ? " (lift invisible)" : "")));
  }
  if (!visible.empty()) {
    table.footnotes.emplace_back(
        fmt::format("lift over smallest noise of the model, σ/s_min: {}", fmt::join(visible, ", ")));
  }
  if (!task.result->file) return;
  if (const std::optional<TuningRecord> tuning = tuning_record(task.result->file->details)) {
    table.footnotes.emplace_back(plain_text(tuning->text()));
  }
  if (const std::string line = published_line(task.result->file->details); !line.empty()) {
    table.footnotes.emplace_back(plain_text(line));
  }
}

// What training points are worth without learning, by the column the task is judged by, and who does not reach it.
void add_allowed(Table& table, const TaskAnalysis& task) {
  const TaskSummary& summary = task.summary;
  if (summary.primary < 0) return;
  const auto c = static_cast<std::size_t>(summary.primary);
  const MetricColumn& column = summary.columns[c];
  if (!column.direction || column.mixed_protocol) return;
  std::vector<std::string> controls;
  const Summary* best = nullptr;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Arm& arm = summary.arms[a];
    const Summary& entry = summary.table[a][c];
    if (arm.role != MethodRole::control || arm.floor || !std::isfinite(entry.mean)) continue;
    controls.push_back(fmt::format("{} {}", short_label(arm), measured_text(entry.mean, entry.sd)));
    if (best == nullptr || loss(column, entry.mean) < loss(column, best->mean)) best = &entry;
  }
  if (best == nullptr) return;
  std::vector<std::string> behind;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Summary& entry = summary.table[a][c];
    const double error = std::hypot(entry.standard_error, best->standard_error);
    if (!summary.arms[a].learns() || !std::isfinite(entry.mean) || !std::isfinite(error)) continue;
    if (loss(column, entry.mean) - loss(column, best->mean) > 2 * error) behind.push_back(short_label(summary.arms[a]));
  }
  table.footnotes.emplace_back(plain_text(fmt::format(
      "what the training points allow without learning, {}: {}; behind it by more than two standard errors: {}",
      column.name, fmt::join(controls, ", "),
      behind.empty() ? std::string("nobody") : fmt::format("{}", fmt::join(behind, ", ")))));
}

// What is wrong with some of the numbers.
void add_problems(Table& table, const TaskAnalysis& task, const std::vector<int>& columns) {
  Index nonfinite = 0;
  std::vector<std::string> problems;
  for (const CellResult& cell : task.result->cells) {
    if (!cell.raw.empty()) nonfinite += cell.raw.front().n_nonfinite;
    if (!cell.problem.empty()) problems.push_back(plain_text(cell.key.text() + ": " + cell.problem));
  }
  if (nonfinite > 0) {
    table.footnotes.emplace_back(
        fmt::format("{} raw samples over all cells are not finite and left out of the metrics", nonfinite));
  }
  for (std::size_t a = 0; a < task.summary.arms.size(); ++a) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Summary& entry = task.summary.table[a][static_cast<std::size_t>(columns[i])];
      // Cells without any result are listed below.
      if (entry.reason.empty() || entry.of_cells) continue;
      table.footnotes.emplace_back(
          "— " + plain_text(fmt::format("{}, {}: {}", arm_label(table.rows[a].name, table.rows[a].lift),
                                        table.columns[i].name, entry.reason)));
    }
  }
  if (!problems.empty()) {
    table.footnotes.emplace_back(
        fmt::format("{} of {} cells have no result:", problems.size(), task.result->cells.size()));
    for (std::string& line : problems) table.footnotes.emplace_back(std::move(line), true);
  }
  const double expected = detail_of(*task.result, "seeds");
  if (!std::isfinite(expected)) return;
  for (const Arm& arm : task.summary.arms) {
    if (arm.cells.front()->submission || arm.n_cells() >= static_cast<int>(expected)) continue;
    table.footnotes.emplace_back(plain_text(
        fmt::format("{}: {} of {:.0f} seeds are there", arm_label(arm.method, arm.lift), arm.n_cells(), expected)));
  }
}

}  // namespace

Table task_table(const TaskAnalysis& task, const std::vector<int>& asked) {
  const TaskResult& result = *task.result;
  std::vector<int> columns;
  std::vector<std::string> repeated;
  for (const int c : asked) {
    const auto same = std::find_if(columns.begin(), columns.end(), [&](int other) {
      return same_values(task.summary, static_cast<std::size_t>(other), static_cast<std::size_t>(c));
    });
    if (same == columns.end()) {
      columns.push_back(c);
    } else {
      repeated.push_back(fmt::format("{} has the values of {}", task.summary.columns[static_cast<std::size_t>(c)].name,
                                     task.summary.columns[static_cast<std::size_t>(*same)].name));
    }
  }
  Table table;
  table.name = result.name;
  table.title = plain_text(result.name);
  if (result.file) {
    table.description = plain_text(result.file->description);
    if (result.file->version != 1) table.title += fmt::format(" (version {})", result.file->version);
  } else {
    table.description = plain_text("no description: " + result.problem);
  }
  for (const int c : columns) {
    table.columns.push_back(metric_column(task.summary.columns[static_cast<std::size_t>(c)]));
  }
  add_rows(table, task.summary, columns);
  table.footnotes.emplace_back(
      sizes_line(task, columns) +
      "; values are mean ± standard deviation over seeds, for a perfect model mean ± sd of one value");
  if (!repeated.empty()) {
    table.footnotes.emplace_back(plain_text(fmt::format("not repeated: {}", fmt::join(repeated, ", "))));
  }
  add_settings(table, task, columns);
  add_allowed(table, task);
  add_origins(table, task);
  add_problems(table, task, columns);
  return table;
}

std::optional<Table> axis_table(const TaskAnalysis& task) {
  const Axis& axis = task.axis;
  if (axis.empty()) return std::nullopt;
  const TaskSummary& summary = task.summary;
  const auto c = static_cast<std::size_t>(axis.column);
  const MetricColumn& metric = summary.columns[c];
  const auto arm_of = [&](int a) -> const Arm& { return summary.arms[static_cast<std::size_t>(a)]; };
  Table table;
  table.name = task.result->name + "-place";
  table.title = plain_text(fmt::format("{}: where the mismatch is handled", task.result->name));
  const std::string arrow = direction_arrow(metric.direction, metric.target);
  table.description = plain_text(fmt::format("{}{}{} on {} samples, by the place in the pipeline.", metric.name,
                                             arrow.empty() ? "" : " ", arrow, name_of(metric.samples)));
  table.rows_are_arms = false;
  for (const AxisPosition& position : axis.positions) {
    table.columns.push_back({.name = std::string(name_of(position.place)), .variant = plain_text(position.lift)});
  }
  for (const Axis::Row& row : axis.rows) {
    TableRow line;
    line.name = plain_text(row.label);
    for (const int a : row.arms) {
      TableCell& cell = line.cells.emplace_back();
      if (a < 0) continue;
      const Summary& entry = summary.table[static_cast<std::size_t>(a)][c];
      cell = summary_cell(entry, arm_of(a).n_cells());
      line.n_ok = line.n_cells = std::max(line.n_cells, arm_of(a).n_ok);
      if (entry.values.empty() && entry.unsupported) cell.content = std::string("unsupported");
    }
    table.rows.push_back(std::move(line));
  }
  std::string places = "nowhere: no lift; data: lifted training points";
  std::set<std::string> told;
  for (const int a : axis.variations) {
    std::string words = fmt::format("; {} = {}", name_of(*arm_of(a).place), short_label(arm_of(a)));
    if (told.insert(words).second) places += words;
  }
  table.footnotes.emplace_back(plain_text(places));
  for (const int a : axis.unplaced) {
    table.footnotes.emplace_back(plain_text(
        fmt::format("not in the table: the suite does not say where {} handles it", short_label(arm_of(a)))));
  }
  std::vector<std::string> ends;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    if (summary.arms[a].learns()) continue;
    const Summary& entry = summary.table[a][c];
    ends.push_back(fmt::format("{} {}", summary.arms[a].method, measured_text(entry.mean, entry.sd)));
  }
  ends.push_back("perfect model " + measured_text(metric.null, metric.null_sd));
  table.footnotes.emplace_back(plain_text(fmt::format("for comparison: {}", fmt::join(ends, ", "))));
  return table;
}

Table diagnostic_table(const TaskAnalysis& task, const DiagnosticSummary& diagnostic) {
  Table table;
  table.name = task.result->name + "-" + diagnostic.label;
  table.title = plain_text(fmt::format("{}: {}", task.result->name, diagnostic.label));
  table.description = "Diagnostic: mean ± standard deviation over seeds.";
  for (const std::string& name : diagnostic.names) table.columns.push_back({.name = plain_text(name), .variant = ""});
  std::set<std::string> problems(diagnostic.problems.begin(), diagnostic.problems.end());
  for (const DiagnosticSummary::Row& asked : diagnostic.rows) {
    const Arm& arm = task.summary.arms[asked.arm];
    TableRow row;
    row.name = plain_text(arm.method);
    row.lift = arm.lifted() ? plain_text(arm.lift) : "";
    row.n_ok = row.n_cells = asked.seeds;
    for (const DiagnosticAnswer& answer : asked.answers) {
      TableCell cell = number_cell(Measured{answer.mean, answer.sd});
      cell.seeds = answer.values;
      cell.n_asked = asked.seeds;
      if (answer.values.empty()) cell.note = answer.problem;
      if (!answer.problem.empty()) problems.insert(answer.problem);
      row.cells.push_back(std::move(cell));
    }
    table.rows.push_back(std::move(row));
  }
  for (const std::string& problem : problems) table.footnotes.emplace_back(plain_text(problem));
  return table;
}

}  // namespace onmanifold
