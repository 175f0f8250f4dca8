// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/target_variance.hpp"

#include <cmath>
#include <cstddef>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "core/math/summation.hpp"
#include "diagnostics/cell_input.hpp"

namespace onmanifold {
namespace {

Vector squares_of(const Points& points) {
  return points.colwise().squaredNorm().transpose();
}

/// What does not depend on the level.
struct Draws {
  Points z;       // D×N
  Points normal;  // P_N(x0) z
  Points lift;    // U_N xi
};

TargetVariance evaluate(TargetKind kind, double s, double c, const Manifold& manifold, const UniformPosterior* base,
                        const PointsRef& x0, const Draws& draws) {
  const auto d = static_cast<double>(manifold.dimension());
  const auto k = static_cast<double>(manifold.codimension());
  Points y = x0 + s * draws.z;
  Points g;
  TargetVariance result;
  result.kind = kind;
  result.s = s;
  switch (kind) {
    case TargetKind::dsm:
      g = -draws.z / s;
      result.closed_form = (d + k) / (s * s);
      break;
    case TargetKind::map:
      y += c * draws.lift;
      g = -draws.z / s;
      result.closed_form = (d + k) / (s * s);
      break;
    case TargetKind::niso: {
      // Sigma = s² I + c² P_N, so Sigma^-1 v = (v - c²/(s² + c²) P_N v)/s².
      y += c * draws.lift;
      const double shrink = c * c / (s * s + c * c);
      const Points noise = y - x0;
      const Points along = s * draws.normal + c * draws.lift;
      g = -(noise - shrink * along) / (s * s);
      result.closed_form = d / (s * s) + k / (s * s + c * c);
      break;
    }
    case TargetKind::mad:
      g = (x0 - base->mean(y, 1, s)) / (s * s);
      result.closed_form = std::numeric_limits<double>::quiet_NaN();
      break;
  }
  const Vector total = squares_of(g);
  const Vector normal = squares_of(manifold.normal_component(x0, g));
  result.total = mean(total);
  result.total_se = standard_error(total);
  result.normal = mean(normal);
  result.normal_se = standard_error(normal);

  const Projection foot = manifold.project(y);
  const Vector at_foot = squares_of(manifold.normal_component(foot.points, g));
  const Index converged = foot.converged.count();
  if (converged == 0) throw NumericalFailure(fmt::format("target variance: no projection converged at level {}", s));
  result.normal_at_foot = tree_sum_over(at_foot.size(), [&](Index j) { return foot.converged[j] ? at_foot[j] : 0.0; }) /
                          static_cast<double>(converged);
  return result;
}

}  // namespace

std::string to_string(TargetKind kind) {
  switch (kind) {
    case TargetKind::dsm:
      return "dsm";
    case TargetKind::niso:
      return "niso";
    case TargetKind::mad:
      return "mad";
    case TargetKind::map:
      return "map";
  }
  throw InvalidInput("target kind: unknown");
}

std::vector<TargetVariance> target_variance(const Manifold& manifold, const UniformPosterior* base,
                                            const PointsRef& points, const VectorRef& levels,
                                            const TargetVarianceOptions& options, const Stream& stream) {
  check_dimension(points, manifold.ambient_dimension(), "target variance: points");
  if (points.cols() < 2) throw InvalidInput("target variance: at least two points are needed");
  for (const double s : levels) {
    if (!(s > 0) || !std::isfinite(s)) throw InvalidInput(fmt::format("target variance: level {}", s));
  }
  if (!(options.thickness >= 0) || !std::isfinite(options.thickness)) {
    throw InvalidInput(fmt::format("target variance: thickness {}", options.thickness));
  }
  if (base != nullptr && base->dimension() != points.rows()) {
    throw InvalidInput("target variance: the base law has another dimension than the points");
  }
  Draws draws;
  draws.z = stream.at("noise").normal(points.rows(), points.cols());
  draws.normal = manifold.normal_component(points, draws.z);
  if (options.thickness > 0) {
    draws.lift = manifold.normal_component(points, stream.at("normal").normal(points.rows(), points.cols()));
  }
  std::vector<TargetVariance> result;
  const auto add = [&](TargetKind kind) {
    for (const double s : levels) {
      result.push_back(evaluate(kind, s, options.thickness, manifold, base, points, draws));
    }
  };
  add(TargetKind::dsm);
  if (options.thickness > 0) add(TargetKind::niso);
  if (base != nullptr) add(TargetKind::mad);
  if (options.thickness > 0) add(TargetKind::map);
  return result;
}

double normal_target_ratio(double s, double c) {
  return (s * s + c * c) / (s * s);
}

namespace {

class TargetVariances final : public Diagnostic {
 public:
  explicit TargetVariances(Settings& settings)
      : points_(settings.integer("points", 500, 10, 1'000'000, "points that are looked at")),
        levels_(settings.integer("levels", 10, 2, 10000, "noise levels")),
        thickness_(
            settings.number("thickness", 0, 0, 1e6, "of the normal noise in data units; 0: the lift of the cell")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    const Vector levels = geometric_levels(input.scale, smallest_level(input), levels_);
    const std::unique_ptr<UniformPosterior> base = input.manifold->uniform_posterior();
    const double thickness = thickness_ > 0 ? thickness_ : input.lift.sigma;
    Curves result = {{"level", levels}, {"thickness", scalar(thickness)}};
    const std::vector<TargetVariance> all = target_variance(*input.manifold, base.get(), clean_points(input, points_),
                                                            levels, {.thickness = thickness}, input.stream);
    for (std::size_t i = 0; i < all.size(); i += static_cast<std::size_t>(levels_)) {
      const std::vector<TargetVariance> kind(all.begin() + static_cast<std::ptrdiff_t>(i),
                                             all.begin() + static_cast<std::ptrdiff_t>(i) + levels_);
      const std::string name = to_string(kind.front().kind);
      result[name + "/total"] = series(kind, [](const TargetVariance& v) { return v.total; });
      result[name + "/normal"] = series(kind, [](const TargetVariance& v) { return v.normal; });
      result[name + "/normal_at_foot"] = series(kind, [](const TargetVariance& v) { return v.normal_at_foot; });
      result[name + "_total_s2"] = scalar(kind.back().total * kind.back().s * kind.back().s);
    }
    return result;
  }

 private:
  Index points_;
  Index levels_;
  double thickness_;
};

}  // namespace

std::unique_ptr<Diagnostic> make_target_variance(Settings& settings) {
  return std::make_unique<TargetVariances>(settings);
}

}  // namespace onmanifold
