// SPDX-License-Identifier: Apache-2.0
#include "analysis/submissions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/files/point_files.hpp"
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
  if (record.unit != ours.unit) return says("unit", record.unit, ours.unit);
  if (record.n_samples != ours.n_samples) return says("n_samples", record.n_samples, ours.n_samples);
  if (record.n_reference != ours.n_reference) return says("n_reference", record.n_reference, ours.n_reference);
  if (parse_json(record.parameters, "parameters") != parse_json(ours.parameters, "parameters")) {
    return says("parameters", record.parameters, ours.parameters);
  }
  return "";
}

/// The record of a built-in cell that was measured as \p record is, or null where they do not have it. \throw
/// InvalidInput if they all have it otherwise.
const MetricRecord* measured_alike(const TaskResult& task, SampleKind kind, const MetricRecord& record,
                                   const std::string& file) {
  std::string different;
  for (const CellResult& cell : task.cells) {
    if (cell.submission) continue;
    for (const MetricRecord& ours : kind == SampleKind::projected ? cell.projected : cell.raw) {
      if (ours.name != record.name || ours.status.state == RecordState::not_applicable) continue;
      const std::string found = difference(record, ours);
      if (found.empty()) return &ours;
      if (different.empty()) different = found;
    }
  }
  if (different.empty()) return nullptr;
  throw InvalidInput(
      fmt::format("{}: another protocol: {} of {} samples has {}", file, record.name, name_of(kind), different));
}

/// What the registry says of a metric; of one of several records of a metric, what the files say.
const MetricInfo* info_of(const std::string& name, const SubmissionRules& rules, const ResultSet& results) {
  const auto registered = rules.metrics.find(name);
  if (registered != rules.metrics.end()) return &registered->second;
  const auto told = results.metrics.find(name);
  return told == results.metrics.end() ? nullptr : &told->second;
}

/// \throw InvalidInput if no samples give these numbers. \p record has the null of the task.
void check_value(const MetricRecord& record, SampleKind kind, const MetricInfo* info, const std::string& file) {
  const auto refuse = [&](const std::string& why) {
    throw InvalidInput(fmt::format("{}: {} of {} samples {}", file, record.name, name_of(kind), why));
  };
  if (record.status.state == RecordState::failed) {
    if (!std::isnan(record.value)) refuse(fmt::format("has failed and yet the value {}", record.value));
    return;
  }
  if (std::isnan(record.value)) refuse(fmt::format("has no value, but the status '{}'", record.status.text()));
  if (record.se < 0 || std::isinf(record.se)) refuse(fmt::format("has the standard error {}", record.se));
  if (record.p_value < 0 || record.p_value > 1) refuse(fmt::format("has the p-value {}", record.p_value));
  if (record.n_nonfinite > record.n_samples) {
    refuse(fmt::format("has left out {} of {} samples", record.n_nonfinite, record.n_samples));
  }
  if (info == nullptr) return;
  // A value at an end of its range may be rounded past it.
  const auto slack = [](double end) { return 1e-9 * std::max(1.0, std::abs(end)); };
  if (record.value < info->lowest - slack(info->lowest) || record.value > info->highest + slack(info->highest) ||
      (std::isinf(record.value) && record.value < 0)) {
    refuse(fmt::format("is {}, which is none of its values ({} to {})", record.value, info->lowest, info->highest));
  }
  if (!info->discrepancy || !(record.null_sd > 0) || !record.direction || *record.direction == Direction::target)
    return;
  const double ahead = *record.direction == Direction::lower ? record.null - record.value : record.value - record.null;
  if (ahead > most_null_sd * record.null_sd) {
    refuse(
        fmt::format("is {}, better by {:.3g} standard deviations than what fresh draws of the truth show ({:.4g} ± "
                    "{:.2g}): independent samples do not get there",
                    record.value, ahead / record.null_sd, record.null, record.null_sd));
  }
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

/// The file beside \p file that \p name, from within it, names; "" if there is none. Names with folders are none.
std::string beside(const std::string& file, const std::string& name) {
  const std::string plain = split_point_file_name(name).path;
  if (plain.empty() || plain.find('/') != std::string::npos || plain.find('\0') != std::string::npos) return "";
  const fs::path path = fs::path(file).parent_path() / plain;
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) ? path.string() + name.substr(plain.size()) : "";
}

