// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the intrinsic models share: a network whose output is projected on tangent spaces, transported from
// the uniform law along the manifold, with exact log-densities.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contracts/generative_model.hpp"
#include "core/settings.hpp"
#include "manifolds/geodesics.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/diffusion/training_settings.hpp"
#include "models/flow_matching/network_velocity.hpp"
#include "models/flow_matching/velocity_field.hpp"

namespace onmanifold {

/// Between data units and the standardised units of networks.
[[nodiscard]] Points from_units(const Points& x, const Standardisation& units);
[[nodiscard]] Points to_units(const Points& y, const Standardisation& units);

/// Mean square over the coordinates of the tangential part of \p prediction - batch.noise at batch.state, and its
/// gradient: the loss of every intrinsic objective, whose networks answer in the ambient space.
double tangential_loss(const Manifold& manifold, const Standardisation& units, const DiffusionBatch& batch,
                       const Eigen::MatrixXf& prediction, Eigen::MatrixXf& gradient);

/// v(x, i) = factors[i] P_T(y) n(y, i) at y = Pi x, data units, and its divergence on M:
/// div_M = factors[i] (tr(P_T Dn) + n·H).
class TangentField final : public VelocityField {
 public:
  /// References outlive the field. \p factors by time, 0 … T.
  TangentField(const Geodesics& geodesics, const Standardisation& units, const NetworkVelocity& network,
               std::vector<double> factors)
      : geodesics_(geodesics), units_(units), network_(network), factors_(std::move(factors)) {}
  void evaluate(const Points& x, Index i, Points& velocity, Vector* divergence) const override;
  void restore(Points& x) const override { x = geodesics_.manifold().project(x).points; }

 private:
  const Geodesics& geodesics_;
  const Standardisation& units_;
  const NetworkVelocity& network_;
  std::vector<double> factors_;
};

/// Training, state and log-density of an intrinsic model; a method adds its objective and what the output
/// means.
class GeodesicModel : public GenerativeModel {
 public:
  [[nodiscard]] Curves curves() const override { return curves_; }
  [[nodiscard]] ModelState state() const override { return network_ ? network_->to_state(parameters_) : ModelState{}; }
  [[nodiscard]] std::optional<Vector> log_density(const PointsRef& points) const override;
  [[nodiscard]] bool density_is_intrinsic() const override { return true; }

 protected:
  /// Reads ode_steps (100), time_power (\p default_power; 0: not read, 1), likelihood (true) and
  /// TrainingSettings.
  GeodesicModel(Settings& settings, std::string name, double default_power);

  [[nodiscard]] const VelocityGrid& grid() const { return grid_; }
  [[nodiscard]] const Geodesics& geodesics() const { return *geodesics_; }
  [[nodiscard]] const Standardisation& units() const { return units_; }
  /// The network at points of M, data units; refers to this model.
  [[nodiscard]] NetworkVelocity network_velocity() const;
  [[nodiscard]] Points flow_samples(Index n, const Stream& stream) const;
  [[nodiscard]] Points uniform_points(Index n, const Stream& stream) const;

 private:
  /// Called when geodesics() and units() are known.
  virtual void do_prepare(const FitContext& context) = 0;
  [[nodiscard]] virtual std::unique_ptr<DenoiserObjective> make_objective() const = 0;
  /// Velocity per output of the network, by time 0 … grid().times().
  [[nodiscard]] virtual std::vector<double> velocity_factors() const = 0;
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override { return flow_samples(n, stream); }

  void prepare(const FitContext& context);
  void do_fit(const FitContext& context) override;
  void do_load(const ModelState& state, const FitContext& context) override;

  std::string name_;
  TrainingSettings training_;
  VelocityGrid grid_;
  bool likelihood_;
  std::unique_ptr<Geodesics> geodesics_;
  std::unique_ptr<Network> network_;
  Standardisation units_;
  Eigen::VectorXf parameters_;
  Curves curves_;
};

}  // namespace onmanifold
