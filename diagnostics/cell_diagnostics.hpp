// SPDX-License-Identifier: Apache-2.0
#pragma once
// The diagnostics as a suite asks them of a cell: which field, which points, which levels, and the names of
// the numbers.

#include <memory>

#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"

namespace onmanifold {

/// Settings that several share: `points` clean training points (500), and `field` = `learned` (of the model)
/// or `exact` (the law the model was trained on, at `levels` (40) levels in geometric progression from 10
/// times the data's scale down to the task's smallest noise).

/// score_norm: slope, slope_se, slope_low, slope_high, ideal_slope, plateau, ideal_ratio, regression,
/// slope_below_trained, failures; by level: level, normal_square, ideal, total_square, level_regression.
/// Of a model of two steps it looks at the score of the latent points along the normals of the encoded
/// manifold: slope, slope_se, ideal_slope, latent_dimension; by level: level, normal_square, total_square.
[[nodiscard]] std::unique_ptr<Diagnostic> make_score_norm(Settings& settings);

/// target_variance, of the manifold and the points alone; thickness is that of the cell's lift, or the
/// setting. By level: level, and for each kind <kind>/total, <kind>/normal, <kind>/normal_at_foot. Scalars at
/// the smallest level: <kind>_total_s2 = s^2 E|g|^2.
[[nodiscard]] std::unique_ptr<Diagnostic> make_target_variance(Settings& settings);

/// intrinsic_dimension at the level nearest to `level` (1) times the task's smallest noise: flipd, flipd_se,
/// normal_bundle_gap, normal_bundle_threshold, dimension (that of M); up to D = 32, where all densities are finite,
/// lidl and lidl_se over up to eight levels of the decade above, with the densities of the flow.
/// <estimator>_evaluations: values and Jacobian products of the field a point.
[[nodiscard]] std::unique_ptr<Diagnostic> make_intrinsic_dimension(Settings& settings);

/// support_robustness: ratio, distance, s_min, s_max; for each kind <kind>/normal_gain,
/// <kind>/tangential_gain, <kind>/normal_slope, <kind>/tangential_slope, <kind>/failures; by size: size,
/// <kind>/normal, <kind>/tangential.
[[nodiscard]] std::unique_ptr<Diagnostic> make_support_robustness(Settings& settings);

/// lyapunov along the flow from the first level down, or along the ancestral sampler with `path` =
/// `frozen_noise`: gap and alignment (medians of the spectral gap after d and of A1), alignment_random,
/// score_alignment (A2), largest_sine (A3), dimension_estimate, dimension, failures, evaluations (values and
/// Jacobian products of the field a path); exponents (medians, falling). `vectors` of them; 0: all up to D = 32, d + 8
/// above. On a lifted law the gap is at most about log(w/sigma). Up to D = 32, of `condition_points` (50; 0: none)
/// paths from the first level below a tenth of the reach (`condition_level`): the shares bound_holds (angle measured <=
/// alignment_condition's bound, a theorem), linear_holds (without the quadratic term: no bound on curved M),
/// bound_vacuous, and control_vacuous of the same condition on a thick circle, a law on no manifold, which must be
/// near 1.
[[nodiscard]] std::unique_ptr<Diagnostic> make_lyapunov(Settings& settings);

/// density_error of the learned field against the exact law on its levels, down to the level nearest to
/// `level` (1) times the task's smallest noise, at the ends of `points` (200) exact paths: correlation of psi
/// with the log-ratio of the two densities, correlation_of_part with that of a field `part` (.01) of the way
/// from exact to learned, over `part` (1 if nothing but the first order matters there), mean_in_se = mean psi
/// over its standard error, mean, spread, measured_spread, level. D <= 32.
[[nodiscard]] std::unique_ptr<Diagnostic> make_density_error(Settings& settings);

/// lift_geometry over the task's grid of lift levels, of the manifold and the points alone; by level: sigma,
/// rate, rate_low, rate_high, draws, bound, exact (NaN where the rate has no closed form), max_jump,
/// mean_jump, failures; within_bound (1 or 0) over all.
[[nodiscard]] std::unique_ptr<Diagnostic> make_lift_geometry(Settings& settings);

/// likelihood_explosion, of methods that record log_thickness beside their loss in nats: slope and slope_se
/// of the training log-likelihood on the mean log thickness over the records of thinner_half(), their number
/// records, expected (d - D); the whole course as log_thickness and log_likelihood. With a normal lift, and
/// an entropy and a tube factor that are known: nll of `points` (10000) fresh lifted draws, floor,
/// gap_per_dimension = (nll - floor)/D, gap_se.
[[nodiscard]] std::unique_ptr<Diagnostic> make_likelihood_explosion(Settings& settings);

/// two_step_bound, of models of two steps, with `points` (1000) training points and as many latent draws:
/// lhs_over_rhs with the local Lipschitz constant, lhs_over_rhs_norms with that from the norms of the layers,
/// rhs_over_diameter (above 1 the bound says nothing), left, reconstruction, latent, lipschitz for W1, and
/// with _w2 for W2; norm_bound.
[[nodiscard]] std::unique_ptr<Diagnostic> make_two_step_bound(Settings& settings);

/// training: final_loss, the mean over the last tenth of the recorded loss; gradient_norm and
/// gradient_norm_sd over the last fifth.
[[nodiscard]] std::unique_ptr<Diagnostic> make_training_record(Settings& settings);

}  // namespace onmanifold
