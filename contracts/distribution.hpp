// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a target law p0 on a manifold can offer: draws, a density, the score of its noised versions. The interfaces
// live in core so that datasets, models and metrics can meet without knowing each other.

#include <optional>

#include "core/points.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {

/// Draws of a law on R^D.
class Sampler {
 public:
  virtual ~Sampler() = default;
  /// D of the draws.
  [[nodiscard]] virtual Index dimension() const = 0;
  /// \p n independent draws, D×n. Depends on \p n and \p stream only.
  [[nodiscard]] virtual Points sample(Index n, Stream stream) const = 0;
};

/// The density of p0 with respect to the Riemannian volume of its manifold.
class Density {
 public:
  virtual ~Density() = default;
  /// log p0 at points ON the manifold, in nats; -infinity outside the support. \p points D×N, result N.
  [[nodiscard]] virtual Vector log_density(const PointsRef& points) const = 0;
  /// Differential entropy H(p0) = -E log p0 in nats, where a closed form or a quadrature gives it.
  [[nodiscard]] virtual std::optional<double> entropy() const { return std::nullopt; }
};

/// The exact law of x_t = a·x0 + sigma·z, z ~ N(0, I_D), x0 drawn from the (possibly lifted) target. Public
/// functions check their arguments once; one private function computes.
class DiffusedScore {
 public:
  virtual ~DiffusedScore() = default;
  [[nodiscard]] virtual Index dimension() const = 0;
  /// grad log p_t at the columns of \p x, D×N. Columns that are not finite give what arithmetic gives.
  /// \throw InvalidInput unless \p x has D rows, a >= 0 and sigma > 0, both finite.
  [[nodiscard]] Points score(const PointsRef& x, double a, double sigma) const;
  /// log p_t at the columns of \p x, N numbers. Errors as for score.
  [[nodiscard]] Vector log_density(const PointsRef& x, double a, double sigma) const;

 private:
  /// Fills whichever is not null: \p score D×N, \p log_density N, both of that size already.
  virtual void do_evaluate(const PointsRef& x, double a, double sigma, Points* score, Vector* log_density) const = 0;
};

}  // namespace onmanifold
