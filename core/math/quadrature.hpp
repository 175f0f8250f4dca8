// SPDX-License-Identifier: Apache-2.0
#pragma once
// Gauss–Legendre rules and differences of the normal distribution function: what the exact masses, entropies
// and diffused scores of the tasks are integrated with.

#include "core/points.hpp"

namespace onmanifold {

/// Nodes and weights of a rule on an interval; sum of the weights = its length.
struct QuadratureRule {
  Vector nodes;
  Vector weights;
};

/// The \p n point Gauss–Legendre rule on [low, high], nodes ascending: exact for polynomials of degree 2n
/// - 1. Newton iteration on the Legendre recurrence, accurate to a few ulp up to n = 1000. \pre n >= 1
[[nodiscard]] QuadratureRule gauss_legendre(Index n, double low = -1, double high = 1);

/// P(low < z < high) for z ~ N(0, 1), without cancellation in either tail. \pre low <= high
[[nodiscard]] double normal_mass(double low, double high);

}  // namespace onmanifold
