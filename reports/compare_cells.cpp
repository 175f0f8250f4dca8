// SPDX-License-Identifier: Apache-2.0
#include "reports/compare_cells.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace onmanifold {
namespace {

std::string text_at(const Value& config, const char* path) {
  const Value* value = find_value(config, path);
  return value == nullptr ? "" : to_json(*value);
}

bool finished(const CellResult* cell) {
  return cell->problem.empty();
}

}  // namespace

std::string ConfigurationKey::text() const {
  return fmt::format("{}/{}/{}", task, method, lift);
}

const CellResult* ConfigurationCells::first_ok() const {
  const auto found = std::find_if(cells.begin(), cells.end(), finished);
  return found == cells.end() ? nullptr : *found;
}

int ConfigurationCells::n_ok() const {
  return static_cast<int>(std::count_if(cells.begin(), cells.end(), finished));
}

double ConfigurationCells::detail(const char* name) const {
  return task->file ? find_number(task->file->details, name) : MetricRecord::unknown;
}

std::map<ConfigurationKey, ConfigurationCells> configurations_of(const ResultSet& results) {
  std::map<ConfigurationKey, ConfigurationCells> found;
  for (const TaskResult& task : results.tasks) {
    for (const CellResult& cell : task.cells) {
      ConfigurationCells& side = found[{cell.key.task, cell.key.method, cell.key.lift}];
      side.task = &task;
      side.cells.push_back(&cell);
    }
  }
  return found;
}

std::string protocol_difference(const ConfigurationCells& base, const ConfigurationCells& candidate) {
  const CellResult* a = base.first_ok();
  const CellResult* b = candidate.first_ok();
  if (a == nullptr || b == nullptr) return "";
  for (const char* path : {"task.version", "task.data_hash", "task.s_min", "task.settings", "n_train", "n_samples",
                           "lift.type", "lift.sigma"}) {
    const std::string first = text_at(a->head.config, path);
    const std::string second = text_at(b->head.config, path);
    if (first != second) return fmt::format("{} is {} and {}", path, first, second);
  }
  const bool fresh = find_value(a->head.config, "fresh") != nullptr;
  if (fresh != (find_value(b->head.config, "fresh") != nullptr)) {
    return fmt::format("training points are {}",
                       fresh ? "new in every pass and the same ones" : "the same ones and new in every pass");
  }
  return "";
}

bool same_seed(const ConfigurationCells& base, const ConfigurationCells& candidate) {
  const CellResult* a = base.first_ok();
  const CellResult* b = candidate.first_ok();
  return a != nullptr && b != nullptr && text_at(a->head.config, "seed") == text_at(b->head.config, "seed");
}

bool same_reference(const ConfigurationCells& base, const ConfigurationCells& candidate) {
  if (same_seed(base, candidate)) return true;
  if (!base.task->file || !candidate.task->file) return false;
  const Points& a = base.task->file->reference;
  const Points& b = candidate.task->file->reference;
  return a.size() > 0 && a.rows() == b.rows() && a.cols() == b.cols() && a == b;
}

const std::vector<MetricRecord>& records_of(const CellResult& cell, SampleKind kind) {
  return kind == SampleKind::raw ? cell.raw : cell.projected;
}

bool same_protocol(const MetricRecord& a, const MetricRecord& b) {
  const bool same_target = a.target == b.target || (std::isnan(a.target) && std::isnan(b.target));
  return a.version == b.version && a.direction == b.direction && same_target && a.n_samples == b.n_samples &&
         a.n_reference == b.n_reference;
}

MetricValues metric_values(const ConfigurationCells& side, SampleKind kind, const std::string& name,
                           const std::string& parameters) {
  MetricValues found;
  int records = 0;
  for (const CellResult* cell : side.cells) {
    for (const MetricRecord& record : records_of(*cell, kind)) {
      if (record.name != name || record.parameters != parameters) continue;
      if (found.record == nullptr) found.record = &record;
      found.mixed = found.mixed || !same_protocol(*found.record, record);
      if (std::isnan(record.value)) {
        found.nan.insert(cell->key.seed);
      } else {
        found.values[cell->key.seed] = record.value;
      }
      found.null += record.null;
      found.null_sd += record.null_sd;
      ++records;
    }
  }
  found.null /= records;
  found.null_sd /= records;
  return found;
}

bool has_metric(const ConfigurationCells& side, SampleKind kind, const std::string& name) {
  return std::any_of(side.cells.begin(), side.cells.end(), [&](const CellResult* cell) {
    const auto& records = records_of(*cell, kind);
    return std::any_of(records.begin(), records.end(), [&](const MetricRecord& r) { return r.name == name; });
  });
}

Values timings(const ConfigurationCells& side, const std::string& stage) {
  Values values;
  for (const CellResult* cell : side.cells) {
    const auto found = cell->head.timing.find(stage);
    if (finished(cell) && found != cell->head.timing.end() && found->second > 0) values[cell->key.seed] = found->second;
  }
  return values;
}

}  // namespace onmanifold
