// SPDX-License-Identifier: Apache-2.0
#pragma once
// Training data that never come twice.

#include <memory>

#include "contracts/distribution.hpp"
#include "datasets/lift.hpp"

namespace onmanifold {

/// Like make_training_source, but with new draws of \p sampler in every pass: \p clean in the first, as many from
/// stream/"fresh"/e in pass e. Learning without the sampling error of N points. \p sampler outlives the source.
[[nodiscard]] std::unique_ptr<TrainingSource> make_fresh_source(Points clean, const Sampler& sampler,
                                                                const Manifold& manifold, const Lift& lift,
                                                                Stream stream);

}  // namespace onmanifold
