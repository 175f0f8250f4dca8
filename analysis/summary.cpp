// SPDX-License-Identifier: Apache-2.0
#include "analysis/summary.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "core/call_count.hpp"
#include "core/math/statistics.hpp"

namespace onmanifold {
namespace {

Vector to_vector(const std::vector<double>& values) {
  return Eigen::Map<const Vector>(values.data(), static_cast<Index>(values.size()));
}

// Mean of what is known, or NaN.
double mean_of(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  return values.empty() ? MetricRecord::unknown : mean(to_vector(values));
}

const std::vector<MetricRecord>& records_of(const CellResult& cell, SampleKind samples) {
  return samples == SampleKind::raw ? cell.raw : cell.projected;
}

bool is_applicable(const MetricRecord& record) {
  return record.status.state != RecordState::not_applicable;
}

// Unknown for submissions, and for programs of others where the suite did not state it; a lift handles it in the data.
std::optional<Place> place_of(const CellResult& cell) {
  const CellMethod& method = cell.head.method;
  if (method.info.place != Place::nowhere) return method.info.place;
  if (method.lift != LiftType::none) return Place::data;
  return method.info.foreign || cell.submission ? std::nullopt : std::optional(Place::nowhere);
}

// Lifts as tables show them: the control before what it controls for.
int lift_rank(const Arm& arm) {
  return arm.submission ? 3 : arm.lift_type == LiftType::normal ? 2 : arm.lift_type == LiftType::isotropic ? 1 : 0;
}

// With respect to which volume a density was taken, from the parameters of its record.
std::string measure_of(const std::string& parameters) {
  if (parameters.find("\"measure\"") == std::string::npos) return "";
  try {
    return find_text(parse_json(parameters, "parameters"), "measure");
  } catch (const std::runtime_error&) {
    return "";
  }
}

std::vector<Arm> arms_of(const TaskResult& task) {
  std::map<std::pair<std::string, std::string>, Arm> by_name;
  for (const CellResult& cell : task.cells) {
    const auto [place, is_new] = by_name.try_emplace({cell.key.method, cell.key.lift});
    Arm& arm = place->second;
    if (is_new) {
      arm.method = cell.key.method;
      arm.lift = cell.key.lift;
    }
    // A cell that cannot be read does not say what it is: the first that does.
    if (arm.type.empty()) {
      const CellMethod& method = cell.head.method;
      arm.type = method.type;
      arm.role = method.info.role;
      arm.varies = method.info.varies;
      arm.floor = method.info.floor;
      arm.lift_type = method.lift;
      arm.place = place_of(cell);
    }
    arm.submission = cell.submission;
    if (std::isnan(arm.lift_sigma)) arm.lift_sigma = find_number(cell.head.config, "lift.sigma");
    if (cell.has_metrics) ++arm.n_ok;
    arm.cells.push_back(&cell);
  }
  std::vector<Arm> arms;
  for (auto& [name, arm] : by_name) {
    std::stable_sort(arm.cells.begin(), arm.cells.end(),
                     [](const CellResult* a, const CellResult* b) { return a->key.seed < b->key.seed; });
    arms.push_back(std::move(arm));
  }
  std::stable_sort(arms.begin(), arms.end(), [](const Arm& a, const Arm& b) {
    return std::tuple(a.role, a.method, lift_rank(a), a.lift) < std::tuple(b.role, b.method, lift_rank(b), b.lift);
  });
  return arms;
}

/// Columns while records are added to them, and which column a record belongs to.
class ColumnTable {
 public:
  ColumnTable(const TaskResult& task, const MetricInfos& infos) : infos_(infos) {
    for (const CellResult& cell : task.cells) {
      for (const SampleKind samples : {SampleKind::raw, SampleKind::projected}) {
        std::set<std::pair<std::string, std::string>> seen;
        for (const MetricRecord& record : records_of(cell, samples)) {
          if (!seen.emplace(record.name, measure(record)).second) repeated_.insert(record.name);
        }
      }
    }
    for (const SampleKind samples : {SampleKind::raw, SampleKind::projected}) {
      for (const CellResult& cell : task.cells) {
        for (const MetricRecord& record : records_of(cell, samples)) add(record, samples);
      }
    }
    // What never applies has a column of its own only where nothing else has its name.
    std::erase_if(builders_, [&](const Builder& one) {
      return !one.column.applicable && std::any_of(builders_.begin(), builders_.end(), [&](const Builder& other) {
        return other.column.applicable && other.column.name == one.column.name &&
               other.column.samples == one.column.samples;
      });
    });
  }

  [[nodiscard]] std::vector<MetricColumn> columns() const {
    std::vector<MetricColumn> columns;
    for (const Builder& builder : builders_) {
      columns.push_back(builder.column);
      columns.back().null = mean_of(builder.nulls);
      columns.back().null_sd = mean_of(builder.null_sds);
    }
    return columns;
  }

