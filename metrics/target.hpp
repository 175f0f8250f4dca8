// SPDX-License-Identifier: Apache-2.0
#pragma once
// What samples are compared with, and what is compared: a target, sets of points, and the results that several metrics
// ask for, which belong to what they were computed from and die with it.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

#include "contracts/distribution.hpp"
#include "contracts/feature_map.hpp"
#include "contracts/partition.hpp"
#include "core/points.hpp"
#include "core/random/stream.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// Results by name, each computed at most once; safe to ask from several threads.
class Memo {
 public:
  /// The value of \p compute() under \p key. Two threads may both compute, with equal results.
  template <class T, class Compute>
  [[nodiscard]] std::shared_ptr<const T> get(const std::string& key, const Compute& compute) const {
    const std::pair<std::type_index, std::string> address(typeid(T), key);
    {
      const std::lock_guard lock(mutex_);
      const auto found = results_.find(address);
      if (found != results_.end()) return std::static_pointer_cast<const T>(found->second);
    }
    // Outside the lock, for compute() may itself ask.
    std::shared_ptr<const void> value = std::make_shared<const T>(compute());
    const std::lock_guard lock(mutex_);
    return std::static_pointer_cast<const T>(results_.try_emplace(address, std::move(value)).first->second);
  }

 private:
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::type_index, std::string>, std::shared_ptr<const void>> results_;
};

/// The finite columns of a set of points; copies only if there is one that is not finite. What is drawn from them, or
/// dealt out among them, starts from their lexicographic order, so that the order of a file changes nothing.
class FiniteColumns {
 public:
  /// \p points outlives the object. \p name tells the draws of one set from those of another.
  explicit FiniteColumns(const Points& points, std::string name = "points");
  FiniteColumns(const FiniteColumns&) = delete;
  FiniteColumns& operator=(const FiniteColumns&) = delete;

  [[nodiscard]] const Points& points() const { return *points_; }
  [[nodiscard]] Index size() const { return points_->cols(); }
  /// Columns left out.
  [[nodiscard]] Index nonfinite() const { return nonfinite_; }
  /// Largest absolute coordinate; 0 without columns.
  [[nodiscard]] double largest() const;
  /// All columns in lexicographic order; made when first asked for. Cost O(D N log N).
  [[nodiscard]] const Points& sorted() const;
  /// \p size columns chosen at random, by a stream of the name of the set; all in the given order where \p size is 0 or
  /// not below their number.
  [[nodiscard]] Points drawn(Index size) const;
  /// Columns that are equal to another one before them.
  [[nodiscard]] Index duplicates() const;

 private:
  Points kept_;
  const Points* points_ = nullptr;
  Index nonfinite_ = 0;
  std::string name_;
  Memo memo_;
};

/// The distribution and the manifold that samples are held against. Pointers are not owned; null where there is none.
struct Target {
  static constexpr std::uint64_t default_memory = 2'000'000'000;

  const Points* reference = nullptr;  ///< D×N fresh draws of p0
  const Manifold* manifold = nullptr;
  const Partition* partition = nullptr;
  const Vector* masses = nullptr;             ///< exact masses of the cells of \p partition
  const Sampler* sampler = nullptr;           ///< more draws of p0, for null values that need a simulation
  const Sampler* held_out = nullptr;          ///< draws of p0 apart from training and reference, of data too
  const Density* density = nullptr;           ///< the exact one, w.r.t. the volume of M
  const FeatureMaps* feature_maps = nullptr;  ///< those of the task, by name
  const FeatureMap* features = nullptr;       ///< the caller's own, for metrics asked for given features
  const Points* directions = nullptr;         ///< D×L for sliced_w2, scaled to length 1; null: its seeded set
  Stream evaluation;                          ///< address: task; the same for every method
  std::uint64_t memory_bytes = 0;             ///< what a metric may use beside its input; 0: default_memory

  [[nodiscard]] std::uint64_t memory() const { return memory_bytes == 0 ? default_memory : memory_bytes; }
};

/// A target with what metrics have found out about it: null values, radii, sums over pairs of the reference.
class PreparedTarget : public Target {
 public:
  explicit PreparedTarget(const Target& target) : Target(target) {
    if (reference != nullptr) finite_.emplace(*reference, "reference");
  }
  PreparedTarget(const PreparedTarget&) = delete;
  PreparedTarget& operator=(const PreparedTarget&) = delete;

  /// Finite columns of the reference. \pre there is a reference
  [[nodiscard]] const FiniteColumns& finite() const { return *finite_; }
  [[nodiscard]] const Memo& memo() const { return memo_; }

 private:
  std::optional<FiniteColumns> finite_;
  Memo memo_;
};

/// UNLIFTED training points behind samples of one target.
class TrainingPoints {
 public:
  /// \p points D×T outlives the object.
  explicit TrainingPoints(const Points& points) : points_(points), finite_(points, "training") {}
  [[nodiscard]] const Points& points() const { return points_; }
  [[nodiscard]] const FiniteColumns& finite() const { return finite_; }
  [[nodiscard]] const Memo& memo() const { return memo_; }

 private:
  const Points& points_;
  FiniteColumns finite_;
  Memo memo_;
};

/// Scores at the same points of one noised law: what a model gave and what is exact, for `score_mse`.
struct ScoreLevel {
  double sigma = 0;               ///< standard deviation of the noise of the level, in length units
  const Points* model = nullptr;  ///< D×n
  const Points* exact = nullptr;  ///< D×n
};

class MetricInput;

/// What a model gave. Pointers are not owned; null where there is none.
struct Samples {
  const Points* samples = nullptr;  ///< D×n; columns that are not finite are counted and left out
  const TrainingPoints* training = nullptr;
  const Projection* projection = nullptr;         ///< of the raw samples behind \p samples
  bool projected = false;                         ///< whether \p samples are the projected ones
  const MetricInput* after_projection = nullptr;  ///< of raw samples: the projected ones, where these are measured too
  const std::vector<ScoreLevel>* scores = nullptr;  ///< for score_mse; null: there is no exact score
  const Vector* reference_log_density = nullptr;    ///< log-densities a model gave to the reference points
  bool intrinsic_density = false;                   ///< whether those are w.r.t. the volume of M
};

/// One set of samples against one target, with what metrics have found out about the two.
class MetricInput : public Samples {
 public:
  /// \p against and what \p given points to outlive the object.
  MetricInput(const PreparedTarget& against, const Samples& given) : Samples(given), target(against) {
    if (samples != nullptr) finite_.emplace(*samples, "samples");
  }
  MetricInput(const MetricInput&) = delete;
  MetricInput& operator=(const MetricInput&) = delete;

  const PreparedTarget& target;

  /// Finite columns of the samples. \pre they are in memory
  [[nodiscard]] const FiniteColumns& finite() const { return *finite_; }
  [[nodiscard]] const Memo& memo() const { return memo_; }

 private:
  std::optional<FiniteColumns> finite_;
  Memo memo_;
};

}  // namespace onmanifold
