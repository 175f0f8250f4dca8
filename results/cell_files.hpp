// SPDX-License-Identifier: Apache-2.0
#pragma once
// The records of a results directory and the ONLY code that knows the paths inside its HDF5 files (design:
// cell files). Writing is complete or absent: temporary name, flush, fsync, rename.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "contracts/generative_model.hpp"
#include "contracts/image_layout.hpp"
#include "contracts/metric_record.hpp"
#include "core/points.hpp"
#include "core/value.hpp"

namespace onmanifold {

/// What this program writes, and the oldest that it reads; docs/result-files.md says when each of them moves.
inline constexpr int schema_version = 1;
inline constexpr int oldest_schema_version = 1;

/// How a cell ended.
struct CellStatus {
  CellState state = CellState::ok;
  std::string message;  ///< one line, empty if ok

  [[nodiscard]] bool ok() const { return state == CellState::ok; }
};

/// What a cell's method and lift are, from the registry and the suite: outside of every hash.
struct CellMethod {
  std::string type;  ///< name in the method registry
  MethodInfo info;
  LiftType lift = LiftType::none;
};

/// What a diagnostic says of a cell.
struct DiagnosticRecord {
  RecordStatus status;  ///< ok, unsupported or failed
  Curves numbers;       ///< named series; a scalar is a series of one
};

/// <task>/<method>/<lift>/seed-<k>.h5: written once.
struct RawCell {
  Value config;             ///< resolved settings of the sample hash
  std::string sample_hash;  ///< SHA-256, hexadecimal
  Value provenance;
  CellStatus status;
  CellMethod method;
  Points raw;                  ///< D×n samples as the method gave them; empty unless ok
  Points projected;            ///< D×n
  Vector projection_distance;  ///< n
  Eigen::Array<bool, Eigen::Dynamic, 1> projection_converged;  ///< n
  Points nearest_training;  ///< D×m: the training point nearest to each of the first m raw samples; image tasks only
  Curves training;
  std::map<std::string, DiagnosticRecord> diagnostics;  ///< by label
  ModelState model_state;
  std::optional<Vector> reference_log_density;  ///< of the reference points under the model, nats
  std::string log;                              ///< what an external program printed, also where it failed
  bool intrinsic_density = false;               ///< w.r.t. the volume of M, as the exact densities, not that of R^D
  std::map<std::string, double> timing;         ///< seconds by stage, peak memory in bytes
};

/// <task>/<method>/<lift>/seed-<k>.metrics.h5: derived, may be computed again.
struct MetricsCell {
  std::string metric_hash;
  std::string raw_digest;  ///< SHA-256 over /config and /samples of the raw file
  Value config;            ///< metric settings
  std::vector<MetricRecord> raw;
  std::vector<MetricRecord> projected;
  std::map<std::string, MetricInfo> metrics;  ///< what the registry says of the records, by their names; without needs
  std::map<std::string, double> timing;       ///< "cpu_s"
};

/// <task>/task.h5: what a report must know of the task.
struct TaskFile {
  std::string name;
  std::string description;
  int version = 1;
  std::string data_hash;
  std::string manifold_spec;
  Points reference;                  ///< D×m, a subset of the reference draws, for pictures
  Vector masses;                     ///< exact masses of the partition; empty if unknown
  std::string partition;             ///< description of the partition
  Points mesh_vertices;              ///< 3×V surface for pictures; empty if none
  Eigen::MatrixXi mesh_faces;        ///< 3×F
  std::optional<ImageLayout> image;  ///< places of the coordinates in an image; see full_images()
  double entropy = MetricRecord::unknown;
  Value details;  ///< sigma grid, pre-registered sigma, s_min, seeds and sizes of the suite, …
};

void write_raw_cell(const std::string& path, const RawCell& cell);
void write_metrics_cell(const std::string& path, const MetricsCell& cell);
void write_task_file(const std::string& path, const TaskFile& task);

/// \throw InvalidInput if the file is not of this schema, IoError if it cannot be read.
[[nodiscard]] RawCell read_raw_cell(const std::string& path);
[[nodiscard]] MetricsCell read_metrics_cell(const std::string& path);
[[nodiscard]] TaskFile read_task_file(const std::string& path);

/// The parts of a raw cell that a resume scan or a table needs, without reading samples or state.
struct CellHead {
  std::string sample_hash;
  std::string raw_digest;  ///< as raw_digest(RawCell) gave it when the file was written
  CellStatus status;
  CellMethod method;
  Value config;
  Value provenance;
  std::map<std::string, double> timing;
  std::map<std::string, DiagnosticRecord> diagnostics;
};
[[nodiscard]] CellHead read_cell_head(const std::string& path);

/// What a resume scan asks of a raw file: a few reads of its header, whatever its size.
struct CellStamp {
  std::string sample_hash;
  std::string raw_digest;
  CellStatus status;
};
[[nodiscard]] CellStamp read_cell_stamp(const std::string& path);

/// RawCell::training alone.
[[nodiscard]] Curves read_training_curves(const std::string& path);

/// What a resume scan asks of a metrics file. Reads the whole file once and compares it with its own digest,
/// so damaged metrics are found. \throw InvalidInput or IoError, also where the digest does not fit.
struct MetricsStamp {
  std::string metric_hash;
  std::string raw_digest;
};
[[nodiscard]] MetricsStamp read_metrics_stamp(const std::string& path);

/// SHA-256 over canonical config and sample arrays: ties a metrics file to its raw file.
[[nodiscard]] std::string raw_digest(const RawCell& cell);

/// The place of a cell in a results directory.
struct CellKey {
  std::string task;
  std::string method;
  std::string lift;
  int seed = 0;
  /// "<task>/<method>/<lift>/seed-<k>"
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string raw_path(const std::string& directory) const;
  [[nodiscard]] std::string metrics_path(const std::string& directory) const;
  friend auto operator<=>(const CellKey&, const CellKey&) = default;
};

/// More cells than one suite may have: a typing error, not a wish.
inline constexpr Index most_cells = 1'000'000;

/// What a run was asked for, so that somebody can tell later whether it is there: <directory>/suite-<hash>.h5, one for
/// each selection of cells that runs of the directory were given.
struct CellPlan {
  std::string suite;
  std::vector<CellKey> cells;
};
/// Writes \p plan unless it is there. \throw IoError
void write_cell_plan(const std::string& directory, CellPlan plan);
/// \throw InvalidInput if the file is no plan, IoError if it cannot be read.
[[nodiscard]] CellPlan read_cell_plan(const std::string& path);
/// The place of \p plan, which depends on its content.
[[nodiscard]] std::string cell_plan_path(const std::string& directory, CellPlan plan);
/// All plans in \p directory, sorted.
[[nodiscard]] std::vector<std::string> find_cell_plans(const std::string& directory);

/// All cells with a raw file below \p directory, sorted by key. \throw InvalidInput if the directory is
/// missing.
[[nodiscard]] std::vector<CellKey> find_cells(const std::string& directory);

}  // namespace onmanifold
