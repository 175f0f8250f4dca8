// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/diffusion_sampler.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

/// One move from time `from` to time `to`, in all rules:
///   x_to = shrink (x_from - pull epsilon) + noise z;  heun adds correct (epsilon' - epsilon), dpm++2m and sde
///   remember (D - D of the step before).
struct Step {
  Index from = 0;
  Index to = 0;
  double shrink = 1;
  double pull = 0;
  double noise = 0;
  double correct = 0;
  double remember = 0;
  Index inner = 0;  // number of a Langevin step at its level, from 1; 0: another rule
};

Step make_step(const NoiseSchedule& schedule, SamplerRule rule, StepVariance variance, Index from, Index to) {
  const double now = schedule.level(from);
  const double next = schedule.level(to);
  Step step{from, to};
  if (rule == SamplerRule::ancestral) {
    const double beta = (now - next) * (now + next) / (1 + now * now);
    step.shrink = 1 / std::sqrt(1 - beta);
    step.pull = beta / schedule.noise(from);
    if (to > 0) {
      step.noise = std::sqrt(
          variance == StepVariance::beta ? beta : beta * std::pow(schedule.noise(to) / schedule.noise(from), 2));
    }
    return step;
  }
  step.shrink = schedule.signal(to) / schedule.signal(from);
  if (rule == SamplerRule::sde) {
    const double kept = std::pow(next / now, 2);
    step.pull = (1 - kept) * schedule.noise(from);
    step.noise = schedule.noise(to) * std::sqrt(1 - kept);
    return step;
  }
  step.pull = schedule.signal(from) * (now - next);
  if (rule == SamplerRule::heun && to > 0) step.correct = 0.5 * schedule.signal(to) * (next - now);
  return step;
}

/// In x = a_t y: x <- x - c/2 sigma_t epsilon + sqrt(c) sigma_t z with c = langevin_step; the last step of a
/// level goes on to the next level's x.
void append_langevin(const NoiseSchedule& schedule, const SamplerOptions& options, Index from, Index to,
                     std::vector<Step>& steps) {
  for (Index k = 1; k <= options.langevin_steps; ++k) {
    Step step{from, from};
    step.inner = k;
    step.pull = 0.5 * options.langevin_step * schedule.noise(from);
    step.noise = std::sqrt(options.langevin_step) * schedule.noise(from);
    if (k == options.langevin_steps) {
      step.to = to;
      step.shrink = schedule.signal(to) / schedule.signal(from);
      step.noise *= step.shrink;
    }
    steps.push_back(step);
  }
}

std::vector<Step> make_steps(const NoiseSchedule& schedule, const SamplerOptions& options) {
  const SamplerRule rule = options.rule;
  const std::vector<Index> times = options.grid == LevelGrid::karras ? karras_times(schedule, options.steps)
                                                                     : sampling_times(schedule, options.steps);
  std::vector<Step> steps;
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    if (rule == SamplerRule::langevin) {
      append_langevin(schedule, options, times[i], times[i + 1], steps);
      continue;
    }
    Step step = make_step(schedule, rule, options.variance, times[i], times[i + 1]);
    if ((rule == SamplerRule::dpm || rule == SamplerRule::sde) && i > 0 && times[i + 1] > 0) {
      const double before = schedule.level(times[i - 1]);
      const double now = schedule.level(times[i]);
      const double next = schedule.level(times[i + 1]);
      const double ratio = std::log(now / next) / (2 * std::log(before / now));
      const double kept = rule == SamplerRule::sde ? std::pow(next / now, 2) : next / now;
      step.remember = schedule.signal(times[i + 1]) * (1 - kept) * ratio;
    }
    steps.push_back(step);
  }
  return steps;
}

}  // namespace

SamplerOptions SamplerOptions::read(Settings& settings, const SamplerOptions& usual) {
  SamplerOptions result = usual;
  result.rule = settings.choose("sampler", result.rule, "rule of the sampling steps");
  result.variance = settings.choose("variance", result.variance,
                                    "noise of ancestral steps: beta_t, or the variance of the posterior");
  result.steps =
      settings.integer("sampler_steps", result.steps, 0, 100000, "levels that the sampler visits; 0: all timesteps");
  result.grid = settings.choose("sampler_grid", result.grid,
                                "which levels: evenly spread ones, or those whose 7th roots are (at most all)");
  if (result.rule == SamplerRule::langevin) {
    result.langevin_step = settings.number("langevin_step", result.langevin_step, 1e-9, 4,
                                           "step of annealed Langevin dynamics, in squared noise levels");
    result.langevin_steps =
        settings.integer("langevin_steps", result.langevin_steps, 1, 100000, "Langevin steps at each level");
  }
  return result;
}

