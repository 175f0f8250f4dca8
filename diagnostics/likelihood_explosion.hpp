// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the likelihood of a density model runs away on a bare manifold, and the floor that a lift puts below
// it.

#include <memory>
#include <vector>

#include "core/random/stream.hpp"
#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"
#include "diagnostics/line_fit.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

struct LikelihoodExplosion {
  LineFit line;             ///< of log-likelihood a point, nats, on log thickness
  double expected = 0;      ///< d - D
  bool reproduced = false;  ///< the interval lies inside expected ± margin
};

/// The recorded course of one training: \p log_likelihood, mean nats a point, against \p log_thickness, the
/// logarithm of the model's learned extent along normals (smallest singular values of the inverse's Jacobian,
/// or the decoder's scale), the values in one unit of length. A model that does nothing but contract gives d
/// - D. \throw InvalidInput as fit_line, or unless dimension < ambient dimension and margin > 0.
[[nodiscard]] LikelihoodExplosion likelihood_explosion(const VectorRef& log_thickness, const VectorRef& log_likelihood,
                                                       Index dimension, Index ambient_dimension, double margin = 0.2,
                                                       double level = 0.95);

/// Numbers of the entries of \p log_thickness below the middle between its first and its smallest value:
/// where a training has learned the shape along M and goes on contracting. All entries if fewer than 5 are.
[[nodiscard]] std::vector<Index> thinner_half(const VectorRef& log_thickness);

/// The least -E log q that any density q can reach on p0 after the normal lift \p sigma, while tubes do not
/// overlap: H(p0) + (k/2) log(2 pi e sigma^2) + E log |det(I - S_n)|, nats, from the \p entropy H(p0) and the
/// last term, which Manifold::mean_log_tube_factor gives. What a model is above it is its KL divergence. \throw
/// InvalidInput unless sigma > 0 and codimension >= 1.
[[nodiscard]] double lifted_nll_floor(double entropy, Index codimension, double sigma, double mean_log_factor);

/// Pi(x) + r n with a unit normal n drawn evenly in the normal space: where the gradient of a log-density is
/// watched, for at fixed r above the learned thickness s it grows like r/s^2, slope -2 in log s. Points that
/// do not project become NaN. D×N. \throw InvalidInput unless r > 0 and the manifold has normals.
[[nodiscard]] Points points_off_manifold(const Manifold& manifold, const PointsRef& x, double r, Stream stream);

/// likelihood_explosion, of methods that record log_thickness beside their loss in nats: slope and slope_se
/// of the training log-likelihood on the mean log thickness over the records of thinner_half(), their number
/// records, expected (d - D); the whole course as log_thickness and log_likelihood. With a normal lift, and
/// an entropy and a tube factor that are known: nll of `points` (10000) fresh lifted draws, floor,
/// gap_per_dimension = (nll - floor)/D, gap_se.
[[nodiscard]] std::unique_ptr<Diagnostic> make_likelihood_explosion(Settings& settings);

}  // namespace onmanifold
