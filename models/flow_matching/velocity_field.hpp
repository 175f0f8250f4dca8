// SPDX-License-Identifier: Apache-2.0
#pragma once
// Transport along a learned velocity: samples by integrating from u = 0 to 1, log-densities by integrating back with
// the divergence. One fixed-step Runge–Kutta rule for flat space and for manifolds.

#include <cmath>
#include <functional>

#include "core/points.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {

/// The times that a field is asked for: u_i, i = 1 … T = 2 steps + 1, the nodes and midpoints of the rule. i = T is
/// the base law, u = 0, i = 1 the data, u = 1. Nodes: u = 1 - (j/steps)^power, j = 0 … steps; a power above 1 puts
/// more of them, and so more of the training, where the data are near.
class VelocityGrid {
 public:
  explicit VelocityGrid(Index steps, double power = 1) : steps_(steps), power_(power) {}
  [[nodiscard]] Index steps() const { return steps_; }
  [[nodiscard]] Index times() const { return 2 * steps_ + 1; }
  [[nodiscard]] double position(Index i) const {
    return i % 2 == 1 ? node((i - 1) / 2) : 0.5 * (node(i / 2 - 1) + node(i / 2));
  }

 private:
  [[nodiscard]] double node(Index j) const {
    return 1 - std::pow(static_cast<double>(j) / static_cast<double>(steps_), power_);
  }
  Index steps_;
  double power_;
};

/// A velocity at the columns of a block.
class VelocityField {
 public:
  virtual ~VelocityField() = default;
  /// v(x, u_i), D×n; \p divergence, where not null, gets div v, n numbers.
  virtual void evaluate(const Points& x, Index i, Points& velocity, Vector* divergence) const = 0;
  /// Brings states back to where the field lives; nothing in flat space.
  virtual void restore(Points& /*x*/) const {}
};

/// Columns that go through the integration together.
inline constexpr Index velocity_block = 512;

/// The states at u = 1 of \p x (D×n) at u = 0, by `steps` steps of the classical rule of fourth order.
[[nodiscard]] Points transport(const VelocityField& field, const VelocityGrid& grid, const Points& x);

/// log p_1 at the columns of \p x (D×n, u = 1) when \p base_log_density is that of p_0 (D×n -> n):
///   log p_1(x) = log p_0(x(0)) - integral of div v over u along the path that ends in x.
[[nodiscard]] Vector transported_log_density(const VelocityField& field, const VelocityGrid& grid, const Points& x,
                                             const std::function<Vector(const Points&)>& base_log_density);

}  // namespace onmanifold
