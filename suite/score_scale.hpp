// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether a value is good: what the ends of the scale show at the sizes of somebody's samples.

#include "suite/score.hpp"

namespace onmanifold {

/// Scores of the same metrics, sizes and training points as a score.
struct ScoreScale {
  Score floor;    ///< of the control that fits mean and covariance of the training points
  Score ceiling;  ///< of fresh draws of the distribution; of a data set, of its validation split
};

/// The scale for \p n_samples samples; \p asked.train is what the floor is fitted to. \pre asked.train is not null
[[nodiscard]] ScoreScale score_scale(const TaskContext& shared, Index n_samples, const PointsToScore& asked);

/// The scale of \p score, which score_samples() gave for \p request. The floor is fitted to request.train, or to as
/// many training points of the task as there are samples. \throw InvalidInput without a task, as score_samples()
/// otherwise.
[[nodiscard]] ScoreScale score_scale(const ScoreRequest& request, const Score& score);

/// Where \p value lies: 0 where it is as good as \p floor, 1 as a perfect model (its null value, or \p ceiling where
/// none is known); below and above are possible. NaN where the ends are not apart by two spreads of the null value.
[[nodiscard]] double place_on_scale(const MetricRecord& value, const MetricRecord& floor, const MetricRecord& ceiling);

/// The record of the same metric, settings and kind of samples, or null.
[[nodiscard]] const MetricRecord* find_same(const Score& score, const ScoredMetric& metric);

/// place_on_scale() of a metric of a score; NaN where the scale lacks it.
[[nodiscard]] double place_on_scale(const ScoredMetric& metric, const ScoreScale& scale);

/// score's JSON with "floor", "ceiling" and "place" in each metric; null where there is none.
[[nodiscard]] Value to_value(const Score& score, const ScoreScale& scale);

}  // namespace onmanifold
