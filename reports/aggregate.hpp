// SPDX-License-Identifier: Apache-2.0
#pragma once
// Statistics over seeds of one task: arms (method × lift) by metrics (raw and projected), with the null value
// of each metric, marks for the best arms and for values at their floor, and a reason wherever a number is
// missing.

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "results/result_set.hpp"

namespace onmanifold {

[[nodiscard]] std::string to_string(SampleKind kind);

/// What an arm is in a comparison. Only learners can be best: the oracle and exact_score know the answer, and
/// gaussian and memorizer are controls that a learner has to beat or must not resemble.
enum class ArmRole { oracle, analytic, learner, control };

/// One method with one lift.
struct Arm {
  std::string method;
  std::string lift;
  ArmRole role = ArmRole::learner;
  std::string type;       ///< of the method, which may have another label; from the cells' configuration
  std::string lift_type;  ///< none, normal or isotropic; likewise
  int n_cells = 0;        ///< cells found, whatever their state
  int n_ok = 0;           ///< of these, with samples and metrics
  double lift_sigma = std::numeric_limits<double>::quiet_NaN();  ///< from the cells' configuration; NaN if unknown
};

/// One metric on one kind of samples, over all arms of a task.
struct MetricColumn {
  std::string name;
  std::string parameters;  ///< JSON; part of the identity only where a cell holds the name more than once
  SampleKind samples = SampleKind::raw;
  std::optional<Direction> direction;
  std::string unit;
  double target = MetricRecord::unknown;
  double null = MetricRecord::unknown;     ///< mean over records of what a perfect model would get
  double null_sd = MetricRecord::unknown;  ///< mean over records of the spread of one such value
  Index n_samples = 0;
  Index n_reference = 0;
  Index n_nonfinite = 0;        ///< total over all records
  bool mixed_protocol = false;  ///< version, parameters or sizes differ between records: nothing is ranked
};

/// One arm under one metric.
struct Summary {
  std::vector<std::pair<int, double>> values;  ///< (seed, value) of every finite or infinite value, by seed
  int n_failed = 0;                            ///< cells of the arm that have no such value
  double mean = MetricRecord::unknown;
  double sd = MetricRecord::unknown;              ///< over seeds, ddof 1; NaN for one seed
  double interval = MetricRecord::unknown;        ///< half width of the 95 % t interval of the mean; NaN for one seed
  double standard_error = MetricRecord::unknown;  ///< sd/√n, or the evaluation spread if there is one seed
  double null = MetricRecord::unknown;
  double null_sd = MetricRecord::unknown;
  bool at_floor = false;  ///< not to be told from a perfect model: within two null_sd of the null value
  bool best = false;      ///< best learner, or within one standard error of it
  bool second = false;    ///< next best, clear of a single best: see mark_best
  std::string reason;     ///< why there is no value; empty if there is one
};

struct TaskSummary {
  std::vector<Arm> arms;              ///< oracle, exact_score, learners, controls; lifts none, isotropic*, normal*
  std::vector<MetricColumn> columns;  ///< by first appearance; raw before projected
  std::vector<std::vector<Summary>> table;  ///< [arm][column]
  std::set<int> seeds;                      ///< all seeds found

  /// Index of the first column with this name, or -1.
  [[nodiscard]] int column(const std::string& name, SampleKind samples) const;
};

/// Statistics of one task. Never throws on missing, failed or NaN data.
[[nodiscard]] TaskSummary summarise(const TaskResult& task);

/// One summary a task, in their order.
[[nodiscard]] std::vector<TaskSummary> summarise_all(const ResultSet& results);

/// \p value as a loss: smaller is better, whatever the direction. NaN where the column has no direction.
[[nodiscard]] double loss(const MetricColumn& column, double value);

/// Role of a method by its name; lifts and everything unknown are learners.
[[nodiscard]] ArmRole arm_role(const std::string& method);

/// Marks the best learners of one column: direction-aware; everything within one standard error of the best
/// shares the mark. An arm with a failed cell is not ranked (its mean is over the survivors), nor is anything
/// in a column of mixed protocol or without a direction. Where one arm alone is best, the next one is marked as second
/// if the two differ by more than the standard error of their difference, √(se² + se²); everything within one standard
/// error of the second shares that mark.
void mark_best(const std::vector<Arm>& arms, const MetricColumn& column, std::vector<Summary*> summaries);

}  // namespace onmanifold
