// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/edm.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

#include "core/error.hpp"
#include "models/diffusion/diffusion_model.hpp"
#include "models/preset.hpp"

namespace onmanifold {
namespace {

class Preconditioned final : public DiffusionObjective {
 public:
  Preconditioned(const DiffusionFrame& frame, const EdmLevels& levels)
      : DiffusionObjective(frame), cumulative_(level_chances(frame.schedule, levels)) {
    std::partial_sum(cumulative_.begin(), cumulative_.end(), cumulative_.begin());
  }

  [[nodiscard]] Index time_of(double u) const override {
    const auto above = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, u);
    return 1 + static_cast<Index>(above - cumulative_.begin());
  }

  [[nodiscard]] bool stratified_times() const override { return true; }

  double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
              Eigen::MatrixXf& gradient) const override {
    const double share = 1.0 / static_cast<double>(prediction.size());
    for (Index i = 0; i < prediction.cols(); ++i) {
      const Index t = batch.times[static_cast<std::size_t>(i)];
      const auto a = static_cast<float>(schedule().signal(t));
      const auto sigma = static_cast<float>(schedule().noise(t));
      gradient.col(i) = prediction.col(i) - (sigma * batch.clean.col(i) - a * batch.noise.col(i));
    }
    const double result = static_cast<double>(gradient.squaredNorm()) * share;
    gradient *= static_cast<float>(2 * share);
    return result;
  }

  void to_epsilon(const Points& x, Index t, Points& output) const override {
    output = schedule().noise(t) * x - schedule().signal(t) * output;
  }

 private:
  std::vector<double> cumulative_;  // chances of times up to t, t = 1 … T
};

}  // namespace

std::vector<double> level_chances(const NoiseSchedule& schedule, const EdmLevels& levels) {
  const Index T = schedule.steps();
  std::vector<double> edges;  // T + 1 of them
  const auto log_level = [&](Index t) { return std::log(schedule.level(t)); };
  edges.push_back(1.5 * log_level(1) - 0.5 * log_level(2));
  for (Index t = 1; t < T; ++t) edges.push_back(0.5 * (log_level(t) + log_level(t + 1)));
  edges.push_back(1.5 * log_level(T) - 0.5 * log_level(T - 1));
  // Of the smaller tail, so that far from the mean there is no cancellation.
  const auto mass = [&](double from, double to) {
    double low = (from - levels.mean) / (levels.deviation * std::numbers::sqrt2);
    double high = (to - levels.mean) / (levels.deviation * std::numbers::sqrt2);
    if (low + high < 0) {
      std::swap(low, high);
      low = -low;
      high = -high;
    }
    return 0.5 * (std::erfc(low) - std::erfc(high));
  };
  std::vector<double> chances;
  for (Index t = 0; t < T; ++t) {
    chances.push_back(mass(edges[static_cast<std::size_t>(t)], edges[static_cast<std::size_t>(t) + 1]));
  }
  const double total = std::accumulate(chances.begin(), chances.end(), 0.0);
  if (!(total > 1e-100)) {
    throw InvalidInput(fmt::format("edm: training levels around e^{} are not within the schedule's {} … {}",
                                   levels.mean, schedule.level(1), schedule.level(T)));
  }
  for (double& chance : chances) chance /= total;
  return chances;
}

std::unique_ptr<DiffusionObjective> make_edm_objective(const DiffusionFrame& frame, const EdmLevels& levels) {
  return std::make_unique<Preconditioned>(frame, levels);
}

std::unique_ptr<GenerativeModel> make_edm(Settings& settings) {
  EdmLevels levels;
  levels.mean = settings.number("level_mean", levels.mean, -20, 20,
                                "mean of the logarithm of the training levels, in deviations of the data");
  levels.deviation =
      settings.number("level_deviation", levels.deviation, 1e-3, 100, "standard deviation of that logarithm");
  DiffusionDefaults usual;
  usual.training.former = false;
  usual.training.adam.learning_rate = tuned_learning_rate;
  usual.training.features = 32;
  usual.training.adam.ema = 0.9995;
  usual.diffusion = {.schedule = "geometric", .timesteps = 400, .largest_level = 80, .time_input = TimeInput::level};
  usual.sampler.rule = SamplerRule::sde;
  usual.sampler.steps = 64;
  usual.sampler.grid = LevelGrid::karras;
  return make_diffusion_model(
      settings, [levels](const DiffusionFrame& frame) { return make_edm_objective(frame, levels); }, usual);
}

}  // namespace onmanifold
