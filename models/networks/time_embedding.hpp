// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sinusoidal features of the diffusion time.

#include <vector>

#include "core/points.hpp"

namespace onmanifold {

/// Column t = 0 … T: sin(w_i t/T) for i = 0 … 15, then cos(w_i t/T), with w_i from 1 to 1000 in geometric
/// progression. 32×(T+1). \pre T >= 1
[[nodiscard]] Eigen::MatrixXf time_embedding(Index steps);

/// Column t of the levels s_0 … s_T: sin(w_i log s_t) for i = 0 … 15, then cos(w_i log s_t), with w_i from 1/8 to 4 in
/// geometric progression; column 0 is that of s_1. Neighbouring levels have nearly the same features, so that they
/// share what they learn, however many there are. 32×(T+1). \pre levels of at least two entries, positive from s_1 on
[[nodiscard]] Eigen::MatrixXf level_embedding(const std::vector<double>& levels);

/// Column t: the number t itself in row 0, and zeros. 32×(T+1). \pre T >= 1
[[nodiscard]] Eigen::MatrixXf raw_time(Index steps);

}  // namespace onmanifold
