// SPDX-License-Identifier: Apache-2.0
#include "analysis/submissions.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/files/points_hash.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

std::string read_text(const std::string& file) {
  std::error_code ignored;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || fs::is_directory(file, ignored)) throw InvalidInput(fmt::format("{}: cannot be read", file));
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

Index find_count(const Value& value, const char* key) {
  const double number = find_number(value, key);
  return number >= 0 && number < 1e15 ? static_cast<Index>(number) : -1;
}

MetricRecord to_record(const Value& value, const std::string& file) {
  MetricRecord record;
  record.name = find_text(value, "name");
  record.value = find_number(value, "value");
  record.target = find_number(value, "target");
  record.null = find_number(value, "null");
  record.null_sd = find_number(value, "null_sd");
  record.se = find_number(value, "se");
  record.p_value = find_number(value, "p");
  record.unit = find_text(value, "unit");
  record.version = static_cast<int>(std::clamp<Index>(find_count(value, "version"), -1, 1'000'000));
  record.n_reference = find_count(value, "n_reference");
  record.n_samples = find_count(value, "n_samples");
  record.n_nonfinite = std::max<Index>(find_count(value, "n_nonfinite"), 0);
  const std::string status = find_text(value, "status");
  const Value* parameters = find_value(value, "parameters");
  if (record.name.empty() || parameters == nullptr || status.empty()) {
    throw InvalidInput(
        fmt::format("{}: a metric lacks its name, status or parameters; write the file with "
                    "'onmanifold score --json'",
                    file));
  }
  try {
    record.direction = parse_direction(find_text(value, "direction"));
    record.status = parse_record_status(status);
  } catch (const InvalidInput& error) {
    throw InvalidInput(fmt::format("{}: {}: {}", file, record.name, error.what()));
  }
  record.parameters = to_json(*parameters);
  return record;
}

/// How \p record was measured otherwise than \p ours, or "".
std::string difference(const MetricRecord& record, const MetricRecord& ours) {
  const auto says = [](const char* what, const auto& theirs, const auto& own) {
    return fmt::format("{} {}, the results have {}", what, theirs, own);
  };
  if (record.version != ours.version) return says("version", record.version, ours.version);
  if (record.direction != ours.direction) {
    return says("direction", direction_text(record.direction), direction_text(ours.direction));
  }
  if (record.n_samples != ours.n_samples) return says("n_samples", record.n_samples, ours.n_samples);
  if (record.n_reference != ours.n_reference) return says("n_reference", record.n_reference, ours.n_reference);
  if (parse_json(record.parameters, "parameters") != parse_json(ours.parameters, "parameters")) {
    return says("parameters", record.parameters, ours.parameters);
  }
  return "";
}

/// Finds how the built-in cells measured what \p record is. \return false if they do not have it. \throw
/// InvalidInput if they all have it otherwise.
bool measured_alike(const TaskResult& task, bool projected, MetricRecord& record, const std::string& file) {
  std::string different;
  for (const CellResult& cell : task.cells) {
    if (cell.submission) continue;
    for (const MetricRecord& ours : projected ? cell.projected : cell.raw) {
      if (ours.name != record.name || ours.status.state == RecordState::not_applicable) continue;
      const std::string found = difference(record, ours);
      if (found.empty()) {
        record.parameters = ours.parameters;  // the same settings in the same letters: one column
        return true;
      }
      if (different.empty()) different = found;
    }
  }
  if (different.empty()) return false;
  throw InvalidInput(fmt::format("{}: another protocol: {} of {} samples has {}", file, record.name,
                                 projected ? "projected" : "raw", different));
}

void check_same(const std::string& file, const std::string& task, const char* what, const std::string& theirs,
                const std::string& ours) {
  if (theirs == ours) return;
  throw InvalidInput(fmt::format("{}: another {} of {}: {}, the results have {}", file, what, task,
                                 theirs.empty() ? "none" : theirs, ours));
}

/// A name is part of a row's label and of a path-like key.
void check_name(const std::string& name, const std::string& file) {
  const bool plain = !name.empty() && name.size() <= 60 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == '+';
  });
  if (!plain) {
    throw InvalidInput(
        fmt::format("{}: the name '{}' is not made of letters, digits and _-.+ (at most 60): score "
                    "--name gives another",
                    file, name.substr(0, 60)));
  }
}

}  // namespace

