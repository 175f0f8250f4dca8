// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a model gets its minibatches from. The source owns the clean points and lifts them anew in every epoch.

#include "core/points.hpp"

namespace onmanifold {

/// Training data of one cell.
class TrainingSource {
 public:
  virtual ~TrainingSource() = default;
  [[nodiscard]] virtual Index dimension() const = 0;
  /// Number of points in a pass.
  [[nodiscard]] virtual Index size() const = 0;
  /// The UNLIFTED training points, D×N: for controls, standardisation and copy checks, not for training.
  [[nodiscard]] virtual const Points& clean_points() const = 0;
  /// All points of pass \p epoch (0, 1, …), D×N, in the random order of that pass and with the lift noise of that
  /// pass: new in every epoch. A pure function of \p epoch.
  [[nodiscard]] virtual Points epoch(Index epoch) const = 0;
};

/// The affine map x -> (x - mean) / scale that every arm of a comparison shares.
struct Standardisation {
  Vector mean;         ///< D numbers: mean of the CLEAN training points
  double scale = 1.0;  ///< ONE number: root of the mean variance (ddof 0) over the coordinates of the clean points
};

/// Computed from the clean points, so that the noise range is the same for every lift. Constant data: scale 1.
[[nodiscard]] Standardisation standardisation(const TrainingSource& source);

}  // namespace onmanifold
