// SPDX-License-Identifier: Apache-2.0
#include "reports/aggregate.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "core/math/statistics.hpp"

namespace onmanifold {
namespace {

int lift_rank(const std::string& lift) {
  if (lift == "none") return 0;
  if (lift.starts_with("isotropic")) return 1;
  if (lift.starts_with("normal")) return 2;
  return 3;
}

auto display_order(const Arm& arm) {
  return std::make_tuple(arm.role, arm.method, lift_rank(arm.lift), arm.lift);
}

// Mean of what is known, or NaN. Sums run in the order of the cells: a report is bit-identical on every run.
double mean_of(const std::vector<double>& values) {
  double sum = 0.0;
  int n = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    ++n;
  }
  return n == 0 ? MetricRecord::unknown : sum / n;
}

// Names that occur more than once in some cell: there, the parameters tell the metrics apart.
std::set<std::string> repeated_names(const TaskResult& task) {
  std::set<std::string> repeated;
  for (const CellResult& cell : task.cells) {
    for (const auto* records : {&cell.raw, &cell.projected}) {
      std::set<std::string> seen;
      for (const MetricRecord& record : *records) {
        if (!seen.insert(record.name).second) repeated.insert(record.name);
      }
    }
  }
  return repeated;
}

struct ColumnBuilder {
  MetricColumn column;
  std::vector<double> nulls;
  std::vector<double> null_sds;
  bool first = true;
  bool applicable = false;  // the protocol is that of a record with a value, if there is one
  int version = 1;
};

void add_to_column(ColumnBuilder& builder, const MetricRecord& record) {
  MetricColumn& column = builder.column;
  // What does not apply to a method has no protocol that could differ.
  const bool applicable = record.status.state != RecordState::not_applicable;
  if (builder.first || (applicable && !builder.applicable)) {
    column.direction = record.direction;
    column.unit = record.unit;
    column.target = record.target;
    column.parameters = record.parameters;
    column.n_samples = record.n_samples;
    column.n_reference = record.n_reference;
    builder.version = record.version;
    builder.first = false;
    builder.applicable = applicable;
  } else if (!applicable && builder.applicable) {
    return;
  } else if (builder.version != record.version || column.parameters != record.parameters ||
             column.n_samples != record.n_samples || column.n_reference != record.n_reference ||
             column.direction != record.direction) {
    column.mixed_protocol = true;
  }
  column.n_nonfinite += record.n_nonfinite;
  builder.nulls.push_back(record.null);
  builder.null_sds.push_back(record.null_sd);
}

bool is_at_floor(const MetricColumn& column, const Summary& summary) {
  if (!std::isfinite(summary.mean) || !std::isfinite(summary.null) || !std::isfinite(summary.null_sd)) return false;
  const double margin = 2.0 * summary.null_sd;
  if (column.direction == Direction::lower) return summary.mean < summary.null + margin;
  if (column.direction == Direction::higher) return summary.mean > summary.null - margin;
  if (column.direction == Direction::target) return std::abs(summary.mean - summary.null) < margin;
  return false;
}

void finish(Summary& summary, const std::vector<double>& evaluation_spreads) {
  const auto n = static_cast<Index>(summary.values.size());
  Vector values(n);
  for (Index i = 0; i < n; ++i) values(i) = summary.values[static_cast<std::size_t>(i)].second;
  if (n > 0) summary.mean = mean(values);
  if (n >= 2 && std::isfinite(summary.mean)) {
    summary.sd = standard_deviation(values);
    summary.standard_error = standard_error(values);
    summary.interval = t_half_width(values);
  } else if (n == 1) {
    summary.standard_error = mean_of(evaluation_spreads);
  }
}

}  // namespace

double loss(const MetricColumn& column, double value) {
  if (column.direction == Direction::lower) return value;
  if (column.direction == Direction::higher) return -value;
  if (column.direction == Direction::target) return std::abs(value - column.target);
  return MetricRecord::unknown;
}

std::vector<TaskSummary> summarise_all(const ResultSet& results) {
  std::vector<TaskSummary> summaries;
  for (const TaskResult& task : results.tasks) summaries.push_back(summarise(task));
  return summaries;
}

std::string to_string(SampleKind kind) {
  return kind == SampleKind::raw ? "raw" : "projected";
}

ArmRole arm_role(const std::string& method) {
  if (method == "oracle") return ArmRole::oracle;
  if (method == "exact_score") return ArmRole::analytic;
  if (method == "gaussian" || method == "memorizer") return ArmRole::control;
  return ArmRole::learner;
}

int TaskSummary::column(const std::string& name, SampleKind samples) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name && columns[i].samples == samples) return static_cast<int>(i);
  }
  return -1;
}

