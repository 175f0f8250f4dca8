// SPDX-License-Identifier: Apache-2.0
#include "models/flow_matching/flow_matching.hpp"

#include <cmath>
#include <numbers>
#include <optional>

#include "core/error.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/diffusion/training_settings.hpp"
#include "models/flow_matching/network_velocity.hpp"
#include "models/score_fields.hpp"

namespace onmanifold {
namespace {

class StraightPaths final : public DenoiserObjective {
 public:
  explicit StraightPaths(VelocityGrid grid) : grid_(grid) {}
  [[nodiscard]] Index timesteps() const override { return grid_.times(); }
  void corrupt(DiffusionBatch& batch, const Stream&) const override {
    for (Index i = 0; i < batch.state.cols(); ++i) {
      const auto u = static_cast<float>(grid_.position(batch.times[static_cast<std::size_t>(i)]));
      batch.state.col(i) = (1 - u) * batch.noise.col(i) + u * batch.clean.col(i);
    }
    batch.noise = batch.clean - batch.noise;
  }
  double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
              Eigen::MatrixXf& gradient) const override {
    const double share = 1.0 / static_cast<double>(prediction.size());
    gradient = prediction - batch.noise;
    const double result = static_cast<double>(gradient.squaredNorm()) * share;
    gradient *= static_cast<float>(2 * share);
    return result;
  }

 private:
  VelocityGrid grid_;
};

class FlatField final : public VelocityField {
 public:
  explicit FlatField(const NetworkVelocity& network) : network_(network) {}
  void evaluate(const Points& x, Index i, Points& velocity, Vector* divergence) const override {
    if (divergence == nullptr) {
      network_.evaluate(x, i, velocity);
    } else {
      const Points units = Points::Identity(x.rows(), x.rows()).replicate(1, x.cols());
      network_.evaluate(x, i, velocity, units, x.rows(), *divergence);
    }
  }

 private:
  const NetworkVelocity& network_;
};

class FlowMatching final : public GenerativeModel {
 public:
  explicit FlowMatching(Settings& settings)
      : training_(TrainingSettings::read(settings)),
        grid_(settings.integer("ode_steps", 100, 1, 100000, "steps of the flow from noise to data"),
              settings.number("time_power", 1, 0.1, 10, "above 1 more of the steps lie near the data")),
        likelihood_(settings.boolean("likelihood", false, "whether log-densities of the reference are computed")) {}

  [[nodiscard]] Curves curves() const override { return curves_; }
  [[nodiscard]] ModelState state() const override { return network_ ? network_->to_state(parameters_) : ModelState{}; }
  [[nodiscard]] std::unique_ptr<ScoreField> score_field() const override {
    return make_flow_score_field(*network_, parameters_, grid_, standardisation_);
  }
  [[nodiscard]] std::optional<Vector> log_density(const PointsRef& points) const override {
    if (!likelihood_) return std::nullopt;
    const NetworkVelocity velocity(*network_, parameters_, grid_.times());
    const Points x = (points.colwise() - standardisation_.mean) / standardisation_.scale;
    const auto base = [](const Points& z) -> Vector {
      return (-0.5 * z.colwise().squaredNorm().array() -
              0.5 * static_cast<double>(z.rows()) * std::log(2 * std::numbers::pi))
          .matrix()
          .transpose();
    };
    Vector result = transported_log_density(FlatField(velocity), grid_, x, base);
    result.array() -= static_cast<double>(x.rows()) * std::log(standardisation_.scale);
    return result;
  }

 private:
  void prepare(const FitContext& context) {
    network_ = training_.make_network(context);
    if (likelihood_ && !NetworkVelocity::has_traces(*network_)) {
      throw Unsupported("likelihood = true needs network = \"mlp\"");
    }
    standardisation_ = standardisation(*context.training);
  }
  void do_fit(const FitContext& context) override {
    prepare(context);
    TrainedDenoiser trained = train_denoiser(*network_, StraightPaths(grid_), training_.adam, training_.batch, context);
    parameters_ = std::move(trained.average);
    curves_ = std::move(trained.curves);
  }
  void do_load(const ModelState& state, const FitContext& context) override {
    prepare(context);
    parameters_ = network_->from_state(state);
    curves_.clear();
  }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    const NetworkVelocity velocity(*network_, parameters_, grid_.times());
    Stream draws = stream;
    Points samples = transport(FlatField(velocity), grid_, draws.normal(network_->data_size(), n));
    samples *= standardisation_.scale;
    samples.colwise() += standardisation_.mean;
    return samples;
  }

  TrainingSettings training_;
  VelocityGrid grid_;
  bool likelihood_;
  std::unique_ptr<Network> network_;
  Standardisation standardisation_;
  Eigen::VectorXf parameters_;
  Curves curves_;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_flow_matching(Settings& settings) {
  return std::make_unique<FlowMatching>(settings);
}

}  // namespace onmanifold
