// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a point of the uniform law on a manifold was before noise came: E[x0 | a·x0 + sigma·z = x]. It is the part of
// a diffused score that the manifold alone determines.

#include "manifolds/manifold.hpp"

namespace onmanifold {

/// The uniform distribution on M (by volume; flat, and so improper, on an affine M) under noise, from
/// Manifold::uniform_posterior().
///
/// Closed forms, kappa = a |x|/sigma^2 throughout. Sphere: c + R A(R kappa) (x - ac)/|x - ac|, A =
/// I_{D/2}/I_{D/2-1}. SO(3): fisher_moments(a X/sigma^2).mean. Torus: circle by circle. Finite sets: atoms weighted by
/// softmax; tanh(a x/sigma^2) on the corners of a cube. Affine: Pi(x/a), and the origin of M for a = 0. Products:
/// factor by factor. Cost O(D) a point, 2 to 4 microseconds on SO(3), O(atoms · D) for a list of atoms.
class UniformPosterior {
 public:
  virtual ~UniformPosterior() = default;
  [[nodiscard]] virtual Index dimension() const = 0;
  /// E[x0 | a x0 + sigma z = x] for z ~ N(0, I_D), column by column, D×N. The score of the law of x is (a E - x) /
  /// sigma^2. Columns that are not finite give NaN. \throw InvalidInput unless \p x has D rows, \p a >= 0 and
  /// \p sigma > 0.
  [[nodiscard]] Points mean(const PointsRef& x, double a, double sigma) const;

 private:
  [[nodiscard]] virtual Points do_mean(const PointsRef& x, double a, double sigma) const = 0;
};

/// I_{D/2}(kappa)/I_{D/2-1}(kappa): the mean length of the von Mises–Fisher law on S^{D-1}. Relative error below
/// 1e-13. \pre D >= 2, kappa >= 0
[[nodiscard]] double mean_resultant_length(Index ambient_dimension, double kappa);

}  // namespace onmanifold
