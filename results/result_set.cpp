// SPDX-License-Identifier: Apache-2.0
#include "results/result_set.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "results/old_files.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

// Neighbours mostly come from one run: \p provenance is that of the cell before, and then of this one.
CellResult load_cell(const std::string& directory, const CellKey& key, std::shared_ptr<const Value>& provenance,
                     std::map<std::string, MetricInfo>& infos) {
  CellResult cell;
  cell.key = key;
  try {
    cell.head = read_cell_head(key.raw_path(directory));
    if (cell.head.provenance != *provenance) {
      provenance = std::make_shared<const Value>(std::move(cell.head.provenance));
    }
    cell.provenance = provenance;
    cell.head.provenance = Value();
  } catch (const std::runtime_error& error) {
    cell.head.status = {CellState::failed, error.what()};
    cell.problem = fmt::format("unreadable: {}", error.what());
    return cell;
  }
  if (!cell.head.status.ok()) {
    cell.problem = name_of(cell.head.status.state);
    if (!cell.head.status.message.empty()) cell.problem += ": " + cell.head.status.message;
    return cell;
  }
  const std::string metrics_path = key.metrics_path(directory);
  if (!is_there(metrics_path)) {
    cell.problem = "no metrics file: samples are there, metrics have not been computed";
    return cell;
  }
  try {
    MetricsCell metrics = read_metrics_cell(metrics_path);
    cell.raw = std::move(metrics.raw);
    cell.projected = std::move(metrics.projected);
    cell.has_metrics = true;
    infos.merge(metrics.metrics);
  } catch (const std::runtime_error& error) {
    cell.problem = fmt::format("unreadable metrics: {}", error.what());
  }
  return cell;
}

}  // namespace

ResultSet load_results(const std::string& directory) {
  ResultSet results;
  results.directory = directory;
  const auto task_of = [&](const std::string& name) -> TaskResult& {
    const auto place = std::lower_bound(results.tasks.begin(), results.tasks.end(), name,
                                        [](const TaskResult& task, const std::string& n) { return task.name < n; });
    if (place != results.tasks.end() && place->name == name) return *place;
    TaskResult task;
    task.name = name;
    task.problem = "no task.h5";
    return *results.tasks.insert(place, std::move(task));
  };
  auto provenance = std::make_shared<const Value>();
  for (const CellKey& key : find_cells(directory)) {
    task_of(key.task).cells.push_back(load_cell(directory, key, provenance, results.metrics));
  }
  std::error_code code;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, code)) {
    const fs::path path = entry.path() / "task.h5";
    if (!is_there(path)) continue;
    TaskResult& task = task_of(entry.path().filename().string());
    try {
      task.file = read_task_file(path.string());
      task.problem.clear();
    } catch (const std::runtime_error& error) {
      task.problem = error.what();
    }
  }
  if (results.tasks.empty()) {
    throw InvalidInput(fmt::format("{}: no results here (expected <task>/<method>/<lift>/seed-<k>.h5)", directory));
  }
  return results;
}

SuiteInfo suite_of(const TaskFile& task) {
  const auto purpose = find_named<SuitePurpose>(find_text(task.details, "purpose"));
  if (!purpose) return suite_of_old_file(task);
  return {.name = find_text(task.details, "suite"),
          .purpose = *purpose,
          .claims = find_flag(task.details, "claims", false)};
}

std::string primary_metric(const TaskFile& task) {
  const std::string stated = find_text(task.details, "primary_metric");
  return stated.empty() ? primary_metric_of_old_file(task) : stated;
}

std::map<int, Vector> diagnostic_series(const TaskResult& task, const std::string& method, const std::string& lift,
                                        const std::string& label, const std::string& name) {
  std::map<int, Vector> found;
  for (const CellResult& cell : task.cells) {
    if (cell.key.method != method || cell.key.lift != lift) continue;
    const auto place = cell.head.diagnostics.find(label);
    if (place == cell.head.diagnostics.end()) continue;
    const auto values = place->second.numbers.find(name);
    if (values != place->second.numbers.end() && values->second.size() > 0)
      found.emplace(cell.key.seed, values->second);
  }
  return found;
}

const Value* find_value(const Value& value, std::string_view path) {
  const Value* node = &value;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const auto* table = node->get_if<Value::Table>();
    if (table == nullptr) return nullptr;
    const auto member = table->find(std::string(path.substr(0, dot)));
    if (member == table->end()) return nullptr;
    node = &member->second;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return node;
}

double as_number(const Value& value) {
  if (const auto* number = value.get_if<double>()) return *number;
  if (const auto* integer = value.get_if<std::int64_t>()) return static_cast<double>(*integer);
  // JSON has no infinities: files spell them.
  const auto* text = value.get_if<std::string>();
  if (text != nullptr && *text == "inf") return std::numeric_limits<double>::infinity();
  if (text != nullptr && *text == "-inf") return -std::numeric_limits<double>::infinity();
  return std::numeric_limits<double>::quiet_NaN();
}

double find_number(const Value& value, std::string_view path) {
  const Value* found = find_value(value, path);
  return found == nullptr ? std::numeric_limits<double>::quiet_NaN() : as_number(*found);
}

std::string find_text(const Value& value, std::string_view path) {
  const Value* found = find_value(value, path);
  const auto* text = found == nullptr ? nullptr : found->get_if<std::string>();
  return text == nullptr ? std::string() : *text;
}

bool find_flag(const Value& value, std::string_view path, bool otherwise) {
  const Value* found = find_value(value, path);
  const bool* flag = found == nullptr ? nullptr : found->get_if<bool>();
  return flag == nullptr ? otherwise : *flag;
}

}  // namespace onmanifold
