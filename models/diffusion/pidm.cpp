// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/pidm.hpp"

#include "models/diffusion/diffusion_model.hpp"

namespace onmanifold {
namespace {

class PenalisedSignal final : public SignalPrediction {
 public:
  PenalisedSignal(const DiffusionFrame& frame, double penalty) : SignalPrediction(frame), penalty_(penalty) {}

  double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
              Eigen::MatrixXf& gradient) const override {
    double result = SignalPrediction::loss(batch, prediction, gradient);
    const Points y = frame().to_data(prediction.cast<double>(), 0);  // the prediction is a point of time 0
    const Projection nearest = frame().manifold->project(y);
    const double share = penalty_ / static_cast<double>(prediction.cols());
    for (Index i = 0; i < y.cols(); ++i) {
      if (!nearest.converged[i] || !(nearest.distance[i] > 0)) continue;
      result += share * nearest.distance[i] / frame().standardisation.scale;
      gradient.col(i) += (share / nearest.distance[i] * (y.col(i) - nearest.points.col(i))).cast<float>();
    }
    return result;
  }

 private:
  double penalty_;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_pidm(Settings& settings) {
  const double penalty = settings.number("penalty", 0.1, 0, 1e6);
  return make_diffusion_model(settings, [penalty](const DiffusionFrame& frame) {
    return make_pidm_objective(frame, penalty);
  });
}

std::unique_ptr<DiffusionObjective> make_pidm_objective(const DiffusionFrame& frame, double penalty) {
  return std::make_unique<PenalisedSignal>(frame, penalty);
}

}  // namespace onmanifold
