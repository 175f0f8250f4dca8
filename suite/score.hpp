// SPDX-License-Identifier: Apache-2.0
#pragma once
// Scoring of samples that somebody else made: the same metrics, references and null values as in a suite.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "contracts/metric_record.hpp"
#include "core/points.hpp"
#include "core/value.hpp"
#include "datasets/task.hpp"
#include "results/cell_files.hpp"
#include "suite/task_context.hpp"

namespace onmanifold {

struct ScoreRequest {
  std::string samples;    ///< .npy, .csv or .h5[:dataset], N×D as NumPy sees it
  std::string task;       ///< name of a task, or name(settings); empty: reference is used
  std::string reference;  ///< file; only without task
  std::string manifold;   ///< specification as on the command line; only without task; may be empty
  std::string train;      ///< file of training points; may be empty
  std::string name;       ///< of the method, as a report shows it; empty: the file's, without folder and extension
  std::string metrics;    ///< metric list; empty: the task's, or a general one
  Index reference_size = 10000;  ///< reference draws of the task, as n_reference of a suite
  std::uint64_t seed = 0;        ///< of these draws, as the master seed of a suite
  bool allow_nonfinite = false;  ///< count and leave out rows with NaN or infinity instead of refusing them
  /// Limit for the points of one file and for the working memory of a metric; 0: 1 GB and the metrics'
  /// default.
  std::uint64_t memory_bytes = 0;
};

/// One value with the samples it was computed on, "raw" or "projected".
struct ScoredMetric {
  std::string samples;
  MetricRecord record;
};

struct Score {
  std::string name;            ///< of the method
  std::string task;            ///< empty: scored against a file
  int task_version = 0;        ///< with a task only, as are the next two
  std::string data_hash;       ///< of what fixes the task's law
  std::string reference_hash;  ///< points_hash() of the reference draws that task.h5 keeps
  std::string samples_hash;    ///< points_hash() of all samples
  std::string samples_file;    ///< name of their file, without its folder
  std::string train_hash;      ///< points_hash() of the training points; empty: none were given
  std::string train_file;
  Index n_reference = 0;
  Index n_samples = 0;
  Index dimension = 0;
  std::vector<ScoredMetric> metrics;
};

/// A sample file above a quarter of the limit is read in chunks, if every metric can: the values have the
/// same bits. A metric of the default list that lacks something (training points, say) is left out; one that
/// was named is an error. \throw InvalidInput naming the file, row, metric or setting that cannot be used;
/// for a file above the limit, the metrics that cannot be computed in chunks and the size that fits.
[[nodiscard]] Score score_samples(const ScoreRequest& request);
/// The same against \p task; \p request names neither task nor reference nor manifold.
[[nodiscard]] Score score_samples(const ScoreRequest& request, const Task& task);

/// What is asked of samples in memory.
struct PointsToScore {
  std::string name = "samples";           ///< of the method
  std::string metrics = {};               ///< metric list; empty: the task's
  const TrainingPoints* train = nullptr;  ///< unlifted; null: none are given
  bool allow_nonfinite = false;           ///< count and leave out rows with NaN or infinity instead of refusing them
  /// Above this size they are read in pieces and never copied as a whole, if every metric can: the values have the same
  /// bits.
  Index whole_bytes = 32'000'000;
  /// Called between two metrics, or two pieces of the samples, where a caller may end it by an exception.
  std::function<void()> checkpoint = {};
};

/// \p samples, D×N, against the task of \p shared, whose null values are computed once and kept. Errors as
/// score_samples.
[[nodiscard]] Score score_points(const PointsRef& samples, const TaskContext& shared, const PointsToScore& asked = {});

/// The task of a results directory, with the settings that its suite gave it. \throw InvalidInput if this program does
/// not know it, or has other settings; MissingData if its data are not here.
[[nodiscard]] Task task_from_file(const TaskFile& file);

/// The contract's JSON: {"onmanifold": version, "n_reference": …, "metrics": [...]}. What is unknown is null,
/// except a value, which is "nan"; infinities are "inf" and "-inf".
[[nodiscard]] Value to_value(const Score& score);

/// A task from its name, or with settings as a [[task]] table has them: "flux-mnist(drop_constant=true)".
/// \throw InvalidInput naming what cannot be read or is not known.
[[nodiscard]] Task task_from_text(const std::string& text);

/// The first \p n reference draws of the task as every suite with master seed 0 has them, never lifted. D×n.
[[nodiscard]] Points exported_reference(const Task& task, Index n);

/// Training points of replicate \p replicate as a suite with master seed 0 draws them, lifted if \p lift
/// names a lift ("normal", "normal:sigma=0.1", "isotropic:sigma=0.1", "none" or empty). D×n.
[[nodiscard]] Points exported_points(const Task& task, Index n, int replicate, const std::string& lift);

/// \p points with the coordinates that the task leaves out because they are constant: the frame of a
/// backbone, dropped pixels of an image. \throw InvalidInput if it leaves none out.
[[nodiscard]] Points full_points(const Task& task, const Points& points);

}  // namespace onmanifold
