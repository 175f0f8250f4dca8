// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the gate reads of two result sets: cells by configuration, values of a metric or a stage by replicate, and
// whether two sides may be compared at all.

#include <compare>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "results/result_set.hpp"

namespace onmanifold {

using Values = std::map<int, double>;  ///< by replicate

struct ConfigurationKey {
  std::string task, method, lift;
  /// "<task>/<method>/<lift>"
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const ConfigurationKey&, const ConfigurationKey&) = default;
};

/// The replicates of one configuration.
struct ConfigurationCells {
  const TaskResult* task = nullptr;
  std::vector<const CellResult*> cells;

  [[nodiscard]] const CellResult* first_ok() const;
  [[nodiscard]] int n_ok() const;
  /// A number of the task file, or NaN.
  [[nodiscard]] double detail(const char* name) const;
};
[[nodiscard]] std::map<ConfigurationKey, ConfigurationCells> configurations_of(const ResultSet& results);

/// Why two sides must not be compared, or "". The method's own settings may differ: they are what is compared.
[[nodiscard]] std::string protocol_difference(const ConfigurationCells& base, const ConfigurationCells& candidate);
/// Both sides ran with the same seed of the suite: equal replicates share their training set and their noise.
[[nodiscard]] bool same_seed(const ConfigurationCells& base, const ConfigurationCells& candidate);
/// Both sides were measured against the same reference: the same seed of the suite, or the same stored points.
[[nodiscard]] bool same_reference(const ConfigurationCells& base, const ConfigurationCells& candidate);

/// One metric with its settings on one side.
struct MetricValues {
  const MetricRecord* record = nullptr;  ///< the first one, for everything that all must share
  Values values;                         ///< finite or infinite
  std::set<int> nan;                     ///< replicates whose value is missing
  double null = 0, null_sd = 0;          ///< means over the records; NaN if one does not know it
  bool mixed = false;                    ///< records of different protocols
};
[[nodiscard]] MetricValues metric_values(const ConfigurationCells& side, SampleKind kind, const std::string& name,
                                         const std::string& parameters);
[[nodiscard]] bool same_protocol(const MetricRecord& a, const MetricRecord& b);
[[nodiscard]] const std::vector<MetricRecord>& records_of(const CellResult& cell, SampleKind kind);
/// Some cell has a metric of this name, with whatever settings.
[[nodiscard]] bool has_metric(const ConfigurationCells& side, SampleKind kind, const std::string& name);

/// Positive seconds or bytes of a stage, of the cells that finished.
[[nodiscard]] Values timings(const ConfigurationCells& side, const std::string& stage);

}  // namespace onmanifold
