// SPDX-License-Identifier: Apache-2.0
#include "models/riemannian/rsgm.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "models/riemannian/geodesic_model.hpp"

namespace onmanifold {
namespace {

constexpr double remainder = 1e-4;  // of the relaxation at the last time

/// batch.state = x_t standardised, batch.noise = sqrt(t) score.
class HeatScore final : public DenoiserObjective {
 public:
  HeatScore(const HeatKernel& kernel, const Geodesics& geodesics, const Standardisation& units)
      : kernel_(kernel), geodesics_(geodesics), units_(units) {}

  [[nodiscard]] Index timesteps() const override { return static_cast<Index>(kernel_.times().size()) - 1; }

  void corrupt(DiffusionBatch& batch, const Stream& draws) const override {
    // Single precision has moved the points by 1e-7.
    const Points y = geodesics_.manifold().project(from_units(batch.clean.cast<double>(), units_)).points;
    Points uniforms(kernel_.factors(), y.cols());
    Stream(draws).fill_uniform(uniforms);
    const Points x = kernel_.diffuse(y, batch.times, batch.noise.cast<double>(), uniforms);
    Points target = kernel_.score(x, y, batch.times);
    for (Index i = 0; i < target.cols(); ++i) {
      target.col(i) *= std::sqrt(kernel_.times()[static_cast<std::size_t>(batch.times[static_cast<std::size_t>(i)])]);
    }
    batch.state = to_units(x, units_).cast<float>();
    batch.noise = target.cast<float>();
  }

  double loss(const DiffusionBatch& batch, const Eigen::MatrixXf& prediction,
              Eigen::MatrixXf& gradient) const override {
    return tangential_loss(geodesics_.manifold(), units_, batch, prediction, gradient);
  }

 private:
  const HeatKernel& kernel_;
  const Geodesics& geodesics_;
  const Standardisation& units_;
};

class Rsgm final : public GeodesicModel {
 public:
  explicit Rsgm(Settings& settings)
      : GeodesicModel(settings, "rsgm", 0),
        walk_(settings.choice("sampler", "walk", {"walk", "flow"},
                              "random walk along geodesics, or the deterministic flow") == "walk") {}

 private:
  void do_prepare(const FitContext& context) override {
    const double largest = HeatKernel::relaxation_time(geodesics(), remainder);
    const double level = units().scale * context.smallest_noise;
    const double smallest = level > 0 ? std::min(level * level, 0.1 * largest) : 1e-4 * largest;
    times_ = diffusion_times(grid(), smallest, largest);
    kernel_.reset();  // refers to the geodesics of an earlier fit
  }

  [[nodiscard]] std::unique_ptr<DenoiserObjective> make_objective() const override {
    kernel_.emplace(geodesics(), times_);
    return make_heat_score_objective(*kernel_, geodesics(), units());
  }

  /// dx/du = -score/2 dt/du, dt/du = -t log(largest/smallest), score = n/sqrt(t).
  [[nodiscard]] std::vector<double> velocity_factors() const override {
    std::vector<double> factors;
    for (const double t : times_) factors.push_back(0.5 * std::sqrt(t) * std::log(times_.back() / times_[1]));
    return factors;
  }

  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    if (!walk_) return flow_samples(n, stream);
    const NetworkVelocity network = network_velocity();
    std::vector<double> factors;
    for (const double t : times_) factors.push_back(1 / std::sqrt(t));
    const TangentField field(geodesics(), units(), network, std::move(factors));
    const BlockScore score = [&](const Points& x, Index i, Points& result) { field.evaluate(x, i, result, nullptr); };
    return reverse_geodesic_walk(geodesics(), grid(), times_, score, uniform_points(n, stream), stream.at("walk"),
                                 true);
  }

  bool walk_;
  std::vector<double> times_;
  mutable std::optional<HeatKernel> kernel_;  // lives as long as an objective may need it
};

}  // namespace

std::unique_ptr<GenerativeModel> make_rsgm(Settings& settings) {
  return std::make_unique<Rsgm>(settings);
}

std::vector<double> diffusion_times(const VelocityGrid& grid, double smallest, double largest) {
  if (!(smallest > 0 && smallest < largest && std::isfinite(largest))) {
    throw InvalidInput(fmt::format("diffusion times: from {} to {}", smallest, largest));
  }
  std::vector<double> times = {smallest};
  for (Index i = 1; i <= grid.times(); ++i) {
    times.push_back(smallest * std::pow(largest / smallest, 1 - grid.position(i)));
  }
  return times;
}

std::unique_ptr<DenoiserObjective> make_heat_score_objective(const HeatKernel& kernel, const Geodesics& geodesics,
                                                             const Standardisation& units) {
  return std::make_unique<HeatScore>(kernel, geodesics, units);
}

Points reverse_geodesic_walk(const Geodesics& geodesics, const VelocityGrid& grid, const std::vector<double>& times,
                             const BlockScore& score, const Points& start, const Stream& stream, bool denoise) {
  const Manifold& manifold = geodesics.manifold();
  Points result(start.rows(), start.cols());
  for (Index first = 0; first < start.cols(); first += velocity_block) {
    const Stream block = stream.at(static_cast<std::uint64_t>(first / velocity_block));
    Points x = start.middleCols(first, std::min(velocity_block, start.cols() - first));
    Points s(x.rows(), x.cols());
    Points z(x.rows(), x.cols());
    for (Index i = grid.times(); i > 1; i -= 2) {
      const double h = times[static_cast<std::size_t>(i)] - times[static_cast<std::size_t>(i - 2)];
      score(x, i, s);
      block.at(static_cast<std::uint64_t>(i)).fill_normal(z);
      // Rounding takes points off M by 1e-16 a step; projecting keeps it there.
      x = manifold.project(geodesics.exp(x, h * s + std::sqrt(h) * manifold.tangent_component(x, z))).points;
    }
    if (denoise) {
      score(x, 1, s);
      x = manifold.project(geodesics.exp(x, times[1] * s)).points;
    }
    result.middleCols(first, x.cols()) = x;
  }
  return result;
}

}  // namespace onmanifold
