// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/likelihood_explosion.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "diagnostics/cell_input.hpp"
#include "manifolds/normal_lift.hpp"

namespace onmanifold {

LikelihoodExplosion likelihood_explosion(const VectorRef& log_thickness, const VectorRef& log_likelihood,
                                         Index dimension, Index ambient_dimension, double margin, double level) {
  if (dimension < 0 || dimension >= ambient_dimension || !(margin > 0)) {
    throw InvalidInput(
        fmt::format("likelihood explosion: dimension {} in {}, margin {}", dimension, ambient_dimension, margin));
  }
  LikelihoodExplosion result;
  result.line = fit_line(log_thickness, log_likelihood, level);
  result.expected = static_cast<double>(dimension - ambient_dimension);
  result.reproduced = result.line.slope_interval.low >= result.expected - margin &&
                      result.line.slope_interval.high <= result.expected + margin;
  return result;
}

std::vector<Index> thinner_half(const VectorRef& log_thickness) {
  std::vector<Index> thin;
  std::vector<Index> all;
  if (log_thickness.size() == 0) return all;
  const double middle = (log_thickness[0] + log_thickness.minCoeff()) / 2;
  for (Index i = 0; i < log_thickness.size(); ++i) {
    all.push_back(i);
    if (log_thickness[i] < middle) thin.push_back(i);
  }
  return thin.size() < 5 ? all : thin;
}

double lifted_nll_floor(double entropy, Index codimension, double sigma, double mean_log_factor) {
  if (!(sigma > 0) || codimension < 1) {
    throw InvalidInput(fmt::format("floor: lift {} in {} normal directions", sigma, codimension));
  }
  return entropy +
         static_cast<double>(codimension) / 2 * std::log(2 * std::numbers::pi * std::numbers::e * sigma * sigma) +
         mean_log_factor;
}

Points points_off_manifold(const Manifold& manifold, const PointsRef& x, double r, Stream stream) {
  if (!(r > 0) || manifold.codimension() == 0) {
    throw InvalidInput(fmt::format("points off the manifold: distance {}, {} normals", r, manifold.codimension()));
  }
  const Projection foot = manifold.project(x);
  Points coordinates = stream.normal(manifold.codimension(), x.cols());
  coordinates.colwise().normalize();
  Points result(x.rows(), x.cols());
  for (Index j = 0; j < x.cols(); ++j) {
    // Only points on M have normals.
    if (foot.converged[j]) {
      result.col(j) = foot.points.col(j) + r * manifold.from_normal_coordinates(foot.points.col(j), coordinates.col(j));
    } else {
      result.col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
    }
  }
  return result;
}

namespace {

class Explosion final : public Diagnostic {
 public:
  explicit Explosion(Settings& settings)
      : points_(settings.integer("points", 10000, 10, 100'000'000, "points that are looked at")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    const Curves curves = input.model->curves();
    if (!curves.contains("log_thickness") || !curves.contains("loss"))
      throw Unsupported("the method records no thickness of its density");
    const Manifold& manifold = *input.manifold;
    if (manifold.codimension() == 0) throw Unsupported(manifold.spec() + " has no normals");
    const Vector& thickness = curves.at("log_thickness");
    const Vector& loss = curves.at("loss");
    // While the law is thick its shape along M is learned too. What the thickness alone does shows later.
    const std::vector<Index> late = thinner_half(thickness);
    const LikelihoodExplosion course =
        likelihood_explosion(thickness(late), -loss(late), manifold.dimension(), manifold.ambient_dimension());
    Curves result = {{"slope", scalar(course.line.slope)},  {"slope_se", scalar(course.line.slope_se)},
                     {"expected", scalar(course.expected)}, {"records", scalar(static_cast<double>(late.size()))},
                     {"log_thickness", thickness},          {"log_likelihood", -loss}};
    if (input.lift.type != LiftType::normal || input.sampler == nullptr || !std::isfinite(input.entropy)) return result;
    const std::optional<TubeFactor> factor = manifold.mean_log_tube_factor(input.lift.sigma);
    if (!factor || input.model->density_is_intrinsic()) return result;
    const Points fresh =
        input.lift.apply(input.sampler->sample(points_, input.stream.at("points")), manifold, input.stream.at("lift"));
    const std::optional<Vector> density = input.model->log_density(fresh);
    if (!density) return result;
    const auto coordinates = static_cast<double>(manifold.ambient_dimension());
    const double floor = lifted_nll_floor(input.entropy, manifold.codimension(), input.lift.sigma, factor->value);
    result["nll"] = scalar(-mean(*density));
    result["floor"] = scalar(floor);
    result["gap_per_dimension"] = scalar((-mean(*density) - floor) / coordinates);
    result["gap_se"] = scalar(std::hypot(standard_error(*density), factor->se) / coordinates);
    return result;
  }

 private:
  Index points_;
};

}  // namespace

std::unique_ptr<Diagnostic> make_likelihood_explosion(Settings& settings) {
  return std::make_unique<Explosion>(settings);
}

}  // namespace onmanifold
