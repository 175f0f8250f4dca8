// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where distances between points are measured: in R^D, along great circles, or between the cosines and sines
// of torsion angles.

#include <string>

#include "core/enum_names.hpp"
#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// The setting space = ambient (default) | geodesic (spheres) | torsions (of a backbone; else the data are angles in
/// radians).
class PointSpace {
 public:
  enum class Kind { ambient, geodesic, torsions };

  explicit PointSpace(Settings& settings);
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] std::string name() const;
  /// The distance that is measured, for parameters.
  [[nodiscard]] std::string distance() const { return kind_ == Kind::geodesic ? "great circle" : "euclidean"; }
  /// \p unit of ambient coordinates; angles have none.
  [[nodiscard]] std::string unit(const std::string& unit) const { return kind_ == Kind::torsions ? "" : unit; }
  /// Why \p input cannot be measured in this space; empty if it can.
  [[nodiscard]] std::string obstacle(const MetricInput& input) const;
  /// Points whose Euclidean distances the pair functions start from: nearest points of the sphere, or rows
  /// (cos, sin). \throw InvalidInput where a column has no nearest point.
  [[nodiscard]] Points embed(const Points& points, const MetricInput& input) const;
  /// Radius of the great circles; 0 in the other spaces.
  [[nodiscard]] double radius(const MetricInput& input) const;

 private:
  Kind kind_;
};

template <>
struct EnumNames<PointSpace::Kind> {
  static constexpr const char* kind = "space";
  static constexpr std::array<EnumName<PointSpace::Kind>, 3> names = {{{PointSpace::Kind::ambient, "ambient"},
                                                                       {PointSpace::Kind::geodesic, "geodesic"},
                                                                       {PointSpace::Kind::torsions, "torsions"}}};
};

}  // namespace onmanifold
