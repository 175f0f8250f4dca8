// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `rsgm`: a Riemannian score-based generative model \cite debortoli2022: Brownian motion on the
// manifold and its reversal.

#include <functional>
#include <memory>
#include <vector>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "manifolds/heat_kernel.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/flow_matching/velocity_field.hpp"

namespace onmanifold {

/// Training points are moved by exact draws of the heat kernel to times from (smallest noise of the task)^2
/// (without one: 1e-4 of the last) to the time at which the kernel has relaxed to 1e-4, in geometric
/// progression; the network n learns sqrt(t) times the score, projected on the tangent space (a score loss
/// with weight t). Settings: sampler = "walk" (ode_steps reverse geodesic steps from the uniform law, then
/// one step along t times the score without noise) or "flow" (the probability-flow equation dx/dt = -score/2,
/// by the Runge–Kutta rule of velocity_field.hpp), ode_steps (100), likelihood (true), TrainingSettings.
/// log_density is that of "flow" w.r.t. the volume of M: of the data diffused to the smallest time. Sphere,
/// SO(3), torus, products; elsewhere fit throws Unsupported. The training points must lie on M: not for
/// lifts.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_rsgm(Settings& settings);

/// Times of the nodes and midpoints of a grid, by index 0 … grid.times(): t = smallest
/// (largest/smallest)^(1-u). Index 0 is not a time of the grid; it repeats index 1. \throw InvalidInput
/// unless 0 < smallest < largest.
[[nodiscard]] std::vector<double> diffusion_times(const VelocityGrid& grid, double smallest, double largest);

/// Its objective: time i of a batch is kernel.times()[i]. References outlive the result.
[[nodiscard]] std::unique_ptr<DenoiserObjective> make_heat_score_objective(const HeatKernel& kernel,
                                                                           const Geodesics& geodesics,
                                                                           const Standardisation& units);

/// Score at the columns of a block (D×n, n <= velocity_block) at time index i, tangent, data units.
using BlockScore = std::function<void(const Points& x, Index i, Points& score)>;

/// Brownian motion backwards from \p start (D×n, u = 0) to the first node of \p grid: steps
///   x <- exp(x, h score + sqrt(h) z), h the difference of the \p times of two nodes, z normal on the tangent
///   space,
/// and at last x <- exp(x, t score) where \p denoise. Noise of block b on leaving index i:
/// stream.at(b).at(i).
[[nodiscard]] Points reverse_geodesic_walk(const Geodesics& geodesics, const VelocityGrid& grid,
                                           const std::vector<double>& times, const BlockScore& score,
                                           const Points& start, const Stream& stream, bool denoise);

}  // namespace onmanifold
