// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/cell_input.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace onmanifold {

Vector scalar(double value) {
  return Vector::Constant(1, value);
}

Points clean_points(const DiagnosticInput& input, Index n) {
  const Points& clean = input.training->clean_points();
  return clean.leftCols(std::min(n, clean.cols()));
}

Points noised_points(const DiagnosticInput& input, Index n, double s) {
  Points start = clean_points(input, n);
  Points noise(start.rows(), start.cols());
  Stream draws = input.stream.at("start");
  draws.fill_normal(noise);
  start += s * noise;
  return start;
}

double smallest_level(const DiagnosticInput& input) {
  return input.scale * (input.smallest_noise > 0 ? input.smallest_noise : 0.01);
}

const ScoreField& learned_score(const DiagnosticInput& input) {
  if (input.learned == nullptr) throw Unsupported("the method has no score");
  return *input.learned;
}

FieldChoice::FieldChoice(Settings& settings)
    : exact_(settings.choice("field", "learned", {"learned", "exact"},
                             "score of the model, or the exact one of the distribution that it was trained on") ==
             "exact"),
      levels_(settings.integer("levels", 40, 2, 10000, "noise levels")) {}

const ScoreField& FieldChoice::get(const DiagnosticInput& input, std::unique_ptr<ScoreField>& own) const {
  if (!exact_) return learned_score(input);
  if (input.exact == nullptr) throw Unsupported("the score of this law under noise is not known");
  own = make_exact_score_field(*input.exact, geometric_levels(10 * input.scale, smallest_level(input), levels_));
  return *own;
}

}  // namespace onmanifold
