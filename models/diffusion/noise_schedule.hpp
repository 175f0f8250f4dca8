// SPDX-License-Identifier: Apache-2.0
#pragma once
// The noise levels of a discrete variance-preserving diffusion: x_t = a_t x_0 + sigma_t z, t = 1 … T.

#include <string>
#include <vector>

#include "core/points.hpp"
#include "core/settings.hpp"

namespace onmanifold {

/// a_t^2 = alpha_bar_t, a_t^2 + sigma_t^2 = 1. Kept as levels s_t = sigma_t / a_t, which rise with t from s_0
/// = 0, so that small noise has no cancellation.
class NoiseSchedule {
 public:
  /// beta_t from 1e-4 to 0.02 in equal steps \cite ho2020. alpha_bar_T = 4.0e-5 at T = 1000, .364 at T = 100.
  [[nodiscard]] static NoiseSchedule linear(Index steps);
  /// alpha_bar_t = f(t)/f(0), f(t) = cos^2(pi/2 (t/T + .008)/1.008), beta_t <= largest_beta (published: .999)
  /// \cite nichol2021.
  [[nodiscard]] static NoiseSchedule cosine(Index steps, double largest_beta = 0.999);

  /// s_t from \p smallest (t = 1) to \p largest (t = T) in geometric progression \cite song2021. The state of
  /// a variance-exploding diffusion, divided by sqrt(1 + s_t^2) before the network sees it, is the x_t of
  /// this schedule: both name one process. \throw InvalidInput unless 0 < smallest < largest.
  [[nodiscard]] static NoiseSchedule geometric(Index steps, double smallest, double largest);

  /// The schedule whose log levels are the affine image of this one's that keeps s_T and puts s_1 at \p
  /// level: as many steps, the smallest of them where a task can see it. \throw InvalidInput unless 0 < level
  /// < s_T.
  [[nodiscard]] NoiseSchedule with_smallest_level(double level) const;

  [[nodiscard]] Index steps() const { return static_cast<Index>(level_.size()) - 1; }
  /// s_0 … s_T.
  [[nodiscard]] const std::vector<double>& levels() const { return level_; }
  /// s_t, t = 0 … T.
  [[nodiscard]] double level(Index t) const { return level_.at(static_cast<std::size_t>(t)); }
  [[nodiscard]] double signal(Index t) const;              ///< a_t
  [[nodiscard]] double noise(Index t) const;               ///< sigma_t
  [[nodiscard]] double beta(Index t) const;                ///< 1 - a_t^2 / a_(t-1)^2, t = 1 … T
  [[nodiscard]] double posterior_variance(Index t) const;  ///< beta_t sigma_(t-1)^2 / sigma_t^2, t = 1 … T

 private:
  explicit NoiseSchedule(std::vector<double> level) : level_(std::move(level)) {}

  std::vector<double> level_;
};

/// What the network is told of the time t: sinusoidal features of t/T, of log s_t, or t itself.
enum class TimeInput { embedding, level, raw };
template <>
struct EnumNames<TimeInput> {
  static constexpr const char* kind = "time_input";
  static constexpr std::array<EnumName<TimeInput>, 3> names = {
      {{TimeInput::embedding, "embedding"}, {TimeInput::level, "level"}, {TimeInput::raw, "raw"}}};
};

/// The features of all times of \p schedule, 32×(T+1): time_embedding, level_embedding or raw_time.
[[nodiscard]] Eigen::MatrixXf time_table(const NoiseSchedule& schedule, TimeInput input);

/// The settings that every discrete diffusion shares.
struct DiffusionSettings {
  std::string schedule = "cosine";  ///< cosine | linear (variance preserving) | geometric (variance exploding)
  Index timesteps = 100;            ///< T; 1000 for linear and 100 for the others unless set
  /// task: s_1 = s_min of the task; schedule: as published; a number above 0, as text: s_1 in standardised
  /// units, whatever the task says.
  std::string smallest_noise = "task";
  /// Bound of beta_t of the cosine schedule. The first step of the sampler multiplies the network's error by
  /// 1/sqrt(1 - beta_T): 32 with the published .999, which throws x_(T-1) out of the trained range (normal
  /// data come out up to 37 % too wide), 3.2 with .9, at a_T^2 = 2.4e-5 for T = 100.
  double largest_beta = 0.9;
  double largest_level = 100;  ///< s_T of the geometric schedule
  TimeInput time_input = TimeInput::embedding;

  /// Reads "schedule", "timesteps", "smallest_noise", "largest_beta", "largest_level" and "time_input"
  /// (embedding | level | raw). Defaults are those of \p usual; its timesteps are not those of linear.
  [[nodiscard]] static DiffusionSettings read(Settings& settings, const DiffusionSettings& usual);
  [[nodiscard]] static DiffusionSettings read(Settings& settings) { return read(settings, {}); }
  /// The schedule in force for a task with this s_min (standardised units; 0: none).
  [[nodiscard]] NoiseSchedule make_schedule(double task_smallest_noise) const;
};

}  // namespace onmanifold