/// Points that came along with \p file, or "". \throw InvalidInput if they are not those that were scored.
std::string samples_at_hand(const Value& score, const std::string& file) {
  const std::string stem = fs::path(file).stem().string();
  for (const std::string& name : {find_text(score, "samples_file"), stem + ".npy", stem + ".csv", stem + ".h5"}) {
    const std::string samples = beside(file, name);
    if (samples.empty()) continue;
    if (points_file_hash(samples) != find_text(score, "samples_hash")) {
      throw InvalidInput(
          fmt::format("{}: the points of {} are not those that were scored (samples_hash)", file, samples));
    }
    return samples;
  }
  return "";
}

/// The training points that the score names, or "": they serve only if they are those that it had.
std::string training_at_hand(const Value& score, const std::string& file) {
  const std::string training = beside(file, find_text(score, "train_file"));
  if (training.empty() || points_file_hash(training) != find_text(score, "train_hash")) return "";
  return training;
}

bool agree(const MetricRecord& theirs, const MetricRecord& found) {
  if (std::isnan(theirs.value) || std::isnan(found.value)) return std::isnan(theirs.value) == std::isnan(found.value);
  // Other machines round otherwise.
  return theirs.value == found.value ||
         std::abs(theirs.value - found.value) <= 1e-6 * std::max(std::abs(theirs.value), std::abs(found.value)) + 1e-12;
}

bool same_column(const MetricRecord& a, const MetricRecord& b) {
  return a.name == b.name && parse_json(a.parameters, a.name) == parse_json(b.parameters, b.name);
}

/// Metrics of both kinds of samples.
struct Records {
  std::vector<MetricRecord> raw, projected;
  [[nodiscard]] std::vector<MetricRecord>& of(SampleKind kind) { return kind == SampleKind::raw ? raw : projected; }
  [[nodiscard]] bool empty() const { return raw.empty() && projected.empty(); }
};

constexpr std::array both_kinds = {SampleKind::raw, SampleKind::projected};

bool left_out_samples(Records& records) {
  return std::any_of(both_kinds.begin(), both_kinds.end(), [&](SampleKind kind) {
    const std::vector<MetricRecord>& of_kind = records.of(kind);
    return std::any_of(of_kind.begin(), of_kind.end(), [](const MetricRecord& one) { return one.n_nonfinite > 0; });
  });
}

/// \throw InvalidInput if no samples give one of these numbers.
void check_values(Records& records, const SubmissionRules& rules, const ResultSet& results, const std::string& file) {
  for (const SampleKind kind : both_kinds) {
    for (const MetricRecord& record : records.of(kind)) {
      check_value(record, kind, info_of(record.name, rules, results), file);
    }
  }
}

/// The metrics of the file that the results have, with targets and nulls of the results.
Records submitted_records(const Value::Array& rows, const TaskResult& task, const std::string& file) {
  Records records;
  for (const Value& row : rows) {
    MetricRecord record = to_record(row, file);
    if (record.status.state == RecordState::not_applicable) continue;
    const std::string word = find_text(row, "samples");
    const std::optional<SampleKind> kind = find_named<SampleKind>(word);
    if (!kind) {
      throw InvalidInput(fmt::format("{}: {}: samples are '{}', not raw or projected", file, record.name, word));
    }
    const MetricRecord* ours = measured_alike(task, *kind, record, file);
    if (ours == nullptr) continue;
    record.parameters = ours->parameters;  // the same settings in the same letters: one column
    record.target = ours->target;
    record.null = ours->null;
    record.null_sd = ours->null_sd;
    std::vector<MetricRecord>& same_kind = records.of(*kind);
    if (std::any_of(same_kind.begin(), same_kind.end(),
                    [&](const MetricRecord& other) { return same_column(other, record); })) {
      throw InvalidInput(fmt::format("{}: {} of {} samples appears twice", file, record.name, word));
    }
    same_kind.push_back(std::move(record));
  }
  return records;
}

