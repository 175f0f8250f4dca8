// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/noise_schedule.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "core/error.hpp"
#include "models/networks/time_embedding.hpp"

namespace onmanifold {
namespace {

std::vector<double> levels_of_betas(const std::vector<double>& betas) {
  std::vector<double> level = {0.0};
  double alpha_bar = 1;
  for (const double beta : betas) {
    alpha_bar *= 1 - beta;
    level.push_back(std::sqrt((1 - alpha_bar) / alpha_bar));
  }
  return level;
}

void check_steps(Index steps) {
  if (steps < 2) throw InvalidInput(fmt::format("noise schedule: {} steps, at least 2 are needed", steps));
}

}  // namespace

NoiseSchedule NoiseSchedule::linear(Index steps) {
  check_steps(steps);
  std::vector<double> betas;
  for (Index t = 0; t < steps; ++t) {
    betas.push_back(1e-4 + (0.02 - 1e-4) * static_cast<double>(t) / static_cast<double>(steps - 1));
  }
  return NoiseSchedule(levels_of_betas(betas));
}

NoiseSchedule NoiseSchedule::cosine(Index steps, double largest_beta) {
  check_steps(steps);
  if (!(largest_beta > 0 && largest_beta < 1)) {
    throw InvalidInput(fmt::format("noise schedule: largest beta {} is outside (0, 1)", largest_beta));
  }
  const auto f = [steps](Index t) {
    const double u = (static_cast<double>(t) / static_cast<double>(steps) + 0.008) / 1.008;
    return std::pow(std::cos(0.5 * std::numbers::pi * u), 2);
  };
  std::vector<double> betas;
  for (Index t = 1; t <= steps; ++t) betas.push_back(std::min(1 - f(t) / f(t - 1), largest_beta));
  return NoiseSchedule(levels_of_betas(betas));
}

NoiseSchedule NoiseSchedule::geometric(Index steps, double smallest, double largest) {
  check_steps(steps);
  if (!(smallest > 0 && smallest < largest && std::isfinite(largest))) {
    throw InvalidInput(fmt::format("noise schedule: geometric levels from {} to {}", smallest, largest));
  }
  std::vector<double> levels = {0.0};
  const double rate = std::log(largest / smallest) / static_cast<double>(steps - 1);
  for (Index t = 0; t < steps; ++t) levels.push_back(smallest * std::exp(rate * static_cast<double>(t)));
  levels.back() = largest;
  return NoiseSchedule(std::move(levels));
}

NoiseSchedule NoiseSchedule::with_smallest_level(double level) const {
  const double bottom = std::log(level_[1]);
  const double top = std::log(level_.back());
  if (!(level > 0 && level < level_.back())) {
    throw InvalidInput(fmt::format("noise schedule: smallest level {} is outside (0, {})", level, level_.back()));
  }
  const double stretch = (top - std::log(level)) / (top - bottom);
  std::vector<double> levels = level_;
  for (std::size_t t = 1; t < levels.size(); ++t) levels[t] = std::exp(top + (std::log(level_[t]) - top) * stretch);
  levels[1] = level;
  return NoiseSchedule(std::move(levels));
}

Eigen::MatrixXf time_table(const NoiseSchedule& schedule, TimeInput input) {
  switch (input) {
    case TimeInput::level:
      return level_embedding(schedule.levels());
    case TimeInput::raw:
      return raw_time(schedule.steps());
    case TimeInput::embedding:
      break;
  }
  return time_embedding(schedule.steps());
}

double NoiseSchedule::signal(Index t) const {
  return 1 / std::sqrt(1 + level(t) * level(t));
}

double NoiseSchedule::noise(Index t) const {
  return level(t) * signal(t);
}

double NoiseSchedule::beta(Index t) const {
  const double now = level(t) * level(t);
  const double before = level(t - 1) * level(t - 1);
  return (now - before) / (1 + now);
}

double NoiseSchedule::posterior_variance(Index t) const {
  return beta(t) * std::pow(noise(t - 1) / noise(t), 2);
}

namespace {

/// A number in (0, 1]; 0 for any other text.
double level_from_text(const std::string& text) {
  double level = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  return error == std::errc() && stop == text.data() + text.size() && level > 0 && level <= 1 ? level : 0;
}

}  // namespace

DiffusionSettings DiffusionSettings::read(Settings& settings, const DiffusionSettings& usual) {
  DiffusionSettings result = usual;
  result.schedule =
      settings.choice("schedule", result.schedule, {"cosine", "linear", "geometric"},
                      "noise levels: cosine, linear (both variance preserving) or geometric (variance exploding)");
  result.timesteps = settings.integer("timesteps", result.schedule == "linear" ? 1000 : usual.timesteps, 2, 100000,
                                      "noise levels of the training; 1000 for linear unless set");
  result.smallest_noise = settings.text(
      "smallest_noise", result.smallest_noise,
      "task: the smallest level is s_min of the task; schedule: as published; or a number in (0, 1] as text");
  if (result.smallest_noise != "task" && result.smallest_noise != "schedule" &&
      !(level_from_text(result.smallest_noise) > 0)) {
    throw InvalidInput(settings.locate("smallest_noise") + ": '" + result.smallest_noise +
                       "' is not task, schedule or a number in (0, 1]");
  }
  result.largest_beta = settings.number("largest_beta", result.largest_beta, 0.5, 0.999999,
                                        "limit of the noise that one step of the cosine schedule adds");
  result.largest_level =
      settings.number("largest_level", result.largest_level, 1, 1e6, "largest level of the geometric schedule");
  result.time_input = settings.choose(
      "time_input", usual.time_input,
      "how the network sees time: sinusoidal features of it or of the logarithm of its level, or the number itself");
  return result;
}

NoiseSchedule DiffusionSettings::make_schedule(double task_smallest_noise) const {
  const bool published = smallest_noise == "schedule";
  if (!published && smallest_noise != "task") task_smallest_noise = level_from_text(smallest_noise);
  if (schedule == "geometric") {
    // Without a level of the task: the smallest that the cosine schedule of as many steps has.
    const double smallest = !published && task_smallest_noise > 0
                                ? task_smallest_noise
                                : NoiseSchedule::cosine(timesteps, largest_beta).level(1);
    return NoiseSchedule::geometric(timesteps, smallest, largest_level);
  }
  const NoiseSchedule named =
      schedule == "linear" ? NoiseSchedule::linear(timesteps) : NoiseSchedule::cosine(timesteps, largest_beta);
  if (published || task_smallest_noise <= 0) return named;
  return named.with_smallest_level(task_smallest_noise);
}

}  // namespace onmanifold
