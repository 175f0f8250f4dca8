// SPDX-License-Identifier: Apache-2.0
#include "metrics/point_space.hpp"

#include "core/error.hpp"
#include "manifolds/chain_view.hpp"

namespace onmanifold {

PointSpace::PointSpace(Settings& settings)
    : kind_(parse_named<Kind>(
          settings.choice("space", "ambient", words_of<Kind>(),
                          "points as they are, lengths of great circles, or torsions of a backbone"))) {}

std::string PointSpace::name() const {
  return std::string(name_of(kind_));
}

std::string PointSpace::obstacle(const MetricInput& input) const {
  if (kind_ == Kind::geodesic && radius(input) == 0) return "geodesic distances are known on spheres only";
  return "";
}

Points PointSpace::embed(const Points& points, const MetricInput& input) const {
  if (kind_ == Kind::geodesic) {
    Projection projection = input.target.manifold->project(points);
    if (projection.failures() > 0) throw InvalidInput("geodesic distance: a point has no nearest point of the sphere");
    return std::move(projection.points);
  }
  if (kind_ == Kind::torsions) {
    const ChainView* backbone = input.target.manifold == nullptr ? nullptr : input.target.manifold->chain_view();
    const Points angles = backbone == nullptr ? points : backbone->torsions(points);
    Points embedded(2 * angles.rows(), angles.cols());
    embedded << angles.array().cos().matrix(), angles.array().sin().matrix();
    return embedded;
  }
  return points;
}

double PointSpace::radius(const MetricInput& input) const {
  if (kind_ != Kind::geodesic || input.target.manifold == nullptr) return 0;
  return input.target.manifold->great_circle_radius().value_or(0);
}

}  // namespace onmanifold
