// SPDX-License-Identifier: Apache-2.0
#include "contracts/score_field.hpp"

#include <cmath>

#include <fmt/format.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

void check_arguments(const ScoreField& field, const PointsRef& y, Index k) {
  check_dimension(y, field.dimension(), "score field: points");
  if (k < 0 || k >= field.levels().size()) {
    throw InvalidInput(fmt::format("score field: level {} is none of {}", k, field.levels().size()));
  }
}

class FunctionScoreField final : public ScoreField {
 public:
  FunctionScoreField(ScoreFunction function, Index dimension, Vector levels)
      : function_(std::move(function)), dimension_(dimension), levels_(std::move(levels)) {}

  [[nodiscard]] Index dimension() const override { return dimension_; }
  [[nodiscard]] const Vector& levels() const override { return levels_; }

 private:
  void do_evaluate(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                   Points& result) const override {
    const double s = levels_[k];
    score = checked(function_.score(y, s), y.cols());
    if (count == 0) return;
    Points near(y.rows(), y.cols() * count);
    const auto shift = [&](double step) {
      for (Index c = 0; c < y.cols(); ++c) {
        for (Index j = 0; j < count; ++j) {
          near.col(c * count + j) = y.col(c) + step * vectors.col(c * count + j);
        }
      }
    };
    if (function_.products) {
      shift(0);
      result = checked(function_.products(near, vectors, s), near.cols());
      return;
    }
    const double h = 1e-4 * s;
    shift(h);
    result = checked(function_.score(near, s), near.cols());
    shift(-h);
    result -= checked(function_.score(near, s), near.cols());
    result /= 2 * h;
  }

  [[nodiscard]] Points checked(Points answer, Index count) const {
    if (answer.rows() != dimension_ || answer.cols() != count) {
      throw InvalidInput(fmt::format("score field: the function gave {} rows of {} numbers for {} points of {}",
                                     answer.cols(), answer.rows(), count, dimension_));
    }
    return answer;
  }

  ScoreFunction function_;
  Index dimension_;
  Vector levels_;
};

}  // namespace

Points ScoreField::score(const PointsRef& y, Index k) const {
  check_arguments(*this, y, k);
  Points score(y.rows(), y.cols());
  Points none;
  do_evaluate(y, k, none, 0, score, none);
  return score;
}

void ScoreField::products(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                          Points& result) const {
  check_arguments(*this, y, k);
  if (count < 1 || vectors.rows() != y.rows() || vectors.cols() != count * y.cols()) {
    throw InvalidInput(fmt::format("score field: {}x{} directions for {} points with {} each", vectors.rows(),
                                   vectors.cols(), y.cols(), count));
  }
  score.resize(y.rows(), y.cols());
  result.resize(vectors.rows(), vectors.cols());
  do_evaluate(y, k, vectors, count, score, result);
}

std::unique_ptr<ScoreField> make_score_field(ScoreFunction function, Index dimension, Vector levels) {
  for (Index k = 0; k < levels.size(); ++k) {
    if (!(levels[k] > 0) || !std::isfinite(levels[k]) || (k > 0 && !(levels[k] < levels[k - 1]))) {
      throw InvalidInput(fmt::format("score field: level {} is {}: levels fall and are above 0", k, levels[k]));
    }
  }
  return std::make_unique<FunctionScoreField>(std::move(function), dimension, std::move(levels));
}

std::unique_ptr<ScoreField> make_exact_score_field(const DiffusedScore& law, Vector levels) {
  return make_score_field({[&law](const PointsRef& y, double s) { return law.score(y, 1, s); }}, law.dimension(),
                          std::move(levels));
}

Vector geometric_levels(double largest, double smallest, Index count) {
  if (!(smallest > 0) || !(largest > smallest) || !std::isfinite(largest) || count < 2) {
    throw InvalidInput(fmt::format("levels: {} of them from {} to {}", count, largest, smallest));
  }
  Vector result(count);
  for (Index k = 0; k < count; ++k) {
    result[k] = largest * std::pow(smallest / largest, static_cast<double>(k) / static_cast<double>(count - 1));
  }
  return result;
}

}  // namespace onmanifold
