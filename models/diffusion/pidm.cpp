// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/pidm.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "models/diffusion/diffusion_model.hpp"

namespace onmanifold {
namespace {

class PenalisedSignal : public SignalPrediction {
 public:
  PenalisedSignal(const DiffusionFrame& frame, const PidmOptions& options)
      : SignalPrediction(frame, options.signal_weight), options_(options) {}

  double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
              Eigen::MatrixXf& gradient) const override {
    const double misfit = SignalPrediction::loss(batch, prediction, gradient);
    return misfit + add_penalty(batch.times, prediction, gradient);
  }

 protected:
  /// penalty · mean of the residual's part over the \p estimates of x_0 that belong to x_t of \p times; its gradient is
  /// added to \p gradient.
  double add_penalty(const std::vector<Index>& times, const Eigen::MatrixXf& estimates,
                     Eigen::MatrixXf& gradient) const {
    const Points y = frame().to_data(estimates.cast<double>(), 0);  // an estimate is a point of time 0
    const Projection nearest = frame().manifold->project(y);
    const double scale = frame().standardisation.scale;
    const double share = options_.penalty / static_cast<double>(estimates.cols());
    double result = 0;
    for (Index i = 0; i < y.cols(); ++i) {
      if (!nearest.converged[i] || !(nearest.distance[i] > 0)) continue;
      const Part part = residual_part(nearest.distance[i] / scale, times[static_cast<std::size_t>(i)]);
      result += share * part.value;
      gradient.col(i) += (share * part.slope / nearest.distance[i] * (y.col(i) - nearest.points.col(i))).cast<float>();
    }
    return result;
  }

 private:
  struct Part {
    double value = 0;
    double slope = 0;  // in R
  };
  [[nodiscard]] Part residual_part(double r, Index t) const {
    if (options_.residual == PidmOptions::Residual::distance) return {r, 1};
    const double variance = posterior_variance(std::max<Index>(t, std::min<Index>(2, schedule().steps())));
    constexpr double largest = 27.6310211159;  // -log 1e-12
    const double surprise = 0.5 * (r * r / variance + std::log(2 * std::numbers::pi * variance));
    return surprise < largest ? Part{surprise, r / variance} : Part{largest, 0};
  }
  /// Of x_{t-1} given x_t and x_0 \cite ho2020. \pre t >= 2, or T = 1
  [[nodiscard]] double posterior_variance(Index t) const {
    const double beta = 1 - std::pow(schedule().signal(t) / schedule().signal(t - 1), 2);
    return t == 1 ? beta : beta * std::pow(schedule().noise(t - 1) / schedule().noise(t), 2);
  }

  PidmOptions options_;
};

class PenalisedSample final : public PenalisedSignal {
 public:
  using PenalisedSignal::PenalisedSignal;

  double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
              Eigen::MatrixXf& gradient) const override {
    return SignalPrediction::loss(batch, prediction, gradient);
  }

  [[nodiscard]] bool asks_again() const override { return true; }

  /// x_1 = a_1 x̂_0 + sigma_1 epsilon with epsilon = (x_t - a_t x̂_0)/sigma_t; x_1 itself for t = 1.
  void ask_again(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction, DiffusionBatch& next) const override {
    for (Index i = 0; i < prediction.cols(); ++i) {
      const Index t = batch.times[static_cast<std::size_t>(i)];
      next.times[static_cast<std::size_t>(i)] = 1;
      next.state.col(i) = static_cast<float>(schedule().noise(1) / schedule().noise(t)) * batch.state.col(i) +
                          static_cast<float>(slope(t)) * prediction.col(i);
    }
  }

  double second_loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
                     Eigen::MatrixXf& gradient) const override {
    gradient.setZero();
    return add_penalty(batch.times, prediction, gradient);
  }

  void carry_back(const DiffusionBatch& batch, const DiffusionBatch& /*next*/, const Eigen::MatrixXf& state_gradient,
                  Eigen::MatrixXf& gradient) const override {
    for (Index i = 0; i < gradient.cols(); ++i) {
      gradient.col(i) += static_cast<float>(slope(batch.times[static_cast<std::size_t>(i)])) * state_gradient.col(i);
    }
  }

 private:
  /// d x_1 / d x̂_0
  [[nodiscard]] double slope(Index t) const {
    return schedule().signal(1) - schedule().noise(1) * schedule().signal(t) / schedule().noise(t);
  }
};

}  // namespace

std::unique_ptr<GenerativeModel> make_pidm(Settings& settings) {
  PidmOptions options;
  options.estimate = settings.choose("estimate", options.estimate,
                                     "what is kept to M: the mean, or the end of one deterministic sampling step");
  const bool mean = options.estimate == PidmOptions::Estimate::mean;
  options.residual = settings.choose("residual_loss", options.residual,
                                     "likelihood: squared residual over twice its variance; distance: that to M");
  options.penalty = settings.number("penalty", mean ? 0.1 : 0.005, 0, 1e6,
                                    "weight of the residual in the loss; 0.005 for estimate = sample unless set");
  options.signal_weight = read_signal_weight(settings, options.signal_weight);
  DiffusionDefaults usual;
  usual.training.adam.clip = 1;
  usual.training.former = false;  // nothing was tuned: at five times the rate the penalty on samples does harm
  return make_diffusion_model(
      settings, [options](const DiffusionFrame& frame) { return make_pidm_objective(frame, options); }, usual);
}

std::unique_ptr<DiffusionObjective> make_pidm_objective(const DiffusionFrame& frame, const PidmOptions& options) {
  if (options.estimate == PidmOptions::Estimate::mean) return std::make_unique<PenalisedSignal>(frame, options);
  return std::make_unique<PenalisedSample>(frame, options);
}

}  // namespace onmanifold
