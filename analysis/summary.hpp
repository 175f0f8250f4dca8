// SPDX-License-Identifier: Apache-2.0
#pragma once
// Statistics over seeds of one task: arms (method × lift) by metrics (raw and projected), with the null value of each
// metric, marks for the best arms and for values at their floor, and a reason wherever a number is missing.

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "contracts/unit_info.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// One method with one lift.
struct Arm {
  std::string method;
  std::string lift;
  std::string type;  ///< of the method, which may have another label; empty where the cells do not say
  MethodRole role = MethodRole::learner;
  std::optional<Place> place;  ///< where the mismatch is handled, a lift included; empty where nobody said
  bool floor = false;          ///< the control that scores begin at
  std::string varies;          ///< type of the blind method that this one varies
  LiftType lift_type = LiftType::none;
  bool submission = false;  ///< a score of somebody's samples: nothing is known of the training
  double lift_sigma = std::numeric_limits<double>::quiet_NaN();  ///< from the cells' configuration; NaN if unknown
  std::vector<const CellResult*> cells;                          ///< by seed, whatever their state
  int n_ok = 0;                                                  ///< of these, with samples and metrics
  [[nodiscard]] int n_cells() const { return static_cast<int>(cells.size()); }
  [[nodiscard]] bool learns() const { return role == MethodRole::learner; }
  [[nodiscard]] bool lifted() const { return submission || lift_type != LiftType::none; }
};

/// One metric on one kind of samples, over all arms of a task. Densities with respect to different measures are
/// different columns.
struct MetricColumn {
  std::string name;
  std::string measure;     ///< of a density: with respect to which volume; empty for other metrics
  std::string parameters;  ///< JSON; part of the identity only where a cell holds the name more than once
  SampleKind samples = SampleKind::raw;
  std::optional<Direction> direction;
  std::string unit;
  double target = MetricRecord::unknown;
  double null = MetricRecord::unknown;     ///< mean over records of what a perfect model would get
  double null_sd = MetricRecord::unknown;  ///< mean over records of the spread of one such value
  Index n_samples = 0;
  Index n_reference = 0;
  int version = 1;
  bool read_here = true;        ///< the metric is read on this kind of samples unless asked otherwise
  bool constraint = false;      ///< asks how well samples keep to M
  bool applicable = false;      ///< to some arm
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
  bool at_floor = false;     ///< indistinguishable from a perfect model: within two null_sd of the null value
  bool best = false;         ///< best learner, or within one standard error of it
  bool second = false;       ///< next best, clear of a single best: see mark_best
  std::string reason;        ///< why there is no value; empty if there is one
  bool of_cells = false;     ///< the reason is that of cells without any result
  bool unsupported = false;  ///< the method says that it cannot run here
};

struct TaskSummary {
  std::vector<Arm> arms;                    ///< oracle, exact_score, learners, controls; lifts none, isotropic, normal
  std::vector<MetricColumn> columns;        ///< by first appearance; raw before projected
  std::vector<std::vector<Summary>> table;  ///< [arm][column]
  std::set<int> seeds;                      ///< all seeds found
  int primary = -1;                         ///< the column by which the task is judged: the first of chosen

  /// Index of the first column with this name and, if given, this measure, or -1.
  [[nodiscard]] int column(const std::string& name, SampleKind samples, const std::string& measure = "") const;
};

/// What the files say of metrics, by name.
using MetricInfos = std::map<std::string, MetricInfo>;

/// Statistics of one task, which must outlive them. Never throws on missing, failed or NaN data.
[[nodiscard]] TaskSummary summarise(const TaskResult& task, const MetricInfos& infos = {});

/// All columns of \p summary on one kind of samples.
[[nodiscard]] std::vector<int> all_columns(const TaskSummary& summary, SampleKind samples);
/// Each metric that was asked for once, on the samples it is read on, the primary one first; those that apply to no
/// arm are left out.
[[nodiscard]] std::vector<int> asked_columns(const TaskSummary& summary);

/// \p value as a loss: smaller is better, whatever the direction. NaN where the column has no direction.
[[nodiscard]] double loss(const MetricColumn& column, double value);

/// The ends of the scale of one task: the moment fit and the draws of the truth, without a lift; -1 where there is
/// none.
struct ScaleEnds {
  int floor = -1;
  int ceiling = -1;
};
[[nodiscard]] ScaleEnds scale_ends(const TaskSummary& summary);

/// Marks the best learners of one column: direction-aware; everything within one standard error of the best
/// shares the mark. An arm with a failed cell is not ranked (its mean is over the survivors), nor is anything
/// in a column of mixed protocol or without a direction. Where one arm alone is best, the next one is marked as second
/// if the two differ by more than the standard error of their difference, √(se² + se²); everything within one standard
/// error of the second shares that mark.
void mark_best(const std::vector<Arm>& arms, const MetricColumn& column, std::vector<Summary*> summaries);

/// σ_lift over s_min in data units, or NaN: below 1 the lift drowns in the smallest noise of the model.
[[nodiscard]] double lift_visibility(const TaskResult& task, const Arm& arm);

/// "ddpm normal-0.1", "oracle".
[[nodiscard]] std::string arm_label(const std::string& method, const std::string& lift);
/// The label without a lift that does nothing.
[[nodiscard]] std::string short_label(const Arm& arm);

}  // namespace onmanifold