/// Puts what was found in the place of what was told, and adds what was not told. \return names of the metrics that
/// were not found. \throw InvalidInput where the two differ.
std::set<std::string> replace_by_found(Records& records, const Rescored& rescored, const TaskResult& task,
                                       const std::string& file, const std::string& samples) {
  std::set<std::string> missing;
  for (const SampleKind kind : both_kinds) {
    const std::vector<MetricRecord>& found = kind == SampleKind::raw ? rescored.raw : rescored.projected;
    std::vector<MetricRecord>& told = records.of(kind);
    std::vector<MetricRecord> result;
    for (const MetricRecord& one : found) {
      if (one.status.state == RecordState::not_applicable) continue;
      const MetricRecord* ours = measured_alike(task, kind, one, file);
      if (ours == nullptr) continue;
      result.push_back(one);
      result.back().parameters = ours->parameters;
    }
    for (const MetricRecord& one : told) {
      const auto place = std::find_if(result.begin(), result.end(),
                                      [&](const MetricRecord& other) { return same_column(one, other); });
      if (place == result.end()) {
        missing.insert(one.name);
        result.push_back(one);
      } else if (!agree(one, *place)) {
        throw InvalidInput(fmt::format("{}: {} of {} samples is {}, but {} scored again give {}", file, one.name,
                                       name_of(kind), one.value, samples, place->value));
      }
    }
    told = std::move(result);
  }
  return missing;
}

}  // namespace

void add_submission(ResultSet& results, const std::string& file, const SubmissionRules& rules) {
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

  Records records = submitted_records(*rows, task, file);
  if (records.empty()) {
    throw InvalidInput(
        fmt::format("{}: none of its metrics is among those of {} in {}", file, task_name, results.directory));
  }
  check_values(records, rules, results, file);

  CellResult cell;
  cell.key = {.task = task_name, .method = name, .lift = unchecked_submission_mark, .seed = 0};
  std::string origin = "not re-scored: no samples beside it";
  const SubmittedPoints points{.samples = samples_at_hand(score, file),
                               .training = training_at_hand(score, file),
                               .allow_nonfinite = left_out_samples(records)};
  if (!points.samples.empty()) {
    const Rescored rescored = rules.score(task, points);
    if (rescored.problem.empty()) {
      const std::set<std::string> missing = replace_by_found(records, rescored, task, file, points.samples);
      const std::string names = fmt::format("{}", fmt::join(missing, ", "));
      cell.key.lift = missing.empty() ? submission_mark : fmt::format("{} ({} not re-scored)", submission_mark, names);
      origin = fmt::format("re-scored from {}{}", fs::path(points.samples).filename().string(),
                           missing.empty() ? "" : " but for " + names);
      check_values(records, rules, results, file);
    } else {
      origin = "not re-scored: " + rescored.problem;
    }
  }
  cell.raw = std::move(records.raw);
  cell.projected = std::move(records.projected);
  for (const CellResult& other : task.cells) {
    if (other.submission && other.key.method == name && other.key.lift == cell.key.lift) {
      cell.key.seed = std::max(cell.key.seed, other.key.seed + 1);
    }
  }
  cell.has_metrics = true;
  cell.submission = true;
  cell.head.config = Value::Table{{"samples_hash", find_text(score, "samples_hash")},
                                  {"file", fs::path(file).filename().string()},
                                  {"origin", origin}};
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
