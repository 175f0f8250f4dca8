// SPDX-License-Identifier: Apache-2.0
#pragma once
// The interface of a metric and what it is given. A metric sees samples and a reference, never a model or a
// dataset.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "contracts/distribution.hpp"
#include "contracts/feature_map.hpp"
#include "contracts/metric_record.hpp"
#include "contracts/partition.hpp"
#include "core/points.hpp"
#include "core/random/stream.hpp"
#include "core/settings.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// Scores at the same points of one noised law: what a model gave and what is exact, for `score_mse`.
struct ScoreLevel {
  double sigma = 0;               ///< standard deviation of the noise of the level, in length units
  const Points* model = nullptr;  ///< D×n
  const Points* exact = nullptr;  ///< D×n
};

/// What is compared. Pointers are not owned; null where there is none.
struct MetricInput {
  const Points* samples = nullptr;    ///< D×n, never null; columns that are not finite are counted and left out
  const Points* reference = nullptr;  ///< D×N fresh draws of p0
  const Points* training = nullptr;   ///< D×T UNLIFTED training points
  const Manifold* manifold = nullptr;
  const Projection* projection = nullptr;  ///< of the raw samples behind \p samples
  const Partition* partition = nullptr;
  const Vector* masses = nullptr;        ///< exact masses of the cells of \p partition
  const Sampler* sampler = nullptr;      ///< more draws of p0, for null values that need a simulation
  const Sampler* held_out = nullptr;     ///< draws of p0 apart from training and reference, of a data set too; or null
  bool projected = false;                ///< whether \p samples are the projected ones
  Stream evaluation;                     ///< address: task; the same for every method
  std::uint64_t memory_bytes = 0;        ///< what a metric may use beside its input; 0: default_memory
  const FeatureMap* features = nullptr;  ///< the caller's own, for metrics that are asked for given features
  const FeatureMaps* feature_maps = nullptr;        ///< those of the task, by name
  const Points* directions = nullptr;               ///< D×L for sliced_w2, scaled to length 1; null: its seeded set
  const std::vector<ScoreLevel>* scores = nullptr;  ///< for score_mse; null: there is no exact score
  const Vector* reference_log_density = nullptr;    ///< log-densities a model gave to the reference points
  bool intrinsic_density = false;                   ///< whether those are w.r.t. the volume of M
  const Density* density = nullptr;                 ///< the exact one, w.r.t. the volume of M

  static constexpr std::uint64_t default_memory = 2'000'000'000;
  [[nodiscard]] std::uint64_t memory() const { return memory_bytes == 0 ? default_memory : memory_bytes; }
};

/// A metric under way over samples that come in chunks, for files larger than memory. The records have the
/// same bits for every way of cutting the samples into chunks, one chunk included.
class MetricStream {
 public:
  virtual ~MetricStream() = default;
  /// How often all chunks are to be given, in the same order each time.
  [[nodiscard]] virtual int passes() const { return 1; }
  /// \p chunk D×n, in pass \p pass from 0; \p projection of the RAW samples behind the chunk, null if there
  /// is none.
  virtual void add(int pass, const Points& chunk, const Projection* projection) = 0;
  /// The records, after all passes.
  [[nodiscard]] virtual std::vector<MetricRecord> finish() = 0;
};

/// A metric with its settings fixed at construction.
///
/// Identities, checked by the conformance suite on every registered metric:
///  1. evaluate is deterministic and does not depend on the order in which metrics are evaluated.
///  2. a record has name, direction, version, sizes and parameters; unknown numbers are NaN.
///  3. what cannot be computed for this input has status not_applicable with its reason, and value NaN.
///  4. non-finite columns are counted in n_nonfinite and left out.
///  5. samples of the wrong dimension throw InvalidInput.
class Metric {
 public:
  virtual ~Metric() = default;
  /// One or several records (a family computed in one pass). \throw InvalidInput on unusable input.
  [[nodiscard]] std::vector<MetricRecord> evaluate(const MetricInput& input) const;
  /// The same for samples in chunks: samples and projection of \p input are not looked at. Memory: O(cells +
  /// D max(D, 1024)) beside the reference. Null for a metric that needs all samples at once. \p input
  /// outlives the result.
  [[nodiscard]] virtual std::unique_ptr<MetricStream> stream(const MetricInput& input) const;

 protected:
  /// do_evaluate of a metric that streams: all samples as one chunk.
  [[nodiscard]] static std::vector<MetricRecord> evaluate_as_one_chunk(MetricStream& stream, const MetricInput& input);

 private:
  [[nodiscard]] virtual std::vector<MetricRecord> do_evaluate(const MetricInput& input) const = 0;
};

}  // namespace onmanifold
