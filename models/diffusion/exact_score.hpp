// SPDX-License-Identifier: Apache-2.0
#pragma once
// Method `exact_score`: the sampler of `ddpm` driven by the analytic score. It proves the sampler apart from
// the learning, and shows what no network can beat at this number of steps.

#include <memory>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// epsilon(x_t, t) = -sigma_t c score(c x_t + a_t m; a_t, c sigma_t), with m and c the mean and scale of the
/// clean points and score that of FitContext::diffused_score (plain or lifted). Settings: DiffusionSettings and
/// SamplerOptions.
/// No state. fit throws Unsupported if the task has no
/// analytic score.
[[nodiscard]] std::unique_ptr<GenerativeModel> make_exact_score(Settings& settings);

}  // namespace onmanifold
