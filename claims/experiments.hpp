// SPDX-License-Identifier: Apache-2.0
#pragma once
// What several papers' experiments share: configurations and tasks of the suite of the claims, by their names there.

#include "claims/evidence.hpp"

namespace onmanifold {

inline const Configuration oracle = {"oracle"};
inline const Configuration unlifted = {"ddpm"};
inline const Configuration lifted = {"ddpm", "normal"};
/// ddpm down to noise so small that its flow contracts by what C19 and C21 ask for.
inline const Configuration deep = {"ddpm_deep"};
inline const std::vector<Endpoint> plane_and_sphere = {{"plane-gmm9"}, {"sphere-vmf6"}};

inline constexpr const char* superiority_rule =
    "per seed the mean over tasks of paired differences in units of the smallest relevant effect d0 (tvd: a tenth of "
    "the other arm's corrected value, at least .002; else a tenth of its distance from the oracle, at least the null's "
    "spread); one-sided sign flips, Holm over claims, and mean >= d0";
inline constexpr const char* interval_rule =
    "two one-sided t tests over seeds with Holm over claims, and the 95 % interval inside the margin, in every part";
inline constexpr const char* bound_rule =
    "one-sided sign flips about the bound over seeds, Holm over claims, in every part";

}  // namespace onmanifold
