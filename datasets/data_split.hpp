// SPDX-License-Identifier: Apache-2.0
#pragma once
// Laws that are known by a finite data set only: a task then has disjoint splits instead of fresh draws.

#include <memory>
#include <string>

#include "contracts/distribution.hpp"
#include "core/points.hpp"

namespace onmanifold {

/// The points of one split as a Sampler: a random order of all points, then another one, so that no point
/// comes twice before every point came once. Draws of more than size() points repeat points and are not
/// independent.
class SplitSampler final : public Sampler {
 public:
  /// \p points D×N; \p name as in messages, e.g. "split 'train'". \throw InvalidInput if there is no point.
  SplitSampler(Points points, std::string name);

  [[nodiscard]] Index dimension() const override { return points_.rows(); }
  [[nodiscard]] Points sample(Index n, Stream stream) const override;
  [[nodiscard]] const Points& points() const { return points_; }
  [[nodiscard]] Index size() const { return points_.cols(); }

 private:
  Points points_;
  std::string name_;
};

/// Disjoint splits of a data set. Training points come from train, the reference from reference, and what
/// stands for fresh draws of the law (the oracle, the threshold of train_copy_rate) from validation.
struct DataSplits {
  std::shared_ptr<const SplitSampler> train;
  std::shared_ptr<const SplitSampler> validation;
  std::shared_ptr<const SplitSampler> reference;
};

}  // namespace onmanifold
