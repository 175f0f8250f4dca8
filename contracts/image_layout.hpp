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

/// Whole images, height · width rows: pixels that the layout leaves out are 0. \pre points.rows() ==
/// image.pixels.size()
[[nodiscard]] inline Points full_images(const ImageLayout& image, const PointsRef& points) {
  Points result = Points::Zero(image.height * image.width, points.cols());
  for (Index j = 0; j < points.cols(); ++j) {
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      result(image.pixels[i], j) = points(static_cast<Index>(i), j);
    }
  }
  return result;
}

}  // namespace onmanifold