void add_submission(ResultSet& results, const std::string& file) {
  const Value score = parse_json(read_text(file), file);
  const std::string task_name = find_text(score, "task");
  const Value* metrics = find_value(score, "metrics");
  const auto* rows = metrics == nullptr ? nullptr : metrics->get_if<Value::Array>();
  if (task_name.empty() || rows == nullptr || find_value(score, "onmanifold") == nullptr) {
    throw InvalidInput(
        fmt::format("{}: is no score of a task; write it with 'onmanifold score --task TASK --json FILE'", file));
  }
  const std::string name = find_text(score, "name");
  check_name(name, file);
  const auto place = std::find_if(results.tasks.begin(), results.tasks.end(),
                                  [&](const TaskResult& candidate) { return candidate.name == task_name; });
  if (place == results.tasks.end()) {
    std::vector<std::string> known;
    for (const TaskResult& candidate : results.tasks) known.push_back(candidate.name);
    throw InvalidInput(
        fmt::format("{}: no task '{}' in {} (there: {})", file, task_name, results.directory, fmt::join(known, ", ")));
  }
  TaskResult& task = *place;
  for (const CellResult& other : task.cells) {
    if (other.key.method == name && other.head.method.info.role != MethodRole::learner) {
      throw InvalidInput(fmt::format("{}: '{}' is the name of a control: score --name gives another", file, name));
    }
  }
  if (!task.file) throw InvalidInput(fmt::format("{}: nothing to compare with: {}: {}", file, task_name, task.problem));
  check_same(file, task_name, "version", std::to_string(find_count(score, "task_version")),
             std::to_string(task.file->version));
  check_same(file, task_name, "law (data_hash)", find_text(score, "data_hash"), task.file->data_hash);
  check_same(file, task_name, "reference (reference_hash)", find_text(score, "reference_hash"),
             points_hash(task.file->reference));

  // The points themselves, if they came along, are those of the score.
  const fs::path beside = fs::path(file).replace_extension(".npy");
  std::error_code ignored;
  if (fs::is_regular_file(beside, ignored) && points_file_hash(beside.string()) != find_text(score, "samples_hash")) {
    throw InvalidInput(
        fmt::format("{}: the points of {} are not those that were scored (samples_hash)", file, beside.string()));
  }

  CellResult cell;
  cell.key = {.task = task_name, .method = name, .lift = submission_mark, .seed = 0};
  for (const CellResult& other : task.cells) {
    if (other.submission && other.key.method == name) cell.key.seed = std::max(cell.key.seed, other.key.seed + 1);
  }
  for (const Value& row : *rows) {
    MetricRecord record = to_record(row, file);
    if (record.status.state == RecordState::not_applicable) continue;
    const std::string kind = find_text(row, "samples");
    const std::optional<SampleKind> samples = find_named<SampleKind>(kind);
    if (!samples) {
      throw InvalidInput(fmt::format("{}: {}: samples are '{}', not raw or projected", file, record.name, kind));
    }
    const bool projected = samples == SampleKind::projected;
    if (!measured_alike(task, projected, record, file)) continue;
    (projected ? cell.projected : cell.raw).push_back(std::move(record));
  }
  if (cell.raw.empty() && cell.projected.empty()) {
    throw InvalidInput(
        fmt::format("{}: none of its metrics is among those of {} in {}", file, task_name, results.directory));
  }
  cell.has_metrics = true;
  cell.submission = true;
  cell.head.config =
      Value::Table{{"samples_hash", find_text(score, "samples_hash")}, {"file", fs::path(file).filename().string()}};
  cell.provenance = std::make_shared<const Value>(Value::Table{{"submission", name},
                                                               {"task", task_name},
                                                               {"file", fs::path(file).filename().string()},
                                                               {"samples_hash", find_text(score, "samples_hash")},
                                                               {"reference_hash", find_text(score, "reference_hash")},
                                                               {"scored_by", find_text(score, "onmanifold")}});
  task.cells.insert(std::upper_bound(task.cells.begin(), task.cells.end(), cell,
                                     [](const CellResult& a, const CellResult& b) { return a.key < b.key; }),
                    std::move(cell));
}

}  // namespace onmanifold
