// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where distances between points are measured: in R^D, along great circles, or between the cosines and sines
// of torsion angles.

#include <string>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// The setting space = ambient (default) | geodesic (spheres) | torsions (of a backbone; else the data are angles in
/// radians).
class PointSpace {
 public:
  explicit PointSpace(Settings& settings);
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Why \p input cannot be measured in this space; empty if it can.
  [[nodiscard]] std::string obstacle(const MetricInput& input) const;
  /// Points whose Euclidean distances the pair functions start from: nearest points of the sphere, or rows
  /// (cos, sin). \throw InvalidInput where a column has no nearest point.
  [[nodiscard]] Points embed(const Points& points, const MetricInput& input) const;
  /// Radius of the great circles; 0 in the other spaces.
  [[nodiscard]] double radius(const MetricInput& input) const;

 private:
  std::string name_;
};

}  // namespace onmanifold
