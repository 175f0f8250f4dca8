// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/diffusion_sampler.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

enum class Rule { ancestral, ddim, heun, langevin };

/// One move from time `from` to time `to`, in all three rules:
///   x_to = shrink (x_from - pull epsilon) + noise z;  heun adds correct (epsilon' - epsilon).
struct Step {
  Index from = 0;
  Index to = 0;
  double shrink = 1;
  double pull = 0;
  double noise = 0;
  double correct = 0;
  Index inner = 0;  // number of a Langevin step at its level, from 1; 0: another rule
};

Step make_step(const NoiseSchedule& schedule, Rule rule, const std::string& variance, Index from, Index to) {
  const double now = schedule.level(from);
  const double next = schedule.level(to);
  Step step{from, to};
  if (rule == Rule::ancestral) {
    const double beta = (now - next) * (now + next) / (1 + now * now);
    step.shrink = 1 / std::sqrt(1 - beta);
    step.pull = beta / schedule.noise(from);
    if (to > 0) {
      step.noise = std::sqrt(variance == "beta" ? beta : beta * std::pow(schedule.noise(to) / schedule.noise(from), 2));
    }
    return step;
  }
  step.shrink = schedule.signal(to) / schedule.signal(from);
  step.pull = schedule.signal(from) * (now - next);
  if (rule == Rule::heun && to > 0) step.correct = 0.5 * schedule.signal(to) * (next - now);
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
  Rule rule = Rule::ancestral;
  if (options.rule == "ddim") {
    rule = Rule::ddim;
  } else if (options.rule == "heun") {
    rule = Rule::heun;
  } else if (options.rule == "langevin") {
    rule = Rule::langevin;
  } else if (options.rule != "ancestral") {
    throw InvalidInput(fmt::format("sampler: '{}' is none of ancestral, ddim, heun, langevin", options.rule));
  }
  if (options.variance != "beta" && options.variance != "posterior") {
    throw InvalidInput(fmt::format("sampler: variance '{}' is neither beta nor posterior", options.variance));
  }
  const std::vector<Index> times = sampling_times(schedule, options.steps);
  std::vector<Step> steps;
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    if (rule == Rule::langevin) {
      append_langevin(schedule, options, times[i], times[i + 1], steps);
      continue;
    }
    steps.push_back(make_step(schedule, rule, options.variance, times[i], times[i + 1]));
  }
  return steps;
}

}  // namespace

SamplerOptions SamplerOptions::read(Settings& settings) {
  SamplerOptions result;
  result.rule =
      settings.choice("sampler", result.rule, {"ancestral", "ddim", "heun", "langevin"}, "rule of the sampling steps");
  result.variance = settings.choice("variance", result.variance, {"beta", "posterior"},
                                    "noise of ancestral steps: beta_t, or the variance of the posterior");
  result.steps =
      settings.integer("sampler_steps", result.steps, 0, 100000, "levels that the sampler visits; 0: all timesteps");
  if (result.rule == "langevin") {
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

Points sample_diffusion(const NoiseSchedule& schedule, const SamplerOptions& options, const BlockDenoiser& epsilon,
                        Index dimension, Index n, const Stream& stream, Index last, const BlockHook& hook) {
  const std::vector<Step> steps = make_steps(schedule, options);
  Points samples(dimension, n);
  for (Index first = 0; first < n; first += sampling_block) {
    const Index columns = std::min(sampling_block, n - first);
    const Stream block = stream.at(static_cast<std::uint64_t>(first / sampling_block));
    const Stream hook_draws = block.at("hook");
    Points x = block.at(0).normal(dimension, columns);
    Points predicted(dimension, columns);
    Points z(dimension, columns);
    for (const Step& step : steps) {
      if (step.to < last) break;
      epsilon(x, step.from, predicted);
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
  double current = 1;  // variance of x_t
  for (const Step& step : make_steps(schedule, options)) {
    const double before = slope(step.from);
    double factor = step.shrink * (1 - step.pull * before);
    if (step.correct != 0) factor += step.correct * (slope(step.to) * factor - before);
    current = factor * factor * current + step.noise * step.noise;
  }
  return std::sqrt(current);
}

}  // namespace onmanifold
