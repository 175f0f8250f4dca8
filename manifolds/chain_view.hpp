// SPDX-License-Identifier: Apache-2.0
#pragma once
// The view of points as protein backbones, whichever coordinates a manifold keeps.

#include "core/points.hpp"

namespace onmanifold {

struct BackboneGeometry;

/// Chains of L residues × (N, CA, C) behind the points of a manifold.
class ChainView {
 public:
  virtual ~ChainView() = default;
  [[nodiscard]] virtual Index residues() const = 0;
  [[nodiscard]] virtual const BackboneGeometry& geometry() const = 0;
  /// All 9L coordinates of points in the manifold's coordinates, D×N -> 9L×N.
  [[nodiscard]] virtual Points full_coordinates(const PointsRef& points) const = 0;
  /// Torsions of points near M, (3L-3)×N, as backbone_torsions.
  [[nodiscard]] virtual Points torsions(const PointsRef& points) const = 0;
};

}  // namespace onmanifold
