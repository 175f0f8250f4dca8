// SPDX-License-Identifier: Apache-2.0
#pragma once
// From a TOML file to a validated list of cells. Everything that can be wrong with a suite is found here, before the
// first training starts.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/registry.hpp"
#include "core/settings.hpp"
#include "core/value.hpp"
#include "datasets/lift.hpp"
#include "datasets/task.hpp"
#include "diagnostics/diagnostic.hpp"
#include "metrics/registry.hpp"
#include "models/registry.hpp"
#include "results/cell_files.hpp"
#include "suite/tuned_settings.hpp"

namespace onmanifold {

/// A [[lift]] table.
struct LiftSpec {
  std::string name;
  LiftType type = LiftType::none;
  std::optional<double> sigma;  ///< data units; nullopt: the pre-registered level of each task …
  double factor = 1;            ///< … times this
};

[[nodiscard]] std::string lift_description(LiftType type);
/// What a [[lift]] table of this type may set.
[[nodiscard]] std::vector<SettingInfo> lift_settings(LiftType type);

/// A [[method]] table.
struct MethodSpec {
  std::string name;      ///< unique label and path part
  std::string type;      ///< name in the method registry
  MethodInfo info;       ///< of the registry, or what the suite says of an external program
  Value settings;        ///< a table: the keys that belong to the method
  Value::Table inputs;   ///< by path, 16 digits of the SHA-256 of the files outside that its samples depend on
  int max_parallel = 0;  ///< cells that a run computes at once; 0: as many as there are workers
  std::vector<std::string> lifts;
  std::vector<std::string> tasks = {"*"};  ///< globs of the tasks it runs on
  std::optional<Index> n_train;            ///< its own training points; nullopt: the task's
  bool states_rate = false;                ///< the suite says its learning_rate itself
};

/// A [[diagnostic]] table.
struct DiagnosticSpec {
  std::string name;                          ///< unique label and path part
  std::string type;                          ///< name in the diagnostic registry
  Value settings;                            ///< resolved
  std::vector<std::string> methods = {"*"};  ///< globs of the cells it is asked of
  std::vector<std::string> tasks = {"*"};
  std::vector<std::string> lifts = {"*"};
};

/// Inclusive range of replicates: "0..2", or "3" for one.
struct ReplicateRange {
  int first = 0;
  int last = 0;
};

/// A [[task]] table, made.
struct TaskSpec {
  Task task;
  Value settings;  ///< resolved overrides
  std::vector<MetricSpec> metrics;
  std::optional<Index> n_train, n_samples, n_reference;  ///< its own; nullopt: the suite's
  std::optional<ReplicateRange> replicates;              ///< of the suite's, those that this task has; nullopt: all
};

/// An [[exclude]] table: cells that match every given glob are left out.
struct Exclusion {
  std::string task = "*";
  std::string method = "*";
  std::string lift = "*";
};

inline constexpr Index all_samples = -1;
/// n_train of n_train = "fresh": new draws in every pass of fresh_pass points.
inline constexpr Index fresh_points = 0;
inline constexpr Index fresh_pass = 10000;

/// A suite file, read and checked.
struct SuiteSpec {
  std::string source;  ///< path of the file
  std::string name;
  SuitePurpose purpose = SuitePurpose::study;
  bool claims = false;     ///< whether its cells are meant to judge the claims of the papers
  std::uint64_t seed = 0;  ///< master seed of all streams
  int first_replicate = 0;
  int last_replicate = 0;
  Index n_train = 10000;  ///< or fresh_points
  Index n_samples = 10000;
  Index n_reference = 10000;
  Index keep_samples = all_samples;  ///< of every cell, in its file; metrics always see all
  double timeout_s = 0;              ///< limit of one cell; 0: none
  double memory_gb = 4;              ///< limit of one worker's data; 0: none
  std::vector<std::shared_ptr<const TaskSpec>> tasks;
  std::vector<std::string> left_out;  ///< "<task>: <why>" of optional tasks without their data
  std::vector<LiftSpec> lifts;
  std::vector<MethodSpec> methods;
  std::vector<DiagnosticSpec> diagnostics;
  std::vector<Exclusion> exclusions;
  std::optional<Tuning> tuning;                          ///< where learning rates come from that the suite leaves open
  const MethodRegistry* method_types = nullptr;          ///< never null after parse_suite
  const DiagnosticRegistry* diagnostic_types = nullptr;  ///< as well
};

/// Whether trials choose its learning rate: a learner that has one and whose suite leaves it open.
[[nodiscard]] bool is_tuned(const MethodSpec& method);
/// The same method with this learning rate. \p method has one (is_tuned).
[[nodiscard]] MethodSpec with_learning_rate(const MethodSpec& method, double rate);
/// Whether the task is among those that the method asks for.
[[nodiscard]] bool runs_on(const MethodSpec& method, const std::string& task);
/// Whether an [[exclude]] table leaves this out.
[[nodiscard]] bool is_excluded(const SuiteSpec& suite, const std::string& task, const std::string& method,
                               const std::string& lift);
/// Tasks on one kind of manifold: the name of the kind, which begins its description.
[[nodiscard]] std::string family_of(const Task& task);
/// SHA-256 of a method's type and settings but its learning rate.
[[nodiscard]] std::string settings_digest(const MethodSpec& method);

/// One training, one sample set, one raw and one metrics file.
struct Cell {
  CellKey key;
  std::shared_ptr<const TaskSpec> task;
  std::shared_ptr<const MethodSpec> method;
  Lift lift;                                ///< with the level in force for this task
  Index n_train = 0;                        ///< points of a pass
  bool fresh = false;                       ///< whether every pass has new ones
  std::vector<DiagnosticSpec> diagnostics;  ///< those that are asked of this cell
  std::string sample_hash;
  std::string metric_hash;
  /// Configurations without what is the cell's own: shared by the replicates, of which there may be very many.
  std::shared_ptr<const Value> arm_config, arm_metric_config;

