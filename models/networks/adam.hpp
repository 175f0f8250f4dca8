// SPDX-License-Identifier: Apache-2.0
#pragma once
// Adam with an exponential average of the weights, in one pass over memory, and the learning rate's schedule.

#include "core/points.hpp"

namespace onmanifold {

struct AdamOptions {
  double learning_rate = 1e-3;  ///< at its peak
  Index warmup = 100;           ///< steps of linear warm-up, >= 0
  Index steps = 7000;           ///< steps in all: the rate falls as a cosine to 0 at the end
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double ema = 0.999;  ///< decay of the weight average, in [0, 1)
  double clip = 0;     ///< largest global gradient norm; 0: none
};

/// Rate of step \p step = 0, 1, …: peak · (step + 1)/warmup while warming up, then peak · (1 + cos(pi u))/2
/// with u from 0 to 1 over the rest.
[[nodiscard]] double learning_rate(const AdamOptions& options, Index step);

/// Adam \cite kingma2015 with bias correction. The average is e <- d e + (1 - d) w with d = min(ema, (1 +
/// s)/(10 + s)) at step s = 0, 1, …, so that short trainings are not dominated by their initial weights.
class Adam {
 public:
  /// Starts at \p parameters, which are also the first average.
  Adam(const AdamOptions& options, const Eigen::VectorXf& parameters);

  /// One step; \p parameters change in place. Returns the global norm of \p gradient before clipping.
  /// Allocates nothing.
  double step(const Eigen::VectorXf& gradient, Eigen::VectorXf& parameters);
  [[nodiscard]] const Eigen::VectorXf& average() const { return average_; }

 private:
  AdamOptions options_;
  Index step_ = 0;
  Eigen::VectorXf first_;
  Eigen::VectorXf second_;
  Eigen::VectorXf average_;
};

}  // namespace onmanifold
