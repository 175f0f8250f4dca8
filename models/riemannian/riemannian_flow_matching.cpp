// SPDX-License-Identifier: Apache-2.0
#include "models/riemannian/riemannian_flow_matching.hpp"

#include <optional>

#include "core/error.hpp"
#include "models/diffusion/training_settings.hpp"
#include "models/flow_matching/network_velocity.hpp"

namespace onmanifold {
namespace {

Points to_points(const Points& x, const Standardisation& units) {
  return (units.scale * x).colwise() + units.mean;
}

Points to_units(const Points& y, const Standardisation& units) {
  return (y.colwise() - units.mean) / units.scale;
}

/// batch.state = x_u and batch.noise = its velocity, both standardised.
class GeodesicPaths final : public DenoiserObjective {
 public:
  GeodesicPaths(const Geodesics& geodesics, const Standardisation& units, VelocityGrid grid)
      : geodesics_(geodesics), units_(units), grid_(grid) {}

  [[nodiscard]] Index timesteps() const override { return grid_.times(); }

  void corrupt(DiffusionBatch& batch, const Stream&) const override {
    const Manifold& manifold = geodesics_.manifold();
    // Single precision has moved the points by 1e-7.
    const Points end = manifold.project(to_points(batch.clean.cast<double>(), units_)).points;
    const Points start = geodesics_.uniform_from_normals(batch.noise.cast<double>());
    Points way = geodesics_.log(start, end);
    Vector position(way.cols());
    for (Index i = 0; i < way.cols(); ++i) {
      position[i] = grid_.position(batch.times[static_cast<std::size_t>(i)]);
    }
    const Points x = geodesics_.exp(start, way * position.asDiagonal());
    // The velocity at x points away from the farther end, so nothing is divided by a small number.
    for (Index i = 0; i < way.cols(); ++i) {
      const double u = position[i];
      const Points here = x.col(i);
      way.col(i) = u < 0.5 ? Points(geodesics_.log(here, end.col(i)) / (1 - u))
                           : Points(geodesics_.log(here, start.col(i)) / -u);
    }
    batch.state = to_units(x, units_).cast<float>();
    batch.noise = (way / units_.scale).cast<float>();
  }

  double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
              Eigen::MatrixXf& gradient) const override {
    const Points x = to_points(batch.state.cast<double>(), units_);
    const Points difference =
        geodesics_.manifold().tangent_component(x, (prediction - batch.noise).cast<double>());
    const double share = 1.0 / static_cast<double>(prediction.size());
    gradient = (2 * share * difference).cast<float>();
    return share * difference.squaredNorm();
  }

 private:
  const Geodesics& geodesics_;
  const Standardisation& units_;
  VelocityGrid grid_;
};

class TangentField final : public VelocityField {
 public:
  TangentField(const Geodesics& geodesics, const Standardisation& units, const NetworkVelocity& network)
      : geodesics_(geodesics), units_(units), network_(network) {}

  void evaluate(const Points& x, Index i, Points& velocity, Vector* divergence) const override {
    const Manifold& manifold = geodesics_.manifold();
    const Points y = manifold.project(x).points;
    Points output;
    if (divergence == nullptr) {
      network_.evaluate(to_units(y, units_), i, output);
    } else {
      // The scale of the input and that of the output cancel in the Jacobian.
      network_.evaluate(to_units(y, units_), i, output, manifold.tangent_bases(y), manifold.dimension(), *divergence);
      *divergence +=
          units_.scale * output.cwiseProduct(geodesics_.mean_curvature(y)).colwise().sum().transpose();
    }
    velocity = manifold.tangent_component(y, units_.scale * output);
  }
  void restore(Points& x) const override { x = geodesics_.manifold().project(x).points; }

 private:
  const Geodesics& geodesics_;
  const Standardisation& units_;
  const NetworkVelocity& network_;
};

class RiemannianFlowMatching final : public GenerativeModel {
 public:
  explicit RiemannianFlowMatching(Settings& settings)
      : training_(TrainingSettings::read(settings)),
        grid_(settings.integer("ode_steps", 100, 1, 100000), settings.number("time_power", 2, 0.1, 10)),
        likelihood_(settings.boolean("likelihood", true)) {}

  [[nodiscard]] Curves curves() const override { return curves_; }
  [[nodiscard]] ModelState state() const override {
    return network_ ? network_->to_state(parameters_) : ModelState{};
  }
  [[nodiscard]] std::optional<Vector> log_density(const PointsRef& points) const override {
    if (!likelihood_) return std::nullopt;
    const NetworkVelocity velocity(*network_, parameters_, grid_.times());
    const double uniform = -geodesics_->log_volume();
    return transported_log_density(TangentField(*geodesics_, units_, velocity), grid_, points,
                                   [uniform](const Points& x) -> Vector { return Vector::Constant(x.cols(), uniform); });
  }

  [[nodiscard]] bool density_is_intrinsic() const override { return true; }

 private:
  void prepare(const FitContext& context) {
    geodesics_ = make_geodesics(*context.manifold);
    if (geodesics_ == nullptr) {
      throw InvalidInput("unsupported: riemannian_flow_matching knows no geodesics on " + context.manifold->spec());
    }
    network_ = training_.make_network(context);
    units_ = standardisation(*context.training);
  }
  void do_fit(const FitContext& context) override {
    prepare(context);
    TrainedDenoiser trained = train_denoiser(*network_, GeodesicPaths(*geodesics_, units_, grid_), training_.adam,
                                             training_.batch, context);
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
    return transport(TangentField(*geodesics_, units_, velocity), grid_,
                     geodesics_->uniform_from_normals(draws.normal(network_->data_size(), n)));
  }

  TrainingSettings training_;
  VelocityGrid grid_;
  bool likelihood_;
  std::unique_ptr<Geodesics> geodesics_;
  std::unique_ptr<Network> network_;
  Standardisation units_;
  Eigen::VectorXf parameters_;
  Curves curves_;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_riemannian_flow_matching(Settings& settings) {
  return std::make_unique<RiemannianFlowMatching>(settings);
}

std::unique_ptr<DenoiserObjective> make_geodesic_paths(const Geodesics& geodesics, const Standardisation& units,
                                                       VelocityGrid grid) {
  return std::make_unique<GeodesicPaths>(geodesics, units, grid);
}

}  // namespace onmanifold
