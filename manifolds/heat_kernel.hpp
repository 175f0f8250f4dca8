// SPDX-License-Identifier: Apache-2.0
#pragma once
// Brownian motion on manifolds with closed-form geodesics: transition density, its gradient, and exact draws.
// What a score-based model on a manifold is trained with.

#include <vector>

#include "manifolds/geodesics.hpp"

namespace onmanifold {

/// A heat kernel that depends on the distance theta alone, at one distance.
struct RadialHeat {
  double log_ratio = 0;  ///< log of the density relative to the uniform law
  double slope = 0;      ///< -(d log_ratio/d theta)/theta; 1/t + O(1) for small t, regular at theta = 0
};

/// The heat kernels of half the Laplacian at time \p t > 0: on the circle (wrapped normal law), on the unit
/// sphere S^d, and on SO(3) with the rotation angle as distance. \p angle in [0, pi].
///
/// Circle and SO(3) are sums of images or of characters, whichever needs fewer terms: exact to rounding.
/// Sphere, d >= 2: for t >= 0.2 the series of Gegenbauer polynomials (S^2: sum (2l+1) e^{-l(l+1)t/2} P_l(cos
/// theta)); below, two terms of the expansion in t, slope within 2e-4 (d = 2; d = 5: 6e-3) of the series at t
/// = 0.2 up to 5.5 deviations, better for smaller t. The expansion has no meaning near the antipode, where
/// the kernel has less than 1e-10 of its mass; angles above 3 count as 3 there.
[[nodiscard]] RadialHeat circle_heat(double angle, double t);
[[nodiscard]] RadialHeat sphere_heat(Index d, double angle, double t);
[[nodiscard]] RadialHeat rotation_heat(double angle, double t);

/// Coordinates of M that move independently of the others under Brownian motion, by a distance that does not depend on
/// the direction.
struct HeatFactor {
  Index first;  ///< row
  Index rows;
  Index dim;     ///< of the factor
  double scale;  ///< length of a unit of angle
  double gap;    ///< smallest eigenvalue above 0 of minus the Laplacian, at scale 1
  /// The kernel at \p angle and time \p t of a factor of dimension \p dim, at scale 1.
  RadialHeat (*radial)(Index dim, double angle, double t);
  /// log of the area of the sphere of radius \p angle, up to a constant; null on the circle, where a normal step along
  /// the tangent is exact.
  double (*log_area)(Index dim, double angle);
};

/// Circles, spheres and SO(3) as factors that begin at row 0.
[[nodiscard]] HeatFactor circle_factor(Index first, double radius);
[[nodiscard]] HeatFactor sphere_factor(Index dim, double radius);
[[nodiscard]] HeatFactor rotation_factor();

/// Transition law of Brownian motion (generator half the Laplacian in the metric of R^D) on a manifold with
/// geodesics, at a list of times: a point moves by a vector of about N(0, t) in each tangent direction.
class HeatKernel {
 public:
  /// \p geodesics outlives the object. O(512) evaluations of the kernel for each factor and time.
  /// \throw InvalidInput unless all \p times are positive and Manifold::heat_factors() has some.
  HeatKernel(const Geodesics& geodesics, std::vector<double> times);

  [[nodiscard]] const std::vector<double>& times() const { return times_; }
  /// Rows of uniforms that diffuse() asks for: one for each factor.
  [[nodiscard]] Index factors() const { return static_cast<Index>(factors_.size()); }
  /// The points to which Brownian motion has brought the columns of \p y (D×N, on M), column j at
  /// times()[index[j]], by \p normals (D×N) and \p uniforms (factors()×N): the direction is exact, the
  /// distance is that of a density linear between 512 nodes.
  [[nodiscard]] Points diffuse(const PointsRef& y, const std::vector<Index>& index, const PointsRef& normals,
                               const PointsRef& uniforms) const;
  /// Gradient in x of log p_t(x | y), tangent at x, D×N.
  [[nodiscard]] Points score(const PointsRef& x, const PointsRef& y, const std::vector<Index>& index) const;
  /// log p_t(x | y) with respect to the volume of M.
  [[nodiscard]] Vector log_density(const PointsRef& x, const PointsRef& y, const std::vector<Index>& index) const;

  /// A time after which every starting point has come to the uniform law up to e^{-lambda t/2} = \p
  /// remainder, lambda the smallest eigenvalue above 0.
  [[nodiscard]] static double relaxation_time(const Geodesics& geodesics, double remainder);

 private:
  /// Density of the distance, linear between nodes, and its integral.
  struct DistanceLaw {
    double step;
    Vector density;
    Vector mass;
    [[nodiscard]] double quantile(double u) const;
  };
  [[nodiscard]] static DistanceLaw distance_law(const HeatFactor& factor, double t);

  const Geodesics& geodesics_;
  std::vector<double> times_;
  std::vector<HeatFactor> factors_;
  std::vector<std::vector<DistanceLaw>> laws_;  // by factor and time; none for circles
};

}  // namespace onmanifold
