// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/ancestral_sampler.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

/// x_(t-1) = shrink (x_t - pull epsilon) + noise z.
struct Step {
  double shrink = 1;
  double pull = 0;
  double noise = 0;
};

Step make_step(const NoiseSchedule& schedule, const std::string& variance, Index t) {
  if (variance != "beta" && variance != "posterior") {
    throw InvalidInput(fmt::format("sampler: variance '{}' is neither beta nor posterior", variance));
  }
  const double beta = schedule.beta(t);
  Step step;
  step.shrink = 1 / std::sqrt(1 - beta);
  step.pull = beta / schedule.noise(t);
  if (t > 1) step.noise = std::sqrt(variance == "beta" ? beta : schedule.posterior_variance(t));
  return step;
}

}  // namespace

Points ancestral_sample(const NoiseSchedule& schedule, const std::string& variance,
                        const BlockDenoiser& epsilon, Index dimension, Index n, const Stream& stream) {
  std::vector<Step> steps(1);
  for (Index t = 1; t <= schedule.steps(); ++t) steps.push_back(make_step(schedule, variance, t));

  Points samples(dimension, n);
  for (Index first = 0; first < n; first += sampling_block) {
    const Index columns = std::min(sampling_block, n - first);
    const Stream block = stream.at(static_cast<std::uint64_t>(first / sampling_block));
    Points x = block.at(0).normal(dimension, columns);
    Points predicted(dimension, columns);
    Points z(dimension, columns);
    for (Index t = schedule.steps(); t >= 1; --t) {
      epsilon(x, t, predicted);
      const Step& step = steps[static_cast<std::size_t>(t)];
      x = step.shrink * (x - step.pull * predicted);
      if (step.noise > 0) {
        block.at(static_cast<std::uint64_t>(t)).fill_normal(z);
        x += step.noise * z;
      }
    }
    samples.middleCols(first, columns) = x;
  }
  return samples;
}

double sampled_deviation(const NoiseSchedule& schedule, const std::string& variance, double v) {
  double current = 1;  // variance of x_t
  for (Index t = schedule.steps(); t >= 1; --t) {
    const Step step = make_step(schedule, variance, t);
    const double a = schedule.signal(t);
    const double s = schedule.noise(t);
    const double factor = step.shrink * (1 - step.pull * s / (a * a * v * v + s * s));  // epsilon = s x / var
    current = factor * factor * current + step.noise * step.noise;
  }
  return std::sqrt(current);
}

}  // namespace onmanifold
