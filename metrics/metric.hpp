// SPDX-License-Identifier: Apache-2.0
#pragma once
// The interface of a metric and what it is given. A metric sees samples and a reference, never a model or a
// dataset.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/distribution.hpp"
#include "core/metric_record.hpp"
#include "core/partition.hpp"
#include "core/points.hpp"
#include "core/settings.hpp"
#include "core/stream.hpp"
#include "manifolds/manifold.hpp"

namespace onmanifold {

/// What is compared. Pointers are not owned; null where there is none.
struct MetricInput {
  const Points* samples = nullptr;  ///< D×n, never null; columns that are not finite are counted and left out
  const Points* reference = nullptr;  ///< D×N fresh draws of p0
  const Points* training = nullptr;   ///< D×T UNLIFTED training points
  const Manifold* manifold = nullptr;
  const Projection* projection = nullptr;  ///< of the raw samples behind \p samples
  const Partition* partition = nullptr;
  const Vector* masses = nullptr;    ///< exact masses of the cells of \p partition
  const Sampler* sampler = nullptr;  ///< more draws of p0, for null values that need a simulation
  bool projected = false;            ///< whether \p samples are the projected ones
  Stream evaluation;                 ///< address: task; the same for every method
};

/// A metric with its settings fixed at construction.
///
/// Identities, checked by the conformance suite on every registered metric:
///  1. evaluate is deterministic and does not depend on the order in which metrics are evaluated.
///  2. a record has name, direction, version, sizes and parameters; unknown numbers are NaN.
///  3. what cannot be computed for this input has status "not_applicable: why", and value NaN.
///  4. non-finite columns are counted in n_nonfinite and left out.
///  5. samples of the wrong dimension throw InvalidInput.
class Metric {
 public:
  virtual ~Metric() = default;
  /// One or several records (a family computed in one pass). \throw InvalidInput on unusable input.
  [[nodiscard]] std::vector<MetricRecord> evaluate(const MetricInput& input) const;

 private:
  [[nodiscard]] virtual std::vector<MetricRecord> do_evaluate(const MetricInput& input) const = 0;
};

}  // namespace onmanifold