  /// What its raw file says of method and lift.
  [[nodiscard]] CellMethod described() const { return {.type = method->type, .info = method->info, .lift = lift.type}; }
  /// What the samples depend on; hashed to sample_hash.
  [[nodiscard]] Value config() const;
  /// What the metrics depend on beside the samples; hashed to metric_hash.
  [[nodiscard]] Value metric_config() const;
};

/// A name that becomes a part of a path: letters, digits, '-', '_', '.', not starting with a dot. \throw InvalidInput
/// naming \p where.
void check_path_part(const std::string& name, const std::string& where);

/// \throw InvalidInput naming \p where.
[[nodiscard]] ReplicateRange parse_replicates(const std::string& text, const std::string& where);

/// The sizes in force for a task.
struct SampleSizes {
  Index train = 0;  ///< points of a pass
  bool fresh = false;
  Index samples = 0;
  Index reference = 0;
};
[[nodiscard]] SampleSizes sizes_of(const SuiteSpec& suite, const TaskSpec& task);

/// The replicates of a task: those of the suite that the task has. Empty (last < first) where there are none.
[[nodiscard]] ReplicateRange replicates_of(const SuiteSpec& suite, const TaskSpec& task);

/// Reads a suite. \p name_or_path is a path, or the name of a shipped suite.
/// \throw InvalidInput with file, line and key.
[[nodiscard]] SuiteSpec load_suite(const std::string& name_or_path,
                                   const MethodRegistry& method_types = method_registry());
/// The same from a parsed table.
[[nodiscard]] SuiteSpec parse_suite(const Value& table, const std::string& source,
                                    const MethodRegistry& method_types = method_registry(),
                                    const DiagnosticRegistry& diagnostic_types = diagnostic_registry());

/// All cells of the matrix in file order: task, method, lift, replicate.
[[nodiscard]] std::vector<Cell> expand(const SuiteSpec& suite);

/// The lift of a task with its level filled in.
[[nodiscard]] Lift resolve(const LiftSpec& lift, const Task& task);

/// Names of the shipped suites, with their paths.
struct ShippedSuite {
  std::string name;
  std::string path;
  std::string description;  ///< first comment line of the file
};
[[nodiscard]] std::vector<ShippedSuite> shipped_suites();

}  // namespace onmanifold
