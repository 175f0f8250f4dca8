// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/tango.hpp"

#include <algorithm>
#include <cmath>

#include "models/diffusion/diffusion_model.hpp"
#include "models/diffusion/thickness.hpp"

namespace onmanifold {
namespace {

class TangentialScore final : public DiffusionObjective {
 public:
  TangentialScore(const DiffusionFrame& frame, const TangoOptions& options)
      : DiffusionObjective(frame), options_(options) {
    if (frame.manifold->dimension() == 0) {
      throw Unsupported("tango needs tangent directions, and the manifold has dimension 0");
    }
    const double c = standardised_thickness(frame, options.c, "tango");
    while (last_ + 1 < schedule().steps() && schedule().level(last_) < c) ++last_;
    // Time 0, level 0, is below any c: with no positive level below, nothing is tangential.
    if (last_ == 1) last_ = 0;
  }

  double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
              Eigen::MatrixXf& gradient) const override {
    gradient = prediction - batch.noise;
    std::vector<Index> low;
    for (Index i = 0; i < prediction.cols(); ++i) {
      if (batch.times[static_cast<std::size_t>(i)] < last_) low.push_back(i);
    }
    if (!low.empty()) {
      Points difference(prediction.rows(), static_cast<Index>(low.size()));
      Points y(difference.rows(), difference.cols());
      const Points all = frame().to_data(batch.state, batch.times);
      for (Index i = 0; i < difference.cols(); ++i) {
        difference.col(i) = gradient.col(low[static_cast<std::size_t>(i)]).cast<double>();
        y.col(i) = all.col(low[static_cast<std::size_t>(i)]);
      }
      const Points tangential = frame().manifold->tangent_component(frame().manifold->project(y).points, difference);
      for (Index i = 0; i < difference.cols(); ++i) {
        gradient.col(low[static_cast<std::size_t>(i)]) = tangential.col(i).cast<float>();
      }
    }
    // P_T is an orthogonal projection: the gradient of |P_T d|^2/2 is P_T d itself.
    const double share = 1.0 / static_cast<double>(prediction.size());
    const double result = static_cast<double>(gradient.squaredNorm()) * share;
    gradient *= static_cast<float>(2 * share);
    return result;
  }

  [[nodiscard]] Index last_time() const override { return last_; }

  void after_step(Points& x, Index t, const BlockDenoiser& epsilon, const Stream& draws) const override {
    if (t != last_ || last_ == 0) return;
    const Manifold& manifold = *frame().manifold;
    Points y = manifold.project(frame().to_data(x, t)).points;
    Points score(y.rows(), y.cols());
    for (Index time = last_ - 1; time >= 1; --time) {
      const double level = frame().data_level(time);
      for (Index step = 0; step < options_.corrector_steps; ++step) {
        Stream stream = draws.at(static_cast<std::uint64_t>(time)).at(static_cast<std::uint64_t>(step));
        epsilon(frame().to_state(y, time), time, score);
        score = manifold.tangent_component(y, -score / level);
        const Points z = manifold.tangent_component(y, stream.normal(y.rows(), y.cols()));
        const double ratio = options_.snr * z.colwise().norm().mean() / score.colwise().norm().mean();
        // Where the score vanishes the rule would leave the manifold's scale: a step is at most the noise level.
        const double a = std::min(2 * ratio * ratio, level * level);
        y = manifold.project(y + a * score + std::sqrt(2 * a) * z).points;
      }
    }
    x = frame().to_state(y, 0);
  }

 private:
  TangoOptions options_;
  Index last_ = 1;  // the first time whose level is >= c; 0 where all positive levels are
};

}  // namespace

std::unique_ptr<GenerativeModel> make_tango(Settings& settings) {
  TangoOptions options;
  options.c = settings.number("c", options.c, 0, 1e6,
                              "thickness of the normal noise in data units; 0: the pre-registered lift of the task");
  options.snr =
      settings.number("snr", options.snr, 1e-6, 1e3, "signal to noise ratio of the tangential Langevin steps");
  options.corrector_steps = settings.integer("corrector_steps", options.corrector_steps, 0, 10000,
                                             "tangential Langevin steps at each level below c");
  return make_diffusion_model(settings,
                              [options](const DiffusionFrame& frame) { return make_tango_objective(frame, options); });
}

std::unique_ptr<DiffusionObjective> make_tango_objective(const DiffusionFrame& frame, const TangoOptions& options) {
  return std::make_unique<TangentialScore>(frame, options);
}

}  // namespace onmanifold
