// SPDX-License-Identifier: Apache-2.0
#include "models/networks/training_record.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {

Curves record_training(const AdamOptions& options, const std::vector<TrainingSeries>& series, Index most_points,
                       const std::function<void(double)>& progress,
                       const std::function<void(Vector& values, bool ends_stretch)>& step) {
  using Keep = TrainingSeries::Keep;
  const Index stretch = (options.steps + most_points - 1) / most_points;
  const Index points = (options.steps + stretch - 1) / stretch;
  const auto width = static_cast<Index>(series.size());
  Eigen::MatrixXd table = Eigen::MatrixXd::Zero(points, width);
  Vector steps(points);
  Vector rates = Vector::Zero(points);
  Vector values = Vector::Zero(width);
  for (Index p = 0; p < points; ++p) {
    const Index first = p * stretch;
    const Index count = std::min(stretch, options.steps - first);
    for (Index s = first; s < first + count; ++s) {
      step(values, s + 1 == first + count);
      if (!std::isfinite(values[0])) {
        throw NumericalFailure(fmt::format("diverged: the loss is {} at step {}", values[0], s));
      }
      for (Index k = 0; k < width; ++k) {
        double& kept = table(p, k);
        switch (series[static_cast<std::size_t>(k)].keep) {
          case Keep::mean:
            kept += values[k] / static_cast<double>(count);
            break;
          case Keep::maximum:
            kept = s == first ? values[k] : std::max(kept, values[k]);
            break;
          case Keep::last:
            kept = values[k];
            break;
        }
      }
      rates[p] += learning_rate(options, s) / static_cast<double>(count);
    }
    steps[p] = static_cast<double>(first + count);
    if (progress) progress(steps[p] / static_cast<double>(options.steps));
  }
  Curves curves = {{"step", steps}, {"learning_rate", rates}};
  for (Index k = 0; k < width; ++k) curves[series[static_cast<std::size_t>(k)].name] = table.col(k);
  return curves;
}

}  // namespace onmanifold
