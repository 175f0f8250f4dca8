// SPDX-License-Identifier: Apache-2.0
#pragma once
// nll: minus the mean of the log-densities that a model gave to the reference points, in nats, with respect
// to the Riemannian volume. Entries of minus infinity make it plus infinity; NaN entries make it fail. The
// numbers are those of the model before any projection, so projected samples have none. Null: the entropy of
// the data, which a metric does not know.

#include <memory>

#include "core/settings.hpp"
#include "metrics/metric.hpp"

namespace onmanifold {

[[nodiscard]] std::unique_ptr<Metric> make_nll(Settings& settings);

}  // namespace onmanifold
