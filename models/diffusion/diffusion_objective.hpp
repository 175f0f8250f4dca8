// SPDX-License-Identifier: Apache-2.0
#pragma once
// The places where a diffusion can learn of the manifold: in the noising, in the loss, in what the output
// means, and between the steps of the sampler. A method of the family is one subclass; training loop and
// sampler are shared.

#include "contracts/training_source.hpp"
#include "core/settings.hpp"
#include "manifolds/manifold.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/diffusion/diffusion_sampler.hpp"
#include "models/diffusion/noise_schedule.hpp"

namespace onmanifold {

/// The units of one fitted diffusion: x_t = a_t (x_0 - mean)/scale + sigma_t z.
struct DiffusionFrame {
  NoiseSchedule schedule;
  Standardisation standardisation;
  const Manifold* manifold = nullptr;  ///< not owned
  double lift_scale = 0;               ///< the task's pre-registered lift, data units; 0: none
  TimeInput time_input = TimeInput::embedding;

  /// The data point y = x_0 + (scale s_t) z behind \p x, column by column.
  [[nodiscard]] Points to_data(const Points& x, Index t) const;
  [[nodiscard]] Points to_state(const Points& y, Index t) const;
  /// The same for float columns with a time each.
  [[nodiscard]] Points to_data(const Eigen::MatrixXf& x, const std::vector<Index>& times) const;
  /// scale s_t: the noise of y in data units.
  [[nodiscard]] double data_level(Index t) const { return standardisation.scale * schedule.level(t); }
};

/// Plain noise prediction, every part of which a method may change.
class DiffusionObjective : public NoisePrediction {
 public:
  /// \p frame outlives the objective.
  explicit DiffusionObjective(const DiffusionFrame& frame) : NoisePrediction(frame.schedule), frame_(frame) {}

  [[nodiscard]] Eigen::MatrixXf times() const override { return time_table(frame_.schedule, frame_.time_input); }
  /// Turns what the network says to \p x at time \p t into epsilon, in place.
  virtual void to_epsilon(const Points& /*x*/, Index /*t*/, Points& /*output*/) const {}
  /// The last time that the sampler's own steps reach.
  [[nodiscard]] virtual Index last_time() const { return 0; }
  /// Called after every step of the sampler, at its new time \p t.
  virtual void after_step(Points& /*x*/, Index /*t*/, const BlockDenoiser& /*epsilon*/, const Stream& /*draws*/) const {
  }

 protected:
  [[nodiscard]] const DiffusionFrame& frame() const { return frame_; }

 private:
  const DiffusionFrame& frame_;
};

/// epsilon = f_t · output (+ what to_epsilon of the subclass adds): loss is the mean of (f_t · output -
/// noise)^2, with batch.noise as corrupt() leaves it.
class ScaledNoisePrediction : public DiffusionObjective {
 public:
  ScaledNoisePrediction(const DiffusionFrame& frame, std::vector<double> factors);
  double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction, Eigen::MatrixXf& gradient) const override;
  void to_epsilon(const Points& x, Index t, Points& output) const override;

 private:
  std::vector<double> factors_;  // f_t, t = 0 … T
};

/// How x_0 predictions count at different noise: all alike, or by min(SNR_t, 5), SNR_t = (a_t/sigma_t)^2
/// \cite hang2023.
enum class SignalWeight { one, min_snr };
template <>
struct EnumNames<SignalWeight> {
  static constexpr const char* kind = "signal_weight";
  static constexpr std::array<EnumName<SignalWeight>, 2> names = {
      {{SignalWeight::one, "one"}, {SignalWeight::min_snr, "min_snr"}}};
};
/// Reads "signal_weight" (one | min_snr).
[[nodiscard]] SignalWeight read_signal_weight(Settings& settings, SignalWeight usual);

/// The network predicts x_0: loss is the mean of w_t (output - x_0)^2, epsilon = (x_t - a_t output)/sigma_t.
class SignalPrediction : public DiffusionObjective {
 public:
  SignalPrediction(const DiffusionFrame& frame, SignalWeight weight);
  double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction, Eigen::MatrixXf& gradient) const override;
  void to_epsilon(const Points& x, Index t, Points& output) const override;

 private:
  std::vector<float> weights_;  // w_t, t = 0 … T
};

}  // namespace onmanifold
