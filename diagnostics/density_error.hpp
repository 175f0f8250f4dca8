// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an error of the drift does to the density, to first order: a flow v + eps u ends with the density
// rho (1 + eps psi).

#include <functional>
#include <memory>

#include "contracts/score_field.hpp"
#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"

namespace onmanifold {

/// A vector field with its divergence at the columns of y (D×N), at node or level number k. Fills \p value
/// (D×N) and \p divergence (N).
using FieldWithDivergence = std::function<void(const Points& y, Index k, Points& value, Vector& divergence)>;

/// A flow and its density: fills \p velocity and \p log_gradient = grad log rho (both D×N) at node k of the
/// times.
using DensityFlow = std::function<void(const Points& y, Index k, Points& velocity, Points& log_gradient)>;

/// psi at the ends of the flow that begins at \p y (D×N), which become these ends: along the flow
/// D psi/Dt = -(div u + u·grad log rho), psi = 0 at times[0]. By Heun's method, one step from each time to
/// the next; times rise or fall, and u is the error of the velocity dy/dt either way. If y are draws of rho,
/// E psi = 0. \throw InvalidInput below two times.
[[nodiscard]] Vector first_order_density_error(const VectorRef& times, const DensityFlow& flow,
                                               const FieldWithDivergence& error, Points& y);

/// The same for dy/ds = -s (score + eps w), with the scores of \p field, from level 0 to \p last_level (-1:
/// the last): D psi/Ds = s (div w + w·score). \p field is the law itself: rho is the density whose scores it
/// gives.
[[nodiscard]] Vector score_density_error(const ScoreField& field, const FieldWithDivergence& error, Points& y,
                                         Index last_level = -1);

/// w = other - field, and its divergence from D Jacobian products of each: the error of a learned field
/// against the exact one. Both have the same levels. The references outlive the result. \throw InvalidInput
/// if they have not.
[[nodiscard]] FieldWithDivergence score_difference(const ScoreField& field, const ScoreField& other);

/// log-density of the law that the flow of \p field makes at its last level from a law at level 0, at the
/// columns of \p y: the flow is run backwards by Heun's method, log p = log p_0(y_0) + int tr(ds velocity
/// gradient). \p log_density gives log p_0, D×N -> N. Cost: 2 levels N (1 + D) evaluations.
[[nodiscard]] Vector flow_log_density(const ScoreField& field, const PointsRef& y,
                                      const std::function<Vector(const Points&)>& log_density, Index last_level = -1);

/// density_error of the learned field against the exact law on its levels, down to the level nearest to
/// `level` (1) times the task's smallest noise, at the ends of `points` (200) exact paths: correlation of psi
/// with the log-ratio of the two densities, correlation_of_part with that of a field `part` (.01) of the way
/// from exact to learned, over `part` (1 if nothing but the first order matters there), mean_in_se = mean psi
/// over its standard error, mean, spread, measured_spread, level. D <= 32.
[[nodiscard]] std::unique_ptr<Diagnostic> make_density_error(Settings& settings);

}  // namespace onmanifold
