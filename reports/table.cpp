// SPDX-License-Identifier: Apache-2.0
#include "reports/table.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/submissions.hpp"

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

RowGroup group_of(ArmRole role) {
  switch (role) {
    case ArmRole::oracle:
      return RowGroup::oracle;
    case ArmRole::analytic:
      return RowGroup::analytic;
    case ArmRole::control:
      return RowGroup::control;
    case ArmRole::learner:
      break;
  }
  return RowGroup::learner;
}

TableCell make_cell(const Arm& arm, const Summary& summary) {
  TableCell cell;
  cell.text = format_measured(summary.mean, summary.sd);
  cell.best = summary.best;
  cell.second = summary.second;
  cell.at_floor = summary.at_floor;
  cell.note = summary.reason;
  if (summary.reason.empty() && summary.n_failed > 0) {
    cell.note = fmt::format("over {} of {} seeds", summary.values.size(), arm.n_cells);
  }
  if (!summary.values.empty()) {
    if (std::isfinite(summary.interval)) {
      cell.detail = fmt::format("95 % interval of the mean ± {:.2g}; ", summary.interval);
    }
    cell.detail += "seeds: ";
    for (std::size_t i = 0; i < summary.values.size(); ++i) {
      cell.detail += fmt::format("{}{:.6g}", i == 0 ? "" : ", ", summary.values[i].second);
    }
  }
  return cell;
}

