// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a training leaves behind: its steps in at most so many equal stretches, one number of each series a
// stretch.

#include <functional>
#include <string>
#include <vector>

#include "contracts/generative_model.hpp"
#include "models/networks/adam.hpp"

namespace onmanifold {

/// A series of a training record.
struct TrainingSeries {
  /// What a stretch keeps of the values of its steps.
  enum class Keep { mean, maximum, last };
  std::string name;
  Keep keep = Keep::mean;
};

/// Runs options.steps times \p step, which writes one value of each of \p series; the first one is the loss.
/// Its second argument says whether the step ends a stretch: the others need not compute what is kept of the
/// last step only. The curves are those series with "step" and "learning_rate", at most \p most_points long.
/// \p progress may be empty. \throw NumericalFailure "diverged: …" when the loss is not finite.
[[nodiscard]] Curves record_training(const AdamOptions& options, const std::vector<TrainingSeries>& series,
                                     Index most_points, const std::function<void(double)>& progress,
                                     const std::function<void(Vector& values, bool ends_stretch)>& step);

}  // namespace onmanifold
