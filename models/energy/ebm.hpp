// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `ebm`: an energy E with density proportional to e^-E, trained against its own Langevin chains.

#include <functional>
#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// Langevin chains x <- clamp(x - step dE/dx + noise xi, ±box). With step = noise^2 / 2 small, the law e^-E
/// on the box is nearly stationary; in general it is that at temperature noise^2 / (2 step).
struct LangevinOptions {
  Index steps = 30;
  double noise = 0.1;
  double step = 0.005;
  double box = 4;
};

/// Moves the columns of \p x; \p gradient writes dE/dx of its first argument to its second. Step k draws from
/// stream.at(k).
void run_langevin(const std::function<void(const Eigen::MatrixXf&, Eigen::MatrixXf&)>& gradient,
                  const LangevinOptions& options, const Stream& stream, Eigen::MatrixXf& x);

/// Minimises mean E(data) - mean E(chains) + penalty (mean E(data)^2 + mean E(chains)^2) \cite du2019: the
/// chains are kept in a buffer between the steps, and a share of them starts anew from N(0, I). Samples are
/// chains from N(0, I).
///
/// Settings: width (64), depth (2), steps (3000), batch (256), learning_rate (1e-3), warmup, ema, clip,
/// penalty (0.01), buffer (8192), restart (0.05), langevin_steps (30) a training step, sample_steps (500),
/// langevin_noise (0.1), langevin_step (0: noise^2 / 2), box (4); lengths in standardised units. Curves: loss
/// without the penalty, gradient_norm, data_energy.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_ebm(Settings& settings);

}  // namespace onmanifold
