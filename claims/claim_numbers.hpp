// SPDX-License-Identifier: Apache-2.0
#pragma once
// What claims read of the diagnostics of cells: labels of [[diagnostic]] tables and names of their numbers.
// One value each, per cell, unless said otherwise. Diagnostics write these names; a missing one is named in
// the report and is never an error. "Exact" labels are asked of the exact law, in oracle cells.

namespace onmanifold::claim_numbers {

// Normal part of the score against the noise level: claims C3, C4, C18.
inline constexpr const char* score_norm = "score_norm";              ///< learned field
inline constexpr const char* score_norm_exact = "score_norm_exact";  ///< exact field
inline constexpr const char* slope = "slope";                        ///< of log normal_square on log s
inline constexpr const char* ideal_ratio = "ideal_ratio";            ///< plateau over its ideal
inline constexpr const char* regression = "regression";              ///< on the offset, 1 where the field is right

// Likelihood: C5 (no lift), C6 (lift).
inline constexpr const char* likelihood_explosion = "likelihood_explosion";
inline constexpr const char* expected = "expected";                    ///< d - D, beside slope
inline constexpr const char* gap_per_dimension = "gap_per_dimension";  ///< (NLL - floor)/D, nats
inline constexpr const char* gap_se = "gap_se";                        ///< its standard error

// Lift and projection: C1, C2, C13. Series over the lift levels "sigma".
inline constexpr const char* lift_geometry = "lift_geometry";
inline constexpr const char* sigma = "sigma";
inline constexpr const char* rate = "rate";          ///< of draws that do not come back
inline constexpr const char* draws = "draws";        ///< their number, one value or a series
inline constexpr const char* bound = "bound";        ///< of the rate
inline constexpr const char* exact_rate = "exact";   ///< the rate in closed form, NaN where not known; may be missing
inline constexpr const char* max_jump = "max_jump";  ///< largest |Pi(x0 + n) - x0|

// Support robustness: C19, C22.
inline constexpr const char* support_robustness = "support_robustness";
inline constexpr const char* ratio = "ratio";  ///< normal shift by normal-only over tangential by tangent-only errors
inline constexpr const char* s_min = "s_min";  ///< in data units

// Lyapunov vectors: C21, C22, C27.
inline constexpr const char* lyapunov = "lyapunov";
inline constexpr const char* alignment = "alignment";                ///< median over paths of A1 = |T^T Q|_F^2/d
inline constexpr const char* random_alignment = "alignment_random";  ///< d/D
inline constexpr const char* gap = "gap";                            ///< tangent - normal exponent
inline constexpr const char* bound_holds =
    "bound_holds";  ///< share of paths with measured <= bound: the condition with its quadratic term
inline constexpr const char* bound_vacuous = "bound_vacuous";      ///< share of which the bound says nothing
inline constexpr const char* linear_holds = "linear_holds";        ///< share within it without the quadratic term
inline constexpr const char* control_vacuous = "control_vacuous";  ///< share without a statement, thick circle

// First-order density error: C20.
inline constexpr const char* density_error = "density_error";
inline constexpr const char* correlation = "correlation";  ///< of psi predicted with the log-ratio measured
inline constexpr const char* mean_in_se = "mean_in_se";    ///< E psi over its standard error

// Targets: C23, C26.
inline constexpr const char* target_variance = "target_variance";
inline constexpr const char* mad_s2 = "mad_total_s2";    ///< s^2 E|g|^2 at the smallest level
inline constexpr const char* training = "training";      ///< label of the record of a training
inline constexpr const char* final_loss = "final_loss";  ///< mean over its last tenth

// Two-step bound: C16.
inline constexpr const char* two_step_bound = "two_step_bound";
inline constexpr const char* sides_ratio = "lhs_over_rhs";

}  // namespace onmanifold::claim_numbers
