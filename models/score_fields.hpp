// SPDX-License-Identifier: Apache-2.0
#pragma once
// Fitted networks as score fields: the noise prediction of a diffusion and the velocity of a flow, in the convention of
// contracts/score_field.hpp.

#include <memory>

#include "contracts/score_field.hpp"
#include "models/diffusion/diffusion_objective.hpp"
#include "models/flow_matching/velocity_field.hpp"
#include "models/networks/network.hpp"

namespace onmanifold {

/// score(y) = -epsilon(x_t, t)/(scale s_t) at x_t = a_t (y - mean)/scale; level k is scale s_t of t = T - k. Jacobian
/// products are exact through the network (forward mode; \throw Unsupported for one that is neither
/// Mlp, FourierMlp nor Unet) and by central differences in double through \p objective, which turns answers into
/// epsilon. References outlive the field; one thread.
[[nodiscard]] std::unique_ptr<ScoreField> make_diffusion_score_field(const Network& network,
                                                                     const Eigen::VectorXf& parameters,
                                                                     const DiffusionObjective& objective,
                                                                     const DiffusionFrame& frame);

/// score(y) = u (u v(x, u) - x)/((1 - u) scale) at x = u (y - mean)/scale; levels scale (1 - u)/u for the times of \p
/// grid but u = 0 and u = 1. Products as above.
[[nodiscard]] std::unique_ptr<ScoreField> make_flow_score_field(const Network& network,
                                                                const Eigen::VectorXf& parameters,
                                                                const VelocityGrid& grid,
                                                                const Standardisation& standardisation);

/// \p field with its estimates of x_0, y + s^2 score(y, s), put into the box \p least … \p largest (data units), as
/// samplers with clip_denoised do; the score is what belongs to the estimate. Along a coordinate that is cut the
/// estimate stands still. \throw InvalidInput unless the box has the dimension of the field and is not empty.
[[nodiscard]] std::unique_ptr<ScoreField> make_clipped_score_field(std::unique_ptr<ScoreField> field, Vector least,
                                                                   Vector largest);

}  // namespace onmanifold