// {"bins":288,"k":5} -> "bins 288, k 5"; text that is no JSON object stays as it is.
std::string readable_parameters(const std::string& parameters) {
  Value value;
  try {
    value = parse_json(parameters, "parameters");
  } catch (const std::runtime_error&) {
    return parameters;
  }
  const auto* table = value.get_if<Value::Table>();
  if (table == nullptr) return parameters;
  std::vector<std::string> parts;
  for (const auto& [key, item] : *table) {
    const auto* text = item.get_if<std::string>();
    const auto* number = item.get_if<double>();
    const std::string shown = text != nullptr     ? *text
                              : number != nullptr ? fmt::format("{:.6g}", *number)
                                                  : to_json(item);
    parts.push_back(key + " " + shown);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string seed_range(const std::set<int>& seeds) {
  if (seeds.empty()) return "none";
  const int first = *seeds.begin();
  const int last = *seeds.rbegin();
  if (first == last) return fmt::format("{}", first);
  if (last - first + 1 == static_cast<int>(seeds.size())) return fmt::format("{}..{}", first, last);
  return fmt::format("{}", fmt::join(seeds, ", "));
}

std::string sizes_line(const TaskResult& task, const TaskSummary& summary, const std::vector<int>& columns) {
  std::vector<std::string> parts;
  const auto size_text = [&](const char* key, const char* what) {
    const double n = task.file ? find_number(task.file->details, key) : MetricRecord::unknown;
    if (std::isfinite(n)) parts.push_back(fmt::format("{:.0f} {}", n, what));
  };
  size_text("n_train", "training points");
  if (!parts.empty()) {
    std::map<std::string, double> own;  // methods that learn from another number
    for (const CellResult& cell : task.cells) {
      const double n = find_number(cell.head.config, "n_train");
      if (std::isfinite(n) && n != find_number(task.file->details, "n_train")) own[cell.key.method] = n;
    }
    std::vector<std::string> texts;
    for (const auto& [method, n] : own) texts.push_back(fmt::format("{} {:.0f}", method, n));
    if (!texts.empty()) parts.back() += fmt::format(" ({})", fmt::join(texts, ", "));
  }
  const double n_samples = task.file ? find_number(task.file->details, "n_samples") : MetricRecord::unknown;
  if (std::isfinite(n_samples)) {
    parts.push_back(fmt::format("{:.0f} samples", n_samples));
  } else if (!columns.empty()) {
    parts.push_back(fmt::format("{} samples", summary.columns[static_cast<std::size_t>(columns[0])].n_samples));
  }
  size_text("n_reference", "reference points");
  return fmt::format("{}{}seeds {}", fmt::join(parts, ", "), parts.empty() ? "" : "; ", seed_range(summary.seeds));
}

}  // namespace

const std::vector<ColumnChoice>& default_columns() {
  static const std::vector<ColumnChoice> choices = {
      {"tvd", SampleKind::projected},           {"fid_lenet", SampleKind::projected},
      {"coverage", SampleKind::projected},      {"mmd2_rbf_unbiased", SampleKind::projected},
      {"nll", SampleKind::raw, true},           {"constraint_mean", SampleKind::raw},
      {"projection_distance", SampleKind::raw}, {"train_copy_rate", SampleKind::raw}};
  return choices;
}

std::vector<int> all_columns(const TaskSummary& summary, SampleKind samples) {
  std::vector<int> result;
  for (std::size_t i = 0; i < summary.columns.size(); ++i) {
    if (summary.columns[i].samples == samples) result.push_back(static_cast<int>(i));
  }
  return result;
}

std::vector<int> chosen_columns(const TaskSummary& summary, const std::vector<ColumnChoice>& choices) {
  std::vector<int> result;
  for (const ColumnChoice& choice : choices) {
    const int column = summary.column(choice.metric, choice.samples);
    const auto known = [column](const std::vector<Summary>& arm) {
      return !arm[static_cast<std::size_t>(column)].values.empty();
    };
    if (column < 0) continue;
    if (choice.only_where_known && std::none_of(summary.table.begin(), summary.table.end(), known)) continue;
    result.push_back(column);
  }
  return result;
}

std::string arm_label(const std::string& method, const std::string& lift) {
  return lift.empty() ? method : method + " " + lift;
}

std::vector<std::string> header_lines(const TableColumn& column, int widest) {
  std::vector<std::string> lines;
  std::string line;
  std::string name = column.metric;
  while (!name.empty()) {
    const std::size_t end = name.find('_');
    const std::string part = end == std::string::npos ? name : name.substr(0, end + 1);
    name.erase(0, part.size());
    if (!line.empty() && display_width(line + part) > widest) {
      lines.push_back(line);
      line.clear();
    }
    line += part;
  }
  lines.push_back(line);
  const std::string last = column.arrow.empty() || column.samples.empty() ? column.samples + column.arrow
                                                                          : column.samples + " " + column.arrow;
  if (last.empty()) return lines;
  if (column.samples.empty()) {
    lines.back() += " " + last;
  } else {
    lines.push_back(last);
  }
  return lines;
}

std::vector<std::string> problem_lines(const TaskResult& task) {
  std::vector<std::string> lines;
  for (const CellResult& cell : task.cells) {
    if (!cell.problem.empty()) lines.push_back(plain_text(cell.key.text() + ": " + cell.problem));
  }
  return lines;
}

double lift_visibility(const TaskResult& task, const Arm& arm) {
  if (!task.file) return MetricRecord::unknown;
  // s_min is in standardised units: the scalar of the task brings it to data units.
  const double scale = find_number(task.file->details, "scale");
  const double s_min = find_number(task.file->details, "s_min") * scale;
  if (!std::isfinite(s_min) || s_min <= 0.0 || std::isnan(arm.lift_sigma) || arm.lift_sigma <= 0.0) {
    return MetricRecord::unknown;
  }
  return arm.lift_sigma / s_min;
}

Table make_table(const TaskResult& task, const TaskSummary& summary, const std::vector<int>& columns) {
  Table table;
  table.title = plain_text(task.name);
  if (task.file) {
    table.description = plain_text(task.file->description);
    if (task.file->version != 1) table.title += fmt::format(" (version {})", task.file->version);
  } else {
    table.description = plain_text("no description: " + task.problem);
  }

  for (const int c : columns) {
    const MetricColumn& column = summary.columns[static_cast<std::size_t>(c)];
    table.columns.push_back({column.name, to_string(column.samples), direction_arrow(column.direction, column.target),
                             column.unit, readable_parameters(column.parameters)});
  }

  // A method whose only lift is "none" and that is no learner has no lift to speak of.
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Arm& arm = summary.arms[a];
    const auto arms_of_method = std::count_if(summary.arms.begin(), summary.arms.end(),
                                              [&](const Arm& other) { return other.method == arm.method; });
    TableRow row;
    row.method = plain_text(arm.method);
    const bool never_lifted = arm.role != ArmRole::learner && arm.lift == "none" && arms_of_method == 1;
    row.lift = never_lifted ? "" : plain_text(arm.lift);
    row.group = group_of(arm.role);
    row.seeds = arm.n_ok == arm.n_cells ? fmt::format("{}", arm.n_cells) : fmt::format("{}/{}", arm.n_ok, arm.n_cells);
    for (const int c : columns) row.cells.push_back(make_cell(arm, summary.table[a][static_cast<std::size_t>(c)]));
    table.equal_seeds = table.equal_seeds && arm.n_ok == arm.n_cells && arm.n_cells == summary.arms.front().n_cells;
    table.rows.push_back(std::move(row));
  }

  TableRow null_row;
  null_row.method = "perfect model";
  null_row.group = RowGroup::null;
  for (const int c : columns) {
    const MetricColumn& column = summary.columns[static_cast<std::size_t>(c)];
    TableCell cell;
    cell.text = format_measured(column.null, column.null_sd);
    if (std::isnan(column.null)) cell.note = "null value unknown";
    null_row.cells.push_back(std::move(cell));
  }
  table.rows.push_back(std::move(null_row));

  // Footnotes: what the numbers are, then what is wrong with some of them.
  std::vector<std::string>& notes = table.footnotes;
  notes.push_back(sizes_line(task, summary, columns) +
                  "; values are mean ± standard deviation over seeds, for a perfect model mean ± sd of one value");
  std::vector<std::string> settings;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const MetricColumn& column = summary.columns[static_cast<std::size_t>(columns[i])];
    std::vector<std::string> parts;
    if (!table.columns[i].parameters.empty()) parts.push_back(table.columns[i].parameters);
    if (!column.unit.empty()) parts.push_back("unit " + column.unit);
    if (!parts.empty()) settings.push_back(fmt::format("{}: {}", column.name, fmt::join(parts, ", ")));
  }
  // The same metric may stand on raw and projected samples with the same settings.
  settings.erase(std::unique(settings.begin(), settings.end()), settings.end());
  if (!settings.empty()) notes.push_back(plain_text(fmt::format("{}", fmt::join(settings, "; "))));
  for (const int c : columns) {
    const MetricColumn& column = summary.columns[static_cast<std::size_t>(c)];
    if (column.mixed_protocol) {
      notes.push_back(fmt::format("{} ({}): records differ in version, settings or sizes, so nothing is ranked",
                                  plain_text(column.name), to_string(column.samples)));
    }
  }
  for (const CellResult& cell : task.cells) {
    if (!cell.submission) continue;
    notes.push_back(plain_text(fmt::format("{} {}: submitted, {}, points {}…; its training is not known here",
                                           cell.key.method, submission_mark, find_text(cell.head.config, "file"),
                                           find_text(cell.head.config, "samples_hash").substr(0, 12))));
  }
  std::vector<std::string> visible;
  for (const Arm& arm : summary.arms) {
    const double ratio = lift_visibility(task, arm);
    if (std::isnan(ratio)) continue;
    visible.push_back(plain_text(
        fmt::format("{} {:.3g}{}", arm_label(arm.method, arm.lift), ratio, ratio < 1.0 ? " (lift invisible)" : "")));
  }
  if (!visible.empty()) {
    notes.push_back(fmt::format("lift over smallest noise of the model, σ/s_min: {}", fmt::join(visible, ", ")));
  }
  if (task.file) {
    if (const std::string published = published_line(task.file->details); !published.empty()) {
      notes.push_back(plain_text(published));
    }
  }
  Index nonfinite = 0;
  for (const CellResult& cell : task.cells) {
    if (!cell.raw.empty()) nonfinite += cell.raw.front().n_nonfinite;
  }
  if (nonfinite > 0) {
    notes.push_back(fmt::format("{} raw samples over all cells are not finite and left out of the metrics", nonfinite));
  }
  std::vector<std::string> reasons;
  for (const TableRow& row : table.rows) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const TableCell& cell = row.cells[i];
      if (row.group == RowGroup::null || cell.note.empty()) continue;
      reasons.push_back(
          plain_text(fmt::format("{}, {}: {}", arm_label(row.method, row.lift), table.columns[i].metric, cell.note)));
    }
  }
  const std::vector<std::string> problems = problem_lines(task);
  // Reasons repeat the message of a failed cell in every column: then the list of cells says it better.
  for (const std::string& reason : reasons) {
    const bool told = std::any_of(task.cells.begin(), task.cells.end(), [&](const CellResult& cell) {
      return !cell.problem.empty() && reason.ends_with(plain_text(": " + cell.problem));
    });
    if (!told && reason.find(": over ") == std::string::npos) notes.push_back("— " + reason);
  }
  if (!problems.empty()) {
    notes.push_back(fmt::format("{} of {} cells have no result:", problems.size(), task.cells.size()));
    for (const std::string& line : problems) notes.push_back("✗ " + line);
  }
  const double expected = task.file ? find_number(task.file->details, "seeds") : MetricRecord::unknown;
  if (std::isfinite(expected)) {
    for (const Arm& arm : summary.arms) {
      if (arm.lift != submission_mark && arm.n_cells < static_cast<int>(expected)) {
        notes.push_back(plain_text(
            fmt::format("{}: {} of {:.0f} seeds are there", arm_label(arm.method, arm.lift), arm.n_cells, expected)));
      }
    }
  }
  return table;
}

}  // namespace onmanifold
