// SPDX-License-Identifier: Apache-2.0
#pragma once
// What diagnostics of a cell share: the points they start from, the field they ask, the form of their numbers.

#include <memory>
#include <vector>

#include "core/settings.hpp"
#include "diagnostics/diagnostic.hpp"

namespace onmanifold {

/// A series of one.
[[nodiscard]] Vector scalar(double value);

/// The first \p n clean training points, or all there are.
[[nodiscard]] Points clean_points(const DiagnosticInput& input, Index n);

/// x_0 + s z, x_0 as the method saw it before the lift: the distribution at level \p s. Draws from
/// input.stream/"start".
[[nodiscard]] Points noised_points(const DiagnosticInput& input, Index n, double s);

/// s_min in data units; a hundredth of the scale where the task has none.
[[nodiscard]] double smallest_level(const DiagnosticInput& input);

/// The learned field. \throw Unsupported without one.
[[nodiscard]] const ScoreField& learned_score(const DiagnosticInput& input);

/// Which field is asked: the setting `field` = `learned` (of the model) or `exact` (the distribution that the model was
/// trained on, at `levels` (40) levels in geometric progression from 10 times the data's scale down to
/// smallest_level()).
class FieldChoice {
 public:
  explicit FieldChoice(Settings& settings);

  [[nodiscard]] bool exact() const { return exact_; }
  /// The learned field, or the exact one, which \p own then keeps. \throw Unsupported where the cell
  /// has no such field.
  [[nodiscard]] const ScoreField& get(const DiagnosticInput& input, std::unique_ptr<ScoreField>& own) const;

 private:
  bool exact_;
  Index levels_;
};

/// One entry of a result's levels as a series.
template <class Level, class Get>
[[nodiscard]] Vector series(const std::vector<Level>& levels, const Get& get) {
  Vector result(static_cast<Index>(levels.size()));
  for (std::size_t i = 0; i < levels.size(); ++i) result[static_cast<Index>(i)] = static_cast<double>(get(levels[i]));
  return result;
}

}  // namespace onmanifold