void mark_best(const std::vector<Arm>& arms, const MetricColumn& column, std::vector<Summary*> summaries) {
  for (Summary* summary : summaries) summary->best = summary->second = false;
  if (column.mixed_protocol) return;
  const auto ranked = [&](std::size_t i) {
    return arms[i].role == ArmRole::learner && summaries[i]->n_failed == 0 &&
           !std::isnan(loss(column, summaries[i]->mean));
  };
  const Summary* best = nullptr;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (!ranked(i)) continue;
    if (best == nullptr || loss(column, summaries[i]->mean) < loss(column, best->mean)) best = summaries[i];
  }
  if (best == nullptr) return;
  const double margin = std::isfinite(best->standard_error) ? best->standard_error : 0.0;
  const double limit = loss(column, best->mean) + margin;
  int n_best = 0;
  const Summary* second = nullptr;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (!ranked(i)) continue;
    summaries[i]->best = loss(column, summaries[i]->mean) <= limit;
    if (summaries[i]->best) {
      ++n_best;
    } else if (second == nullptr || loss(column, summaries[i]->mean) < loss(column, second->mean)) {
      second = summaries[i];
    }
  }
  if (n_best != 1 || second == nullptr) return;
  const double own = std::isfinite(second->standard_error) ? second->standard_error : 0.0;
  const double place = loss(column, second->mean);
  if (!(place - loss(column, best->mean) > std::hypot(margin, own))) return;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (ranked(i) && !summaries[i]->best) summaries[i]->second = loss(column, summaries[i]->mean) <= place + own;
  }
}

TaskSummary summarise(const TaskResult& task) {
  TaskSummary summary;

  // Arms.
  for (const CellResult& cell : task.cells) {
    auto place = std::find_if(summary.arms.begin(), summary.arms.end(), [&](const Arm& arm) {
      return arm.method == cell.key.method && arm.lift == cell.key.lift;
    });
    if (place == summary.arms.end()) {
      Arm arm;
      arm.method = cell.key.method;
      arm.lift = cell.key.lift;
      arm.role = arm_role(cell.key.method);
      place = summary.arms.insert(place, arm);
    }
    ++place->n_cells;
    if (cell.has_metrics) ++place->n_ok;
    if (place->type.empty()) place->type = find_text(cell.head.config, "method.type");
    if (place->lift_type.empty()) place->lift_type = find_text(cell.head.config, "lift.type");
    if (std::isnan(place->lift_sigma)) place->lift_sigma = find_number(cell.head.config, "lift.sigma");
    summary.seeds.insert(cell.key.seed);
  }
  std::sort(summary.arms.begin(), summary.arms.end(),
            [](const Arm& a, const Arm& b) { return display_order(a) < display_order(b); });

  // Columns, in the order in which the records name them.
  const std::set<std::string> repeated = repeated_names(task);
  std::vector<ColumnBuilder> builders;
  const auto column_of = [&](const MetricRecord& record, SampleKind samples) {
    return std::find_if(builders.begin(), builders.end(), [&](const ColumnBuilder& b) {
      return b.column.name == record.name && b.column.samples == samples &&
             (!repeated.contains(record.name) || b.column.parameters == record.parameters);
    });
  };
  for (const SampleKind samples : {SampleKind::raw, SampleKind::projected}) {
    for (const CellResult& cell : task.cells) {
      for (const MetricRecord& record : samples == SampleKind::raw ? cell.raw : cell.projected) {
        auto place = column_of(record, samples);
        if (place == builders.end()) {
          ColumnBuilder builder;
          builder.column.name = record.name;
          builder.column.samples = samples;
          place = builders.insert(place, builder);
        }
        add_to_column(*place, record);
      }
    }
  }
  for (ColumnBuilder& builder : builders) {
    builder.column.null = mean_of(builder.nulls);
    builder.column.null_sd = mean_of(builder.null_sds);
    summary.columns.push_back(builder.column);
  }

  // Cells.
  summary.table.assign(summary.arms.size(), std::vector<Summary>(summary.columns.size()));
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Arm& arm = summary.arms[a];
    for (std::size_t c = 0; c < summary.columns.size(); ++c) {
      const MetricColumn& column = summary.columns[c];
      Summary& entry = summary.table[a][c];
      std::vector<double> nulls;
      std::vector<double> null_sds;
      std::vector<double> evaluation_spreads;
      std::string reason;
      for (const CellResult& cell : task.cells) {
        if (cell.key.method != arm.method || cell.key.lift != arm.lift) continue;
        const auto& records = column.samples == SampleKind::raw ? cell.raw : cell.projected;
        const auto record = std::find_if(records.begin(), records.end(), [&](const MetricRecord& r) {
          return r.name == column.name && (!repeated.contains(r.name) || r.parameters == column.parameters);
        });
        if (record == records.end()) {
          ++entry.n_failed;
          if (reason.empty()) reason = cell.has_metrics ? "not computed" : cell.problem;
          continue;
        }
        // The null value does not need a value beside it.
        nulls.push_back(record->null);
        null_sds.push_back(record->null_sd);
        if (std::isnan(record->value)) {
          ++entry.n_failed;
          if (reason.empty()) reason = record->status.ok() ? "not a number" : record->status.text();
          continue;
        }
        entry.values.emplace_back(cell.key.seed, record->value);
        evaluation_spreads.push_back(record->se);
      }
      std::sort(entry.values.begin(), entry.values.end());
      entry.null = mean_of(nulls);
      entry.null_sd = mean_of(null_sds);
      finish(entry, evaluation_spreads);
      if (entry.values.empty()) entry.reason = reason.empty() ? "no cell" : reason;
      entry.at_floor = is_at_floor(column, entry);
    }
  }
  for (std::size_t c = 0; c < summary.columns.size(); ++c) {
    std::vector<Summary*> entries;
    for (std::size_t a = 0; a < summary.arms.size(); ++a) entries.push_back(&summary.table[a][c]);
    mark_best(summary.arms, summary.columns[c], entries);
  }
  return summary;
}

}  // namespace onmanifold