std::vector<Index> sampling_times(const NoiseSchedule& schedule, Index steps) {
  const Index all = schedule.steps();
  if (steps == 0) steps = all;
  if (steps < 1 || steps > all) {
    throw InvalidInput(fmt::format("sampler: {} steps, but the schedule has {} levels", steps, all));
  }
  std::vector<Index> times;
  // Integer arithmetic: t_i = T - i (T - 1)/(K - 1), rounded down, so that t_{K-1} = 1.
  for (Index i = 0; i < steps; ++i) times.push_back(steps == 1 ? all : all - i * (all - 1) / (steps - 1));
  times.push_back(0);
  return times;
}

std::vector<Index> karras_times(const NoiseSchedule& schedule, Index steps) {
  const Index all = schedule.steps();
  if (steps < 0) throw InvalidInput(fmt::format("sampler: {} steps", steps));
  if (steps == 0 || steps >= all) return sampling_times(schedule, 0);
  constexpr double power = 7;
  const double top = std::pow(schedule.level(all), 1 / power);
  const double bottom = std::pow(schedule.level(1), 1 / power);
  std::vector<Index> times;
  Index t = all;
  for (Index i = 0; i < steps; ++i) {
    const double part = steps == 1 ? 0 : static_cast<double>(i) / static_cast<double>(steps - 1);
    const double wanted = std::pow(top + part * (bottom - top), power);
    // Down to the nearest of the two neighbours in log s; levels fall, so t never rises.
    while (t > 1 && schedule.level(t) * schedule.level(t - 1) > wanted * wanted) --t;
    if (times.empty() || t < times.back()) times.push_back(t);
  }
  times.push_back(0);
  return times;
}

Points sample_diffusion(const NoiseSchedule& schedule, const SamplerOptions& options, const BlockDenoiser& epsilon,
                        Index dimension, Index n, const Stream& stream, Index last, const BlockHook& hook) {
  const std::vector<Step> steps = make_steps(schedule, options);
  const bool multistep = std::any_of(steps.begin(), steps.end(), [](const Step& step) { return step.remember != 0; });
  Points samples(dimension, n);
  for (Index first = 0; first < n; first += sampling_block) {
    const Index columns = std::min(sampling_block, n - first);
    const Stream block = stream.at(static_cast<std::uint64_t>(first / sampling_block));
    const Stream hook_draws = block.at("hook");
    Points x = block.at(0).normal(dimension, columns);
    Points predicted(dimension, columns);
    Points z(dimension, columns);
    Points estimate;  // of x_0, and that of the step before; dpm++2m only
    Points before;
    for (const Step& step : steps) {
      if (step.to < last) break;
      epsilon(x, step.from, predicted);
      if (multistep) {
        before.swap(estimate);
        estimate = x / schedule.signal(step.from) - schedule.level(step.from) * predicted;
      }
      x = step.shrink * (x - step.pull * predicted);
      if (step.noise > 0) {
        Stream draws = block.at(static_cast<std::uint64_t>(step.from));
        if (step.inner > 0) draws = draws.at(static_cast<std::uint64_t>(step.inner));
        draws.fill_normal(z);
        x += step.noise * z;
      }
      if (step.correct != 0) {
        epsilon(x, step.to, z);
        x += step.correct * (z - predicted);
      }
      if (step.remember != 0) x += step.remember * (estimate - before);
      if (hook) hook(x, step.to, hook_draws.at(static_cast<std::uint64_t>(step.to)));
    }
    samples.middleCols(first, columns) = x;
  }
  return samples;
}

void clip_denoised(const NoiseSchedule& schedule, const SignalRange& range, const Points& x, Index t, Points& epsilon) {
  const double a = schedule.signal(t);
  const double sigma = schedule.noise(t);
  for (Index i = 0; i < x.cols(); ++i) {
    const Vector wanted = (x.col(i) - sigma * epsilon.col(i)) / a;
    const Vector inside = wanted.cwiseMax(range.least).cwiseMin(range.largest);
    // Coordinates that were inside keep their epsilon to the last bit.
    epsilon.col(i) += a / sigma * (wanted - inside);
  }
}

double sampled_deviation(const NoiseSchedule& schedule, const SamplerOptions& options, double v) {
  // epsilon(x, t) = slope(t) x for normal data.
  const auto slope = [&](Index t) {
    const double a = schedule.signal(t);
    const double s = schedule.noise(t);
    return s / (a * a * v * v + s * s);
  };
  double current = 1;   // variance of x_t
  double estimate = 0;  // that of D, the estimate of x_0 of the step before
  double joint = 0;     // covariance of the two
  for (const Step& step : make_steps(schedule, options)) {
    const double before = slope(step.from);
    double factor = step.shrink * (1 - step.pull * before);
    if (step.correct != 0) factor += step.correct * (slope(step.to) * factor - before);
    const double answer = 1 / schedule.signal(step.from) - schedule.level(step.from) * before;  // D over x_t
    factor += step.remember * answer;
    const double next = factor * factor * current - 2 * factor * step.remember * joint +
                        step.remember * step.remember * estimate + step.noise * step.noise;
    joint = answer * (factor * current - step.remember * joint);
    estimate = answer * answer * current;
    current = next;
  }
  return std::sqrt(current);
}

}  // namespace onmanifold
