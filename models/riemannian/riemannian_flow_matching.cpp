// SPDX-License-Identifier: Apache-2.0
#include "models/riemannian/riemannian_flow_matching.hpp"

#include <vector>

#include "models/riemannian/geodesic_model.hpp"

namespace onmanifold {
namespace {

/// batch.state = x_u and batch.noise = its velocity, both standardised.
class GeodesicPaths final : public DenoiserObjective {
 public:
  GeodesicPaths(const Geodesics& geodesics, const Standardisation& units, VelocityGrid grid)
      : geodesics_(geodesics), units_(units), grid_(grid) {}

  [[nodiscard]] Index timesteps() const override { return grid_.times(); }

  void corrupt(DiffusionBatch& batch, const Stream&) const override {
    const Manifold& manifold = geodesics_.manifold();
    // Single precision has moved the points by 1e-7.
    const Points end = manifold.project(from_units(batch.clean.cast<double>(), units_)).points;
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
    return tangential_loss(geodesics_.manifold(), units_, batch, prediction, gradient);
  }

 private:
  const Geodesics& geodesics_;
  const Standardisation& units_;
  VelocityGrid grid_;
};

class RiemannianFlowMatching final : public GeodesicModel {
 public:
  explicit RiemannianFlowMatching(Settings& settings) : GeodesicModel(settings, "riemannian_flow_matching", 2) {}

 private:
  void do_prepare(const FitContext&) override {}
  [[nodiscard]] std::unique_ptr<DenoiserObjective> make_objective() const override {
    return make_geodesic_paths(geodesics(), units(), grid());
  }
  [[nodiscard]] std::vector<double> velocity_factors() const override {
    return std::vector<double>(static_cast<std::size_t>(grid().times() + 1), units().scale);
  }
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
