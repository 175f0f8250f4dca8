// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/mad.hpp"

#include "core/error.hpp"
#include "manifolds/uniform_posterior.hpp"
#include "models/diffusion/diffusion_model.hpp"

namespace onmanifold {
namespace {

std::vector<double> remainder_factors(const NoiseSchedule& schedule) {
  std::vector<double> factors;
  for (Index t = 0; t <= schedule.steps(); ++t) factors.push_back(-schedule.noise(t));
  return factors;
}

class ScoreRemainder final : public ScaledNoisePrediction {
 public:
  explicit ScoreRemainder(const DiffusionFrame& frame)
      : ScaledNoisePrediction(frame, remainder_factors(frame.schedule)),
        posterior_(frame.manifold->uniform_posterior()) {
    if (posterior_ == nullptr) {
      throw Unsupported("mad knows no closed form of the noised uniform law on " + frame.manifold->spec());
    }
  }

  void corrupt(DiffusionBatch& batch, const Stream& draws) const override {
    DiffusionObjective::corrupt(batch, draws);
    const Points y = frame().to_data(batch.state, batch.times);
    Points column(y.rows(), 1);
    for (Index i = 0; i < y.cols(); ++i) {
      column = y.col(i);
      batch.noise.col(i) -= base_noise(column, batch.times[static_cast<std::size_t>(i)]).cast<float>();
    }
  }

  void to_epsilon(const Points& x, Index t, Points& output) const override {
    ScaledNoisePrediction::to_epsilon(x, t, output);
    output += base_noise(frame().to_data(x, t), t);
  }

  [[nodiscard]] bool zero_output() const override { return true; }

 private:
  /// epsilon of the uniform law: y = x_0 + s z in data units has the mean noise (y - E[x_0|y])/s.
  [[nodiscard]] Points base_noise(const Points& y, Index t) const {
    const double level = frame().data_level(t);
    return (y - posterior_->mean(y, 1, level)) / level;
  }

  std::unique_ptr<UniformPosterior> posterior_;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_mad(Settings& settings) {
  return make_diffusion_model(settings, make_mad_objective);
}

std::unique_ptr<DiffusionObjective> make_mad_objective(const DiffusionFrame& frame) {
  return std::make_unique<ScoreRemainder>(frame);
}

}  // namespace onmanifold
