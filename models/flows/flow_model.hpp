// SPDX-License-Identifier: Apache-2.0
#pragma once
// Methods `realnvp` and `spline_flow`: coupling flows by maximum likelihood, blind to the manifold.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// Affine couplings \cite dinh2017: log-scales are bound · tanh, so bound (2) limits how thin the law can
/// become.
///
/// Both flows maximise log N(f(x); 0, I) + log|det df/dx| over the standardised points. log_density: exact,
/// in nats in the units of the data. Settings: layers (8), width (128) and depth (2) of their networks, steps
/// (7000), batch (256), preset, learning_rate (5e-4; spline_flow 5e-3), warmup, ema, clip (5). Curves: loss, the mean
/// negative log-likelihood in units of the data; gradient_norm; mean_log_det and largest_log_det, the largest absolute
/// value over all points seen; smallest_singular_value of d f^-1 in units of the data over the points of the
/// stretch's last step that are looked at (8; up to 128 coordinates); log_thickness, the mean of its
/// logarithm over them.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_realnvp(Settings& settings);

/// Rational-quadratic splines \cite durkan2019: bins (8), bound (4, in standardised units; linear outside).
[[nodiscard]] std::unique_ptr<GenerativeModel> make_spline_flow(Settings& settings);

}  // namespace onmanifold
