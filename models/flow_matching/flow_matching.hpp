// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `flow_matching`: conditional flow matching on straight paths \cite lipman2023, blind to the manifold.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// x_u = (1 - u) z + u x_1 with z ~ N(0, I) and u uniform on the 2 ode_steps + 1 nodes and midpoints of the
/// VelocityGrid; the network predicts x_1 - z. Samples: classical Runge–Kutta steps from u = 0 to 1. log_density:
/// through the divergence, exact up to the steps, for the mlp. Settings: ode_steps (100), time_power (1) of the grid,
/// likelihood (false) and those of TrainingSettings. Data are standardised by the mean and ONE scale of the clean
/// points.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_flow_matching(Settings& settings);

}  // namespace onmanifold
