// SPDX-License-Identifier: Apache-2.0
#pragma once
// Control `kde`: training points with noise, what N points allow without learning. Projection makes it a kernel density
// estimate on the manifold.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// log of the mean over \p centres (D×n) of N(x; centre, width^2 I) in \p dimensions directions, that is
///   log mean_i exp(-|x - c_i|^2/(2 width^2)) - dimensions/2 log(2 pi width^2),
/// for every column of \p x (D×N). dimensions = D: the density of centres with noise, in nats. dimensions = d: that of
/// the same centres and noise seen along a d-dimensional manifold, where chords are arcs. Negative \p own: all centres;
/// else column j of x is centre own + stride j itself and left out. N n D operations.
[[nodiscard]] Vector kernel_log_density(const PointsRef& centres, const PointsRef& x, double width, Index dimensions,
                                        Index own = -1, Index stride = 0);

/// The width with the largest leave-one-out likelihood along M, of at most \p points of the training points spread
/// evenly over their order: among 33 widths from 1e-3 to 1 times \p scale in geometric progression, then by golden
/// section around the best to 1 %. 0 where M has dimension 0. Only training points are looked at, and no metric.
[[nodiscard]] double likelihood_width(const PointsRef& training, Index dimension, double scale, Index points);

/// Samples are CLEAN training points, drawn uniformly with replacement, with N(0, width^2 I_D) added: NOT projected, as
/// those of all methods. Settings: width (0: likelihood_width; data units), validation_points (500), likelihood (false:
/// whether log-densities w.r.t. R^D are computed, N n D operations). Curves: width. State: the same. The training
/// points of the context are used and must outlive the model.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_kde(Settings& settings);

}  // namespace onmanifold
