// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the coordinates of a point lie in an image. A task of images hands it to the methods; coordinates
// that a task leaves out (constant border pixels) are simply not listed.

#include <vector>

#include "core/points.hpp"

namespace onmanifold {

/// One channel of height×width pixels.
struct ImageLayout {
  Index height = 0;
  Index width = 0;
  /// D distinct pixel numbers, row · width + column, one for each coordinate of a point.
  std::vector<Index> pixels;
  friend bool operator==(const ImageLayout&, const ImageLayout&) = default;
};

}  // namespace onmanifold
