// SPDX-License-Identifier: Apache-2.0
#pragma once
// Principal components as features: the data's own main directions, without a network.

#include "contracts/feature_map.hpp"
#include "core/points.hpp"

namespace onmanifold {

/// Projection on the \p count leading principal axes of \p training (D×n), named pca<count>@sha256:… over
/// mean and axes. An axis has its largest entry positive; where variances are equal the axes are arbitrary,
/// which no distance between Gaussians sees. Pass training points only: axes of reference or samples would
/// hide what these lack. \throw InvalidInput unless count < D and count < n. O(n D^2 + D^3).
[[nodiscard]] FeatureMap make_principal_axes(const Points& training, Index count);

}  // namespace onmanifold
