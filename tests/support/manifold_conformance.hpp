// SPDX-License-Identifier: Apache-2.0
#pragma once
// The numbered identities of manifolds/manifold.hpp as checks that any manifold can be put through.

#include <string>
#include <vector>

#include "core/random/stream.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold::test {

/// An identity that does not hold, with the worst value met and what it may be.
struct Violation {
  int identity;  ///< number in manifold.hpp; 0: shapes, counts and numbers that are not in the list
  std::string what;
  double value;
  double bound;
};

/// How far from M the points of a regime are.
enum class Regime {
  zero,       ///< on M
  tiny,       ///< 1e-8 of the scale
  random,     ///< uniform within the reach (affine: within 3; mesh: normal offsets of 1e-3 of the scale)
  cut_locus,  ///< within 1e-6 of the reach, on either side of M (affine: at 1e6; mesh: 1e-4 beside its edges)
};

[[nodiscard]] std::string to_string(Regime regime);

/// What the identities hold for. The defaults are those of a smooth manifold.
struct ConformanceOptions {
  Index points = 60;
  /// On a polyhedron the normal jumps at edges and the reach is 0: identities 5 and 8 are then checked only
  /// for base points in the inner part of faces (their faces' middle), and not near the cut locus.
  bool polyhedron = false;
  /// Where h is no distance but only comparable to one: |h| is at least 1e-3 of the distance, up to rounding.
  bool residual_is_distance = true;
  /// Base points in the inner part of faces, D×N; used instead of random_points for a polyhedron.
  Points inner_points;
  /// Points a little beside edges; the cut locus of a polyhedron.
  Points edge_points;
};

/// Checks identities 1 to 9 in \p regime and returns what is violated, by number, each at most once.
[[nodiscard]] std::vector<Violation> violations(const Manifold& manifold, Regime regime, Stream stream,
                                                const ConformanceOptions& options = {});

/// "identity 3 (residual of projected points): 0.1, at most 1e-12; …"; empty if there are none.
[[nodiscard]] std::string describe(const std::vector<Violation>& found);

}  // namespace onmanifold::test
