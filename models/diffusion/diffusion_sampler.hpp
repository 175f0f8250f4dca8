// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sampling of a discrete diffusion, in blocks of columns that stay in the cache through all steps: ancestral
// steps, or an integrator of the probability-flow equation.

#include <array>
#include <functional>
#include <vector>

#include "core/enum_names.hpp"
#include "core/points.hpp"
#include "core/random/stream.hpp"
#include "core/settings.hpp"
#include "models/diffusion/noise_schedule.hpp"

namespace onmanifold {

/// Writes the predicted noise epsilon(x_t, t) of the columns of \p x (D×n, n <= sampling_block) to \p epsilon
/// (D×n). Called from one thread; may keep scratch memory.
using BlockDenoiser = std::function<void(const Points& x, Index t, Points& epsilon)>;
/// May change the state \p x of a block when it has come to time \p t; \p draws is the block's own stream for
/// that time.
using BlockHook = std::function<void(Points& x, Index t, const Stream& draws)>;

/// The box of a law's support: its least and its largest value of every coordinate, in the units of the diffusion.
struct SignalRange {
  Vector least;
  Vector largest;
};

/// Puts the estimate x_0 = (x_t - sigma_t epsilon)/a_t behind \p epsilon into the box of \p range, coordinate by
/// coordinate, and makes \p epsilon what belongs to it ("clip_denoised" of the published code \cite ho2020). The exact
/// estimate is a mean over the support and never outside: only errors of a network are cut, which a_T = .005 turns
/// into 200 times as much in x_0.
void clip_denoised(const NoiseSchedule& schedule, const SignalRange& range, const Points& x, Index t, Points& epsilon);

/// Columns of a block: 3 layers of 128 floats for 512 columns take 0.5 MB, half of a second-level cache.
inline constexpr Index sampling_block = 512;

enum class SamplerRule { ancestral, ddim, heun, dpm, sde, langevin };
template <>
struct EnumNames<SamplerRule> {
  static constexpr const char* kind = "sampler";
  static constexpr std::array<EnumName<SamplerRule>, 6> names = {{{SamplerRule::ancestral, "ancestral"},
                                                                  {SamplerRule::ddim, "ddim"},
                                                                  {SamplerRule::heun, "heun"},
                                                                  {SamplerRule::dpm, "dpm++2m"},
                                                                  {SamplerRule::sde, "sde"},
                                                                  {SamplerRule::langevin, "langevin"}}};
};

/// Of ancestral steps.
enum class StepVariance { beta, posterior };
template <>
struct EnumNames<StepVariance> {
  static constexpr const char* kind = "variance";
  static constexpr std::array<EnumName<StepVariance>, 2> names = {
      {{StepVariance::beta, "beta"}, {StepVariance::posterior, "posterior"}}};
};

/// even: over t = T … 1; karras: see karras_times.
enum class LevelGrid { even, karras };
template <>
struct EnumNames<LevelGrid> {
  static constexpr const char* kind = "grid";
  static constexpr std::array<EnumName<LevelGrid>, 2> names = {
      {{LevelGrid::even, "even"}, {LevelGrid::karras, "karras"}}};
};

struct SamplerOptions {
  /// ancestral; ddim, the Euler rule for dy/ds = epsilon in y = x_t/a_t and s = s_t \cite song2021ddim; heun,
  /// its second-order partner with an Euler step at the end \cite karras2022. ddim and heun draw no noise but
  /// x_T. langevin: annealed Langevin dynamics \cite song2019, of `langevin_steps` inner steps at
  /// every level visited: in y = x_t/a_t with score -epsilon/s_t, y <- y + alpha/2 score + sqrt(alpha) z, alpha =
  /// langevin_step s_t^2. The hook is called after every inner step.
  /// dpm++2m, the second-order multistep rule for x_0 in log s \cite lu2022: one evaluation a level, no noise, the
  /// first and the last step of first order. sde, its partner with noise \cite lu2022: exact for one point, whatever
  /// the levels; what an estimate lacks, later steps mend.
  SamplerRule rule = SamplerRule::ancestral;
  StepVariance variance = StepVariance::beta;
  Index steps = 0;  ///< levels visited; 0: all T
  LevelGrid grid = LevelGrid::even;
  double langevin_step = 0.6;  ///< the published 1.5e-5 at s = .005
  Index langevin_steps = 25;

  /// Reads "sampler", "variance", "sampler_steps" and "sampler_grid"; langevin: "langevin_step" and "langevin_steps".
  /// Defaults are those of \p usual.
  [[nodiscard]] static SamplerOptions read(Settings& settings, const SamplerOptions& usual);
  [[nodiscard]] static SamplerOptions read(Settings& settings) { return read(settings, {}); }
};

/// The times that \p steps levels visit: T = t_0 > t_1 > … >= 1, then 0. \throw InvalidInput for more than T.
[[nodiscard]] std::vector<Index> sampling_times(const NoiseSchedule& schedule, Index steps);
/// The times nearest in log s to levels whose 7th roots fall evenly from s_T to s_1 \cite karras2022, then 0: at most
/// \p steps, fewer where two levels have the same nearest time.
[[nodiscard]] std::vector<Index> karras_times(const NoiseSchedule& schedule, Index steps);

/// Draws x_T ~ N(0, I) and goes down the times of options.steps to \p last, D×n, in the units of the
/// diffusion. An ancestral step from t to r is \cite ho2020
///   x_r = (x_t - b / sigma_t · epsilon(x_t, t)) / sqrt(1 - b) + tau z,   b = 1 - a_t^2 / a_r^2,   no noise
///   at r = 0,
/// tau^2 = b (`beta`) or the posterior variance b sigma_r^2 / sigma_t^2 (`posterior`). \p epsilon is called
/// for one block at a time, with falling t (heun: twice a step); \p hook, where given, after every step. A step of
/// dpm++2m from s to r, after one from q to s, is in y = x_t/a_t with D = y - s epsilon \cite lu2022
///   y_r = (r/s) y_s + (1 - r/s) (D_s + log(s/r)/(2 log(q/s)) (D_s - D_q)).
/// One of sde has (r/s)^2 for r/s, and adds r sqrt(1 - (r/s)^2) z.
///
/// `beta` is exact for unit-normal data, `posterior` for one point. With the exact score and T = 100 (cosine,
/// s_1 = .01) a direction of standard deviation v comes out wide by 5.6 % (v = .034), 2.3 % (.15), 1.4 %
/// (.3), 0 (1) with `beta` and narrow by 16.1 %, 5.4 %, 3.3 %, 2.1 % with `posterior`: hence the default
/// `beta`. The state is double. Noise of block b on leaving t: stream.at(b).at(t) (inner step k: .at(k)), its
/// x_T: stream.at(b).at(0), the hook's draws on coming to t: stream.at(b).at("hook").at(t).
[[nodiscard]] Points sample_diffusion(const NoiseSchedule& schedule, const SamplerOptions& options,
                                      const BlockDenoiser& epsilon, Index dimension, Index n, const Stream& stream,
                                      Index last = 0, const BlockHook& hook = {});

/// Standard deviation that sample_diffusion gives, with the exact epsilon, to a direction in which the data
/// are normal with standard deviation \p v: the discretisation error of the sampler in closed form.
[[nodiscard]] double sampled_deviation(const NoiseSchedule& schedule, const SamplerOptions& options, double v);

}  // namespace onmanifold