  [[nodiscard]] bool belongs(const MetricRecord& record, const MetricColumn& column) {
    return record.name == column.name && (measure(record) == column.measure || !is_applicable(record)) &&
           (!repeated_.contains(record.name) || record.parameters == column.parameters);
  }

 private:
  struct Builder {
    MetricColumn column;
    std::vector<double> nulls;
    std::vector<double> null_sds;
  };

  const std::string& measure(const MetricRecord& record) {
    const auto [place, is_new] = measures_.try_emplace(record.parameters);
    if (is_new) place->second = measure_of(record.parameters);
    return place->second;
  }

  void add(const MetricRecord& record, SampleKind samples) {
    const bool applicable = is_applicable(record);
    auto place = std::find_if(builders_.begin(), builders_.end(), [&](const Builder& b) {
      return b.column.name == record.name && b.column.samples == samples && b.column.measure == measure(record) &&
             (!repeated_.contains(record.name) || b.column.parameters == record.parameters);
    });
    const bool is_new = place == builders_.end();
    if (is_new) place = builders_.insert(place, Builder{});
    MetricColumn& column = place->column;
    // The protocol is that of a record with a value, if there is one: what does not apply has none that could differ.
    if (is_new || (applicable && !column.applicable)) {
      column.name = record.name;
      column.measure = measure(record);
      column.samples = samples;
      const auto info = infos_.find(record.name);
      column.read_here = samples == (info == infos_.end() ? SampleKind::projected : info->second.samples);
      column.constraint = info != infos_.end() && info->second.constraint;
      column.direction = record.direction;
      column.unit = record.unit;
      column.target = record.target;
      column.parameters = record.parameters;
      column.n_samples = record.n_samples;
      column.n_reference = record.n_reference;
      column.version = record.version;
      column.applicable = applicable;
    } else if (!applicable && column.applicable) {
      return;
    } else if (column.version != record.version || column.parameters != record.parameters ||
               column.n_samples != record.n_samples || column.n_reference != record.n_reference ||
               column.direction != record.direction) {
      column.mixed_protocol = true;
    }
    place->nulls.push_back(record.null);
    place->null_sds.push_back(record.null_sd);
  }

  const MetricInfos& infos_;
  std::set<std::string> repeated_;  // names that a cell holds more than once: there, parameters tell them apart
  std::map<std::string, std::string, std::less<>> measures_;  // by parameters
  std::vector<Builder> builders_;
};

bool is_at_floor(const MetricColumn& column, const Summary& summary) {
  if (!column.direction || !std::isfinite(summary.mean) || !std::isfinite(summary.null) ||
      !std::isfinite(summary.null_sd)) {
    return false;
  }
  const double margin = 2.0 * summary.null_sd;
  switch (*column.direction) {
    case Direction::lower:
      return summary.mean < summary.null + margin;
    case Direction::higher:
      return summary.mean > summary.null - margin;
    case Direction::target:
      break;
  }
  return std::abs(summary.mean - summary.null) < margin;
}

Summary summary_of(const Arm& arm, const MetricColumn& column, ColumnTable& columns) {
  Summary entry;
  std::vector<double> nulls;
  std::vector<double> null_sds;
  std::vector<double> evaluation_spreads;
  const auto miss = [&](const std::string& reason, bool of_cell) {
    ++entry.n_failed;
    if (!entry.reason.empty()) return;
    entry.reason = reason;
    entry.of_cells = of_cell;
  };
  for (const CellResult* cell : arm.cells) {
    const auto& records = records_of(*cell, column.samples);
    const auto record =
        std::find_if(records.begin(), records.end(), [&](const MetricRecord& r) { return columns.belongs(r, column); });
    if (record == records.end()) {
      entry.unsupported = entry.unsupported || cell->head.status.state == CellState::unsupported;
      miss(cell->has_metrics ? "not computed" : cell->problem, !cell->has_metrics);
      continue;
    }
    // The null value does not need a value beside it.
    nulls.push_back(record->null);
    null_sds.push_back(record->null_sd);
    if (std::isnan(record->value)) {
      miss(record->status.ok() ? "not a number" : record->status.text(), false);
      continue;
    }
    entry.values.emplace_back(cell->key.seed, record->value);
    evaluation_spreads.push_back(record->se);
  }
  entry.null = mean_of(nulls);
  entry.null_sd = mean_of(null_sds);
  std::vector<double> known;
  for (const auto& [seed, value] : entry.values) known.push_back(value);
  if (!known.empty()) {
    entry.reason.clear();
    entry.mean = mean(to_vector(known));
  } else if (entry.reason.empty()) {
    entry.reason = "no cell";
  }
  if (known.size() >= 2 && std::isfinite(entry.mean)) {
    entry.sd = standard_deviation(to_vector(known));
    entry.standard_error = standard_error(to_vector(known));
    entry.interval = t_half_width(to_vector(known));
  } else if (known.size() == 1) {
    entry.standard_error = mean_of(evaluation_spreads);
  }
  entry.at_floor = is_at_floor(column, entry);
  return entry;
}

}  // namespace

double loss(const MetricColumn& column, double value) {
  return loss(column.direction, column.target, value);
}

ScaleEnds scale_ends(const TaskSummary& summary) {
  ScaleEnds ends;
  for (std::size_t a = summary.arms.size(); a-- > 0;) {
    const Arm& arm = summary.arms[a];
    if (arm.lifted()) continue;
    if (arm.floor) ends.floor = static_cast<int>(a);
    if (arm.role == MethodRole::oracle) ends.ceiling = static_cast<int>(a);
  }
  return ends;
}

int TaskSummary::column(const std::string& name, SampleKind samples, const std::string& measure) const {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const MetricColumn& one) {
    return one.name == name && one.samples == samples && (measure.empty() || one.measure == measure);
  });
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

