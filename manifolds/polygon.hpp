// SPDX-License-Identifier: Apache-2.0
#pragma once
// Polygons in space, cut into triangles.

#include <vector>

#include "core/points.hpp"

namespace onmanifold {

/// Appends triangles that cover the polygon \p corners (columns of \p vertices, 3×V), in its sense of rotation: the fan
/// from its first corner if that covers it once, else by ear clipping in the plane of best fit (Newell's normal).
/// \return false if it has no area or its outline in that plane touches or crosses itself; then nothing is appended. A
/// triangle is taken as it is. Cost: linear for convex polygons, else cubic at worst.
[[nodiscard]] bool triangulate_polygon(const Points& vertices, const std::vector<int>& corners,
                                       std::vector<int>& triangles);

}  // namespace onmanifold
