// SPDX-License-Identifier: Apache-2.0
#pragma once
// The features that a task has for metrics: principal axes of its training split, and the classifier of its
// images, whose weights are trained once and kept beside the data.

#include <map>
#include <string>

#include "contracts/feature_map.hpp"
#include "contracts/generative_model.hpp"
#include "datasets/task.hpp"

namespace onmanifold {

/// The classifier behind fid_lenet.
struct LenetWeights {
  std::string path;  ///< <data folder>/<set>/lenet-<height>x<width>.h5
  ModelState state;
  std::string hash;     ///< of the state
  double accuracy = 0;  ///< on the test images, which are the reference split
  Index train_images = 0;
  Index test_images = 0;
  Index classes = 0;
  bool trained = false;  ///< in this call, not read back
  double seconds = 0;    ///< of the training
};

/// Why \p task can have no such classifier, in one line; empty if it can. Reads the labels.
/// \throw InvalidInput if files that are there cannot be used.
[[nodiscard]] std::string lenet_obstacle(const Task& task);

/// Reads the weights, or trains them where there are none (or \p again) and keeps them: complete or absent,
/// under a kernel lock that lets one process train and the others wait. The seed is fixed: equal data give
/// equal weights on one machine. Training enters oneDNN: never in a process that forks workers later. About
/// 30 s for 50,000 images of 28×28 pixels. \pre lenet_obstacle(task).empty()
/// \throw InvalidInput in one line if the file is damaged or was made from other images or by another
/// version, IoError if it cannot be written.
[[nodiscard]] LenetWeights lenet_weights(const Task& task, bool again = false);

/// Looks at what lenet_weights() would read, without training or entering oneDNN, so that a suite can refuse
/// to start. \throw InvalidInput as lenet_weights, also if weights would have to be written where that is not
/// allowed.
void check_lenet_weights(const Task& task);

/// "pca64": 64 principal axes of the first 10,000 points of the training split, where D > 64. "lenet": the
/// penultimate layer of lenet_weights().
class TaskFeatures final : public FeatureMaps {
 public:
  explicit TaskFeatures(const Task& task) : task_(task) {}
  [[nodiscard]] FoundFeatures find(const std::string& name) const override;

 private:
  Task task_;
  mutable std::map<std::string, FeatureMap> made_;
};

}  // namespace onmanifold
