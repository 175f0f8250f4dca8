// SPDX-License-Identifier: Apache-2.0
#pragma once
// nll: minus the mean of the log-densities that a model gave to the reference points, in nats, with respect
// to the volume of M for intrinsic models, of R^D for the others (parameter "measure"). Entries of minus infinity make
// it plus infinity; NaN entries make it fail. The numbers are those of the model before any projection, so projected
// samples have none. Null, for intrinsic models on a task with an exact density: what that density gives to the same
// points; the difference is the gap to the floor.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

[[nodiscard]] std::unique_ptr<Metric> make_nll(Settings& settings);

}  // namespace onmanifold
