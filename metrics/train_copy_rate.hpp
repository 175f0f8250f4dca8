// SPDX-License-Identifier: Apache-2.0
#pragma once
// train_copy_rate: the share of samples that lie nearer to a training point than the closest p of fresh true
// draws do. A perfect model has p; a memorizer has 1; blurred models have less, which is no merit.
//
// Setting: p (0.01). Distances are ambient Euclidean, after projection, to the UNLIFTED training points. q_p
// is the order statistic ceil(p N_oracle) of the distances of N_oracle = n_samples draws of the sampler;
// strict <.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

[[nodiscard]] std::unique_ptr<Metric> make_train_copy_rate(Settings& settings);

}  // namespace onmanifold
