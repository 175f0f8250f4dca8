// SPDX-License-Identifier: Apache-2.0
#pragma once
// A results directory as reports see it: tasks, cells and their metrics, without samples. A cell that failed,
// or that has no metrics yet, is a row like any other and says so; it is never an error and never left out.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "results/cell_files.hpp"

namespace onmanifold {

/// One cell.
struct CellResult {
  CellKey key;
  CellHead head;  ///< state "failed" where the raw file cannot be read; provenance is below
  std::shared_ptr<const Value> provenance = std::make_shared<const Value>();  ///< shared by the cells of one run
  bool has_metrics = false;
  bool submission = false;              ///< a score of somebody's samples: nothing is known of the training
  std::string problem;                  ///< one line, empty if the cell has samples and metrics
  std::vector<MetricRecord> raw;        ///< metrics of the samples as the method gave them
  std::vector<MetricRecord> projected;  ///< metrics of the samples after projection
};

/// One task with its cells, sorted by key.
struct TaskResult {
  std::string name;
  std::optional<TaskFile> file;  ///< missing if there is no readable task.h5
  std::string problem;           ///< why file is missing
  std::vector<CellResult> cells;
};

struct ResultSet {
  std::string directory;
  std::vector<TaskResult> tasks;                   ///< sorted by name
  std::map<std::string, MetricInfo> metrics = {};  ///< what the files say of the metrics, by the names of their records
};

/// Reads everything but the samples. \throw InvalidInput if \p directory is missing or holds neither cell nor
/// task.
[[nodiscard]] ResultSet load_results(const std::string& directory);

/// What the suite of a task said of itself.
struct SuiteInfo {
  std::string name;
  SuitePurpose purpose = SuitePurpose::study;
  bool claims = false;  ///< meant to judge the claims of the papers
};
[[nodiscard]] SuiteInfo suite_of(const TaskFile& task);
/// Name of the metric that a task is judged by; "" if it has none.
[[nodiscard]] std::string primary_metric(const TaskFile& task);

/// A series that a diagnostic labelled \p label left in the cells of one arm, by seed; cells without it are left out.
[[nodiscard]] std::map<int, Vector> diagnostic_series(const TaskResult& task, const std::string& method,
                                                      const std::string& lift, const std::string& label,
                                                      const std::string& name);

/// A member of a table by a path such as "lift.sigma"; null if there is none. The pointer lives as long as \p
/// value.
[[nodiscard]] const Value* find_value(const Value& value, std::string_view path);
/// A number (integer or not, "inf" and "-inf" as files spell them), or NaN.
[[nodiscard]] double as_number(const Value& value);
/// The same at \p path.
[[nodiscard]] double find_number(const Value& value, std::string_view path);
/// A string at \p path, or "".
[[nodiscard]] std::string find_text(const Value& value, std::string_view path);
/// A boolean at \p path, or \p otherwise (what files of before the key mean).
[[nodiscard]] bool find_flag(const Value& value, std::string_view path, bool otherwise);

}  // namespace onmanifold
