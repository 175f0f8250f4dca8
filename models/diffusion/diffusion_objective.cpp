// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/diffusion_objective.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace onmanifold {

Points DiffusionFrame::to_data(const Points& x, Index t) const {
  return (standardisation.scale / schedule.signal(t) * x).colwise() + standardisation.mean;
}

Points DiffusionFrame::to_state(const Points& y, Index t) const {
  return schedule.signal(t) / standardisation.scale * (y.colwise() - standardisation.mean);
}

Points DiffusionFrame::to_data(const Eigen::MatrixXf& x, const std::vector<Index>& times) const {
  Points result(x.rows(), x.cols());
  for (Index i = 0; i < x.cols(); ++i) {
    const double factor = standardisation.scale / schedule.signal(times[static_cast<std::size_t>(i)]);
    result.col(i) = factor * x.col(i).cast<double>() + standardisation.mean;
  }
  return result;
}

ScaledNoisePrediction::ScaledNoisePrediction(const DiffusionFrame& frame, std::vector<double> factors)
    : DiffusionObjective(frame), factors_(std::move(factors)) {}

double ScaledNoisePrediction::loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
                                   Eigen::MatrixXf& gradient) const {
  const double share = 1.0 / static_cast<double>(prediction.size());
  double total = 0;
  for (Index i = 0; i < prediction.cols(); ++i) {
    const auto factor =
        static_cast<float>(factors_[static_cast<std::size_t>(batch.times[static_cast<std::size_t>(i)])]);
    gradient.col(i) = factor * prediction.col(i) - batch.noise.col(i);
    total += static_cast<double>(gradient.col(i).squaredNorm());
    gradient.col(i) *= static_cast<float>(2 * share) * factor;
  }
  return total * share;
}

void ScaledNoisePrediction::to_epsilon(const Points&, Index t, Points& output) const {
  output *= factors_[static_cast<std::size_t>(t)];
}

SignalWeight read_signal_weight(Settings& settings, SignalWeight usual) {
  return settings.choose("signal_weight", usual,
                         "weight of noise levels in the loss: the same, or by the signal to noise ratio with a limit");
}

SignalPrediction::SignalPrediction(const DiffusionFrame& frame, SignalWeight weight)
    : DiffusionObjective(frame), weights_(static_cast<std::size_t>(frame.schedule.steps()) + 1, 1.0F) {
  if (weight == SignalWeight::one) return;
  constexpr double cap = 5;
  for (Index t = 1; t <= frame.schedule.steps(); ++t) {
    weights_[static_cast<std::size_t>(t)] = static_cast<float>(std::min(std::pow(frame.schedule.level(t), -2), cap));
  }
}

double SignalPrediction::loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
                              Eigen::MatrixXf& gradient) const {
  const double share = 1.0 / static_cast<double>(prediction.size());
  double total = 0;
  for (Index i = 0; i < prediction.cols(); ++i) {
    const float weight = weights_[static_cast<std::size_t>(batch.times[static_cast<std::size_t>(i)])];
    gradient.col(i) = prediction.col(i) - batch.clean.col(i);
    total += static_cast<double>(weight * gradient.col(i).squaredNorm());
    gradient.col(i) *= static_cast<float>(2 * share) * weight;
  }
  return total * share;
}

void SignalPrediction::to_epsilon(const Points& x, Index t, Points& output) const {
  output = (x - schedule().signal(t) * output) / schedule().noise(t);
}

}  // namespace onmanifold
