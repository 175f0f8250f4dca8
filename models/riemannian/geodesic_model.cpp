// SPDX-License-Identifier: Apache-2.0
#include "models/riemannian/geodesic_model.hpp"

#include <utility>

#include "core/error.hpp"

namespace onmanifold {

Points from_units(const Points& x, const Standardisation& units) {
  return (units.scale * x).colwise() + units.mean;
}

Points to_units(const Points& y, const Standardisation& units) {
  return (y.colwise() - units.mean) / units.scale;
}

double tangential_loss(const Manifold& manifold, const Standardisation& units, const DiffusionBatch& batch,
                       const Eigen::MatrixXf& prediction, Eigen::MatrixXf& gradient) {
  const Points x = from_units(batch.state.cast<double>(), units);
  const Points difference = manifold.tangent_component(x, (prediction - batch.noise).cast<double>());
  const double share = 1.0 / static_cast<double>(prediction.size());
  gradient = (2 * share * difference).cast<float>();
  return share * difference.squaredNorm();
}

void TangentField::evaluate(const Points& x, Index i, Points& velocity, Vector* divergence) const {
  const Manifold& manifold = geodesics_.manifold();
  const double factor = factors_[static_cast<std::size_t>(i)];
  const Points y = manifold.project(x).points;
  Points output;
  if (divergence == nullptr) {
    network_.evaluate(to_units(y, units_), i, output);
  } else {
    network_.evaluate(to_units(y, units_), i, output, manifold.tangent_bases(y), manifold.dimension(), *divergence);
    *divergence *= factor / units_.scale;  // the trace is with respect to standardised inputs
    *divergence += factor * output.cwiseProduct(geodesics_.mean_curvature(y)).colwise().sum().transpose();
  }
  velocity = manifold.tangent_component(y, factor * output);
}

GeodesicModel::GeodesicModel(Settings& settings, std::string name, double default_power)
    : name_(std::move(name)),
      training_(TrainingSettings::read(settings)),
      grid_(settings.integer("ode_steps", 100, 1, 100000, "steps of the flow from noise to data"),
            default_power > 0
                ? settings.number("time_power", default_power, 0.1, 10, "above 1 more of the steps lie near the data")
                : 1.0),
      likelihood_(settings.boolean("likelihood", true, "whether log-densities of the reference are computed")) {}

std::optional<Vector> GeodesicModel::log_density(const PointsRef& points) const {
  if (!likelihood_) return std::nullopt;
  const NetworkVelocity velocity = network_velocity();
  const double uniform = -geodesics_->log_volume();
  return transported_log_density(TangentField(*geodesics_, units_, velocity, velocity_factors()), grid_, points,
                                 [uniform](const Points& x) -> Vector { return Vector::Constant(x.cols(), uniform); });
}

NetworkVelocity GeodesicModel::network_velocity() const {
  return NetworkVelocity(*network_, parameters_, grid_.times());
}

Points GeodesicModel::uniform_points(Index n, const Stream& stream) const {
  Stream draws = stream;
  return geodesics_->uniform_from_normals(draws.normal(network_->data_size(), n));
}

Points GeodesicModel::flow_samples(Index n, const Stream& stream) const {
  const NetworkVelocity velocity = network_velocity();
  return transport(TangentField(*geodesics_, units_, velocity, velocity_factors()), grid_, uniform_points(n, stream));
}

void GeodesicModel::prepare(const FitContext& context) {
  geodesics_ = context.manifold->geodesics();
  if (geodesics_ == nullptr) {
    throw Unsupported(name_ + " knows no geodesics on " + context.manifold->spec());
  }
  network_ = training_.make_network(context);
  units_ = standardisation(*context.training);
  do_prepare(context);
}

void GeodesicModel::do_fit(const FitContext& context) {
  prepare(context);
  const std::unique_ptr<DenoiserObjective> objective = make_objective();
  TrainedDenoiser trained = train_denoiser(*network_, *objective, training_.adam, training_.batch, context);
  parameters_ = std::move(trained.average);
  curves_ = std::move(trained.curves);
}

void GeodesicModel::do_load(const ModelState& state, const FitContext& context) {
  prepare(context);
  parameters_ = network_->from_state(state);
  curves_.clear();
}

}  // namespace onmanifold
