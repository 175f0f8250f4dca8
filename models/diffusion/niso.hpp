// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `niso`: a diffusion whose noise is larger in the normal directions \cite liu2025.

#include <memory>
#include <string>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "models/diffusion/diffusion_objective.hpp"

namespace onmanifold {

/// x_t = a_t x_0 + sigma_t z + a_t c U_N xi: the law of `ddpm` on data with the normal lift c, but the target is the
/// score of the whole Gaussian noise given the CLEAN point, whose covariance is sigma_t^2 (I - rho U_N U_N^T)^-1 with
/// rho = a^2 c^2/(sigma^2 + a^2 c^2). In units of epsilon = -sigma_t score:
///   epsilon* = (I - rho P_N)(z + (a c/sigma) U_N xi),
/// of variance sigma^2/(sigma^2 + a^2 c^2) along normals where `ddpm` on lifted data has 1.
/// Settings: c, a length in data units (0: the pre-registered lift of the task); scaling: epsilon = f net with f =
/// sigma/sqrt(sigma^2 + a^2 c^2) (root), sigma/max(sigma, a c) (max), sigma/(sigma + a c) (sum) or 1 (none); and those
/// of make_diffusion_model. Trained on clean points.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_niso(Settings& settings);

[[nodiscard]] std::unique_ptr<DiffusionObjective> make_niso_objective(const DiffusionFrame& frame, double c,
                                                                      const std::string& scaling);

/// Noise and target of one column set, for tests and diagnostics: total noise sigma z + a c U_N xi and epsilon*.
struct NisoTarget {
  Points noise;
  Points epsilon;
};
/// \p normal_part = U_N xi and \p z are D×n; \p normal_of_z = P_N z.
[[nodiscard]] NisoTarget niso_target(const PointsRef& z, const PointsRef& normal_of_z, const PointsRef& normal_part,
                                     double a, double sigma, double c);

}  // namespace onmanifold
