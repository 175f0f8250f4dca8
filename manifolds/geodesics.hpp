// SPDX-License-Identifier: Apache-2.0
#pragma once
// Exponential and logarithm, volume and mean curvature of the manifolds whose geodesics have a closed form: what
// intrinsic models are made of.

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// The geodesics of a manifold without boundary and of finite volume. Points and tangent vectors are D×N, in ambient
/// coordinates; y, z on M. Manifold::geodesics() makes them: for the sphere, SO(3), the torus and products of them.
/// O(D) a point; about 0.2 microseconds on SO(3).
///
/// Identities: exp(y, log(y, z)) = z; log(y, exp(y, v)) = v for |v| below the injectivity radius; both vectors are
/// tangent at y; |log(y, z)| is the distance of y and z.
class Geodesics {
 public:
  virtual ~Geodesics() = default;
  [[nodiscard]] const Manifold& manifold() const { return manifold_; }

  /// The point at the end of the geodesic that starts at y with velocity v and runs for time 1.
  [[nodiscard]] Points exp(const PointsRef& y, const PointsRef& v) const;
  /// The shortest tangent vector v with exp(y, v) = z; where there are several (the cut locus), one of them, chosen by
  /// rounding. \throw InvalidInput on shapes that do not agree, as exp.
  [[nodiscard]] Points log(const PointsRef& y, const PointsRef& z) const;
  /// log of the volume of M, in the metric of R^D.
  [[nodiscard]] virtual double log_volume() const = 0;
  /// H(y) = sum_i II(e_i, e_i) over an orthonormal tangent basis, normal at y: for any field n of R^D near M,
  /// div_M(P_T n) = tr(P_T Dn) + n·H.
  [[nodiscard]] Points mean_curvature(const PointsRef& y) const;
  /// Independent uniform points by projecting normal vectors \p z (D×N), on which the symmetry of M acts.
  [[nodiscard]] Points uniform_from_normals(const PointsRef& z) const;

 protected:
  explicit Geodesics(const Manifold& manifold) : manifold_(manifold) {}

 private:
  [[nodiscard]] virtual Points do_exp(const PointsRef& y, const PointsRef& v) const = 0;
  [[nodiscard]] virtual Points do_log(const PointsRef& y, const PointsRef& z) const = 0;
  [[nodiscard]] virtual Points do_mean_curvature(const PointsRef& y) const = 0;
  /// Where normal vectors are invariant: the origin of R^D unless told otherwise.
  [[nodiscard]] virtual Points do_uniform_from_normals(const PointsRef& z) const;

  const Manifold& manifold_;
};

}  // namespace onmanifold
