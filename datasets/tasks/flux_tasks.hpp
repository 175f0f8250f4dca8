// SPDX-License-Identifier: Apache-2.0
#pragma once
// Images of fixed total flux: rescaled to the hyperplane sum x = F.

#include "datasets/readers/idx.hpp"
#include "datasets/task.hpp"

namespace onmanifold {

/// Sums of 2×2 pixels. \throw InvalidInput unless both sides are even.
[[nodiscard]] Points pooled_images(const IdxImages& images);
/// One image a column, its pixels in rows from the top, as numbers 0 … 255.
[[nodiscard]] Points whole_images(const IdxImages& images);

/// Rows of \p images that are above 0 in some column, in order. A pixel that is constant otherwise varies
/// once the images are rescaled.
[[nodiscard]] std::vector<Index> lit_rows(const PointsRef& images);
/// Keeps \p rows and scales every column to sum \p flux. \throw InvalidInput naming \p what and the first
/// column without positive sum.
[[nodiscard]] Points rescaled_to_flux(const PointsRef& images, const std::vector<Index>& rows, double flux,
                                      const std::string& what);

}  // namespace onmanifold
