// SPDX-License-Identifier: Apache-2.0
#pragma once
// A task: a law on a manifold with everything that is known about it exactly, its metrics and its settings.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contracts/distribution.hpp"
#include "contracts/image_layout.hpp"
#include "contracts/partition.hpp"
#include "core/points.hpp"
#include "core/registry.hpp"
#include "core/settings.hpp"
#include "datasets/data_split.hpp"
#include "datasets/lift.hpp"
#include "datasets/readers/labelled_images.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// A surface for pictures.
struct Surface {
  Points vertices;        ///< 3×V
  Eigen::MatrixXi faces;  ///< 3×F, counter-clockwise seen from outside
};

/// A number of a paper for this task, shown as published beside ours.
struct PublishedNumber {
  std::string metric;
  std::string method;
  double value = 0;
  double spread = 0;     ///< the ± of the paper; 0: none given
  std::string source;    ///< key of the bibliography
  bool verified = true;  ///< read in that paper; false: in a secondary text that quotes it
};

/// Everything the suite needs to know of a task. Null or empty where the task has none.
struct Task {
  std::string name;
  int version = 1;
  std::string description;  ///< one line, with the law and its source
  std::string data_hash;    ///< SHA-256 over whatever fixes the law: parameters or shipped data
  std::string source;       ///< where real data come from; empty: the law is drawn, there are no data
  std::string licence;      ///< of these data
  std::vector<PublishedNumber> published;
  std::string published_note;        ///< in what their protocol or measure differs from ours
  bool published_comparable = true;  ///< false: their data are so different that agreement would say nothing
  std::shared_ptr<const Manifold> manifold;
  std::shared_ptr<const Sampler> sampler;  ///< fresh draws of the law; with splits: those of the validation split
  std::optional<DataSplits> splits;        ///< of a law that is known by a finite data set only
  std::shared_ptr<const Density> density;
  std::shared_ptr<const Partition> partition;
  Vector masses;                                              ///< exact masses of the cells of partition
  double entropy = std::numeric_limits<double>::quiet_NaN();  ///< nats; NaN if unknown
  double smallest_noise = 0.01;                               ///< s_min in standardised units
  double preregistered_sigma = 0.0;                           ///< the lift level of verdicts, in data units
  std::vector<double> sigma_grid;                             ///< the published or stated sweep, in data units
  std::string metrics;  ///< default metric list with this task's settings, in the notation of --metrics
  std::optional<Surface> surface;
  std::optional<ImageLayout> image;                    ///< where the coordinates lie in an image, of a task of images
  double image_total = 0;                              ///< sum of the pixels of every image, of a task of images
  std::shared_ptr<const LabelledImageFiles> labelled;  ///< where labels of such images are; null: there are none

  /// Exact score of the noised, lifted law; null where there is no closed form.
  [[nodiscard]] std::shared_ptr<const DiffusedScore> diffused_score(const Lift& lift) const;
  std::function<std::shared_ptr<const DiffusedScore>(const Lift& lift)> make_diffused_score;
};

using TaskFactory = Task (*)(Settings& settings);

/// All tasks by name. A factory reads overrides ("bins", "metrics", "s_min", …) and leaves finish() to the
/// caller.
[[nodiscard]] const Registry<TaskFactory>& task_registry();

/// Streams of a task (design, decision 5): training = seed/"<task>/train/<replicate>"; reference =
/// seed/"<task>/reference/v<version>"; evaluation = seed/"<task>/evaluation".
[[nodiscard]] Stream training_stream(const Task& task, std::uint64_t seed, int replicate);
[[nodiscard]] Stream reference_stream(const Task& task, std::uint64_t seed);
[[nodiscard]] Stream evaluation_stream(const Task& task, std::uint64_t seed);

/// Training points and reference points of a task, D×n: draws of its sampler, or of the split in question. Of a data
/// set with fewer than \p n points in that split: all of them, in random order.
[[nodiscard]] Points sample_training(const Task& task, Index n, Stream stream);
[[nodiscard]] Points sample_reference(const Task& task, Index n, Stream stream);
/// The sampler for null values by simulation, where draws must be as many and as independent as one likes; null for a
/// data set.
[[nodiscard]] const Sampler* simulation_sampler(const Task& task);

}  // namespace onmanifold