void mark_best(const std::vector<Arm>& arms, const MetricColumn& column, std::vector<Summary*> summaries) {
  for (Summary* summary : summaries) summary->best = summary->second = false;
  if (column.mixed_protocol) return;
  const auto place = [&](const Summary* entry) { return loss(column, entry->mean); };
  const auto margin = [](const Summary* entry) {
    return std::isfinite(entry->standard_error) ? entry->standard_error : 0.0;
  };
  std::vector<Summary*> ranked;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    if (arms[a].learns() && summaries[a]->n_failed == 0 && !std::isnan(place(summaries[a])))
      ranked.push_back(summaries[a]);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [&](const Summary* a, const Summary* b) { return place(a) < place(b); });
  if (ranked.empty()) return;
  const Summary* const best = ranked.front();
  for (Summary* one : ranked) one->best = place(one) <= place(best) + margin(best);
  if (ranked.size() < 2 || ranked[1]->best) return;
  const Summary* const second = ranked[1];
  if (!(place(second) - place(best) > std::hypot(margin(best), margin(second)))) return;
  for (Summary* one : ranked) one->second = !one->best && place(one) <= place(second) + margin(second);
}

TaskSummary summarise(const TaskResult& task, const MetricInfos& infos) {
  count_call("summarise");
  TaskSummary summary;
  summary.arms = arms_of(task);
  for (const CellResult& cell : task.cells) summary.seeds.insert(cell.key.seed);
  ColumnTable columns(task, infos);
  summary.columns = columns.columns();
  for (const Arm& arm : summary.arms) {
    std::vector<Summary>& row = summary.table.emplace_back();
    for (const MetricColumn& column : summary.columns) row.push_back(summary_of(arm, column, columns));
  }
  for (std::size_t c = 0; c < summary.columns.size(); ++c) {
    std::vector<Summary*> entries;
    for (std::vector<Summary>& row : summary.table) entries.push_back(&row[c]);
    mark_best(summary.arms, summary.columns[c], entries);
  }
  const std::vector<int> asked = asked_columns(summary);
  const std::string stated = task.file ? primary_metric(*task.file) : "";
  for (const int c : asked) {
    if (summary.primary < 0 && summary.columns[static_cast<std::size_t>(c)].name == stated) summary.primary = c;
  }
  if (summary.primary < 0 && !asked.empty()) summary.primary = asked.front();
  return summary;
}

std::vector<int> all_columns(const TaskSummary& summary, SampleKind samples) {
  std::vector<int> result;
  for (std::size_t i = 0; i < summary.columns.size(); ++i) {
    if (summary.columns[i].samples == samples) result.push_back(static_cast<int>(i));
  }
  return result;
}

std::vector<int> asked_columns(const TaskSummary& summary) {
  std::vector<int> result;
  for (const SampleKind samples : {SampleKind::projected, SampleKind::raw}) {
    for (const int c : all_columns(summary, samples)) {
      const MetricColumn& column = summary.columns[static_cast<std::size_t>(c)];
      // Where the metric was measured on the other kind alone, that is what there is.
      const SampleKind other = samples == SampleKind::raw ? SampleKind::projected : SampleKind::raw;
      if (!column.read_here && summary.column(column.name, other) >= 0) continue;
      if (column.applicable) result.push_back(c);
    }
  }
  const auto primary = std::find(result.begin(), result.end(), summary.primary);
  if (primary != result.end()) std::rotate(result.begin(), primary, primary + 1);
  return result;
}

double lift_visibility(const TaskResult& task, const Arm& arm) {
  if (!task.file) return MetricRecord::unknown;
  // s_min is in standardised units: the scalar of the task brings it to data units.
  const double s_min = find_number(task.file->details, "s_min") * find_number(task.file->details, "scale");
  if (!(s_min > 0.0) || std::isinf(s_min) || !(arm.lift_sigma > 0.0)) return MetricRecord::unknown;
  return arm.lift_sigma / s_min;
}

std::string arm_label(const std::string& method, const std::string& lift) {
  return lift.empty() ? method : method + " " + lift;
}

std::string short_label(const Arm& arm) {
  return arm_label(arm.method, arm.lifted() ? arm.lift : "");
}

}  // namespace onmanifold
