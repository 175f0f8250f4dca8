// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/lift_geometry.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include <boost/math/distributions/binomial.hpp>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "diagnostics/cell_input.hpp"

namespace onmanifold {
namespace {

constexpr Index block_size = 8192;

}  // namespace

std::vector<LiftGeometryLevel> lift_geometry(const Manifold& manifold, const PointsRef& points, const VectorRef& sigmas,
                                             const LiftGeometryOptions& options, const Stream& stream) {
  check_dimension(points, manifold.ambient_dimension(), "lift geometry: points");
  if (points.cols() == 0 || !(options.tolerance > 0)) {
    throw InvalidInput(fmt::format("lift geometry: {} points, tolerance {}", points.cols(), options.tolerance));
  }
  for (const double sigma : sigmas) {
    if (!(sigma > 0) || !std::isfinite(sigma)) throw InvalidInput(fmt::format("lift geometry: sigma {}", sigma));
  }
  const double tolerance = options.tolerance * manifold.scale();
  std::vector<LiftGeometryLevel> result(static_cast<std::size_t>(sigmas.size()));
  std::vector<TreeSum> jumps(result.size());
  for (Index first = 0; first < points.cols(); first += block_size) {
    const auto x = points.middleCols(first, std::min(block_size, points.cols() - first));
    Stream draws = stream.at(static_cast<std::uint64_t>(first / block_size));
    const Points directions = manifold.from_normal_coordinates(x, draws.normal(manifold.codimension(), x.cols()));
    for (std::size_t i = 0; i < result.size(); ++i) {
      const Projection back = manifold.project(x + sigmas[static_cast<Index>(i)] * directions);
      for (Index j = 0; j < x.cols(); ++j) {
        if (!back.converged[j]) {
          ++result[i].flips;
          ++result[i].failures;
          result[i].max_jump = std::numeric_limits<double>::infinity();
          continue;
        }
        const double jump = (back.points.col(j) - x.col(j)).norm();
        result[i].max_jump = std::max(result[i].max_jump, jump);
        if (jump > tolerance) {
          ++result[i].flips;
          jumps[i].add(jump);
        }
      }
    }
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    LiftGeometryLevel& level = result[i];
    level.sigma = sigmas[static_cast<Index>(i)];
    level.draws = points.cols();
    level.rate = static_cast<double>(level.flips) / static_cast<double>(level.draws);
    level.rate_interval = clopper_pearson(level.flips, level.draws, options.level);
    level.bound = reach_bound(manifold, level.sigma);
    level.within_bound = level.rate_interval.low <= level.bound;
    if (jumps[i].count() > 0) level.mean_jump = jumps[i].sum() / static_cast<double>(jumps[i].count());
  }
  return result;
}

double reach_bound(const Manifold& manifold, double sigma) {
  const double reach = manifold.reach();
  if (manifold.codimension() == 0 || std::isinf(reach)) return 0;
  if (reach == 0) return 1;
  return chi_squared_survival(reach * reach / (sigma * sigma), static_cast<double>(manifold.codimension()));
}

double mesh_flip_rate(const TriangleMesh& mesh, double sigma) {
  const Eigen::MatrixXi& faces = mesh.faces();
  struct Side {
    int low;
    int high;
    Index face;
  };
  std::vector<Side> sides;
  sides.reserve(static_cast<std::size_t>(3 * faces.cols()));
  for (Index f = 0; f < faces.cols(); ++f) {
    for (Index i = 0; i < 3; ++i) {
      const int u = faces(i, f);
      const int v = faces((i + 1) % 3, f);
      sides.push_back({std::min(u, v), std::max(u, v), f});
    }
  }
  std::sort(sides.begin(), sides.end(), [](const Side& a, const Side& b) {
    return std::array<Index, 3>{a.low, a.high, a.face} < std::array<Index, 3>{b.low, b.high, b.face};
  });
  // The mesh is closed: the two sides of an edge are neighbours now.
  const double sum = tree_sum_over(static_cast<Index>(sides.size()) / 2, [&](Index e) {
    const Side& one = sides[static_cast<std::size_t>(2 * e)];
    const Side& two = sides[static_cast<std::size_t>(2 * e + 1)];
    const double length = (mesh.vertices().col(one.high) - mesh.vertices().col(one.low)).norm();
    const Eigen::Vector3d a = mesh.face_normals().col(one.face);
    const Eigen::Vector3d b = mesh.face_normals().col(two.face);
    // tan(angle/2) = |a - b|/|a + b| for unit vectors.
    return length * (a - b).norm() / (a + b).norm();
  });
  return sigma / mesh.area() * std::sqrt(2 / std::numbers::pi) * sum;
}

Interval clopper_pearson(Index successes, Index trials, double level) {
  if (trials < 1 || successes < 0 || successes > trials || !(level > 0 && level < 1)) {
    throw InvalidInput(fmt::format("exact interval: {} of {}, level {}", successes, trials, level));
  }
  using Binomial = boost::math::binomial_distribution<>;
  const double tail = (1 - level) / 2;
  const auto n = static_cast<double>(trials);
  const auto s = static_cast<double>(successes);
  return {successes == 0 ? 0.0 : Binomial::find_lower_bound_on_p(n, s, tail),
          successes == trials ? 1.0 : Binomial::find_upper_bound_on_p(n, s, tail)};
}

namespace {

class LiftGeometry final : public Diagnostic {
 public:
  explicit LiftGeometry(Settings& settings)
      : points_(settings.integer("points", 10000, 10, 100'000'000, "points that are looked at")) {}

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    if (input.sigma_grid.empty()) throw Unsupported("the task has no lift levels");
    const Eigen::Map<const Vector> sigmas(input.sigma_grid.data(), static_cast<Index>(input.sigma_grid.size()));
    const std::vector<LiftGeometryLevel> levels =
        lift_geometry(*input.manifold, clean_points(input, points_), sigmas, {}, input.stream);
    using Level = LiftGeometryLevel;
    const bool within = std::all_of(levels.begin(), levels.end(), [](const Level& l) { return l.within_bound; });
    return {
        {"within_bound", scalar(within ? 1 : 0)},
        {"sigma", series(levels, [](const Level& l) { return l.sigma; })},
        {"rate", series(levels, [](const Level& l) { return l.rate; })},
        {"rate_low", series(levels, [](const Level& l) { return l.rate_interval.low; })},
        {"rate_high", series(levels, [](const Level& l) { return l.rate_interval.high; })},
        {"draws", series(levels, [](const Level& l) { return l.draws; })},
        {"bound", series(levels, [](const Level& l) { return l.bound; })},
        {"exact", series(levels,
                         [&](const Level& l) {
                           return input.manifold->flip_rate(l.sigma).value_or(std::numeric_limits<double>::quiet_NaN());
                         })},
        {"max_jump", series(levels, [](const Level& l) { return l.max_jump; })},
        {"mean_jump", series(levels, [](const Level& l) { return l.mean_jump; })},
        {"failures", series(levels, [](const Level& l) { return l.failures; })}};
  }

 private:
  Index points_;
};

}  // namespace

std::unique_ptr<Diagnostic> make_lift_geometry(Settings& settings) {
  return std::make_unique<LiftGeometry>(settings);
}

}  // namespace onmanifold
