// SPDX-License-Identifier: Apache-2.0
#pragma once
// One step along a path of a score field, together with tangent vectors: the derivative of the step itself,
// so that products of steps are the Jacobian of the whole discrete path.

#include "contracts/score_field.hpp"

namespace onmanifold {

/// Heun's step of dy/ds = -s score from level \p k to level \p k + 1. \p y D×N; \p vectors D×(\p count N),
/// columns count·c … belong to point c, and become their images. Exact for y' = y/s, the contraction along
/// normals; of second order else. Cost: two calls of products().
void flow_step(const ScoreField& field, Index k, Index count, Points& y, Points& vectors);

/// The ancestral step y + (s^2 - s'^2) score + s' sqrt(1 - s'^2/s^2) z with \p noise z (D×N) held fixed. Its
/// Jacobian is exact for every Gaussian law. Cost: one call of products().
void frozen_noise_step(const ScoreField& field, Index k, const PointsRef& noise, Index count, Points& y,
                       Points& vectors);

}  // namespace onmanifold
