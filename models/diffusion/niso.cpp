// SPDX-License-Identifier: Apache-2.0
#include "models/diffusion/niso.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "models/diffusion/diffusion_model.hpp"
#include "models/diffusion/thickness.hpp"

namespace onmanifold {
namespace {

std::vector<double> make_factors(const NoiseSchedule& schedule, double c, const std::string& scaling) {
  std::vector<double> factors;
  for (Index t = 0; t <= schedule.steps(); ++t) {
    const double s = schedule.level(t);  // sigma and a c in units of a
    if (scaling == "none") factors.push_back(1);
    if (scaling == "root") factors.push_back(s / std::hypot(s, c));
    if (scaling == "max") factors.push_back(s / std::max(s, c));
    if (scaling == "sum") factors.push_back(s / (s + c));
  }
  return factors;
}

class NormalNoise final : public ScaledNoisePrediction {
 public:
  /// \p c in standardised units.
  NormalNoise(const DiffusionFrame& frame, double c, const std::string& scaling)
      : ScaledNoisePrediction(frame, make_factors(frame.schedule, c, scaling)), c_(c) {}

  void corrupt(DiffusionBatch& batch, const Stream& draws) const override {
    const Manifold& manifold = *frame().manifold;
    const Points y = frame().to_data(batch.clean.cast<double>(), 0);
    Stream stream = draws;
    const Points normal = manifold.from_normal_coordinates(y, stream.normal(manifold.codimension(), y.cols()));
    const Points z = batch.noise.cast<double>();
    const Points normal_of_z = manifold.normal_component(y, z);
    for (Index i = 0; i < y.cols(); ++i) {
      const Index t = batch.times[static_cast<std::size_t>(i)];
      const double a = schedule().signal(t);
      const NisoTarget target = niso_target(z.col(i), normal_of_z.col(i), normal.col(i), a, schedule().noise(t), c_);
      batch.state.col(i) = (a * batch.clean.col(i).cast<double>() + target.noise).cast<float>();
      batch.noise.col(i) = target.epsilon.cast<float>();
    }
  }

 private:
  double c_;
};

}  // namespace

NisoTarget niso_target(const PointsRef& z, const PointsRef& normal_of_z, const PointsRef& normal_part, double a,
                       double sigma, double c) {
  const double thickness = a * c;
  const double rho = thickness * thickness / (sigma * sigma + thickness * thickness);
  return {sigma * z + thickness * normal_part,
          // (I - rho P)(z + (a c/sigma) n) with P n = n; (1 - rho) a c/sigma written so that it has no 0/0.
          z - rho * normal_of_z + sigma * thickness / (sigma * sigma + thickness * thickness) * normal_part};
}

std::unique_ptr<GenerativeModel> make_niso(Settings& settings) {
  const double c = settings.number(
      "c", 0, 0, 1e6, "thickness of the normal noise in data units; 0: the pre-registered lift of the task");
  const std::string scaling = settings.choice(
      "scaling", "root", {"root", "max", "sum", "none"},
      "factor f of the answer, noise = f network: sigma over root, max or sum of sigma and the thickness, or 1");
  return make_diffusion_model(
      settings, [c, scaling](const DiffusionFrame& frame) { return make_niso_objective(frame, c, scaling); });
}

std::unique_ptr<DiffusionObjective> make_niso_objective(const DiffusionFrame& frame, double c,
                                                        const std::string& scaling) {
  return std::make_unique<NormalNoise>(frame, standardised_thickness(frame, c, "niso"), scaling);
}

}  // namespace onmanifold
