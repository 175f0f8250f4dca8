// SPDX-License-Identifier: Apache-2.0
#pragma once
// How negative samples are where data are not, as images are. An affine constraint of constant flux says
// nothing about signs, so neither projection nor constraint metrics see this. The null value is that of the
// reference itself.
//
// negative_pixel_rate: setting tau (default: the manifold's constraint_tolerance, else 0). Coordinates that
// are 0 in the data are 0 up to rounding after a projection, and half of them below.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

/// Mean over columns of the share of coordinates with x_i < -tau.
[[nodiscard]] std::unique_ptr<Metric> make_negative_pixel_rate(Settings& settings);
/// Mean over columns of sum max(-x_i, 0) / sum |x_i|, in [0, 1]; 0 for a column of zeros.
[[nodiscard]] std::unique_ptr<Metric> make_negative_pixel_mass(Settings& settings);

}  // namespace onmanifold
