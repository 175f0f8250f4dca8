// SPDX-License-Identifier: Apache-2.0
#include "diagnostics/density_error.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "diagnostics/cell_input.hpp"

namespace onmanifold {
namespace {

Index last_of(const ScoreField& field, Index asked) {
  const Index last = asked < 0 ? field.levels().size() - 1 : asked;
  if (last < 1 || last >= field.levels().size()) {
    throw InvalidInput(fmt::format("density error: last level {} of {}", last, field.levels().size()));
  }
  return last;
}

/// The score at \p y and the trace of its Jacobian.
void score_and_divergence(const ScoreField& field, const Points& y, Index k, Points& score, Vector& divergence) {
  const Index dimension = y.rows();
  const Points axes = Points::Identity(dimension, dimension).replicate(1, y.cols());
  Points products;
  field.products(y, k, axes, dimension, score, products);
  divergence.resize(y.cols());
  for (Index c = 0; c < y.cols(); ++c) divergence[c] = products.middleCols(dimension * c, dimension).trace();
}

}  // namespace

Vector first_order_density_error(const VectorRef& times, const DensityFlow& flow, const FieldWithDivergence& error,
                                 Points& y) {
  if (times.size() < 2) throw InvalidInput("density error: fewer than two times");
  Vector psi = Vector::Zero(y.cols());
  Points log_gradient;
  Points u;
  Vector divergence;
  const auto evaluate = [&](const Points& at, Index k, Points& velocity) -> Vector {
    flow(at, k, velocity, log_gradient);
    error(at, k, u, divergence);
    return -(divergence + u.cwiseProduct(log_gradient).colwise().sum().transpose());
  };
  Points first;
  Points second;
  for (Index k = 0; k + 1 < times.size(); ++k) {
    const double h = times[k + 1] - times[k];
    const Vector rate = evaluate(y, k, first);
    const Points predicted = y + h * first;
    const Vector next_rate = evaluate(predicted, k + 1, second);
    y += (0.5 * h) * (first + second);
    psi += (0.5 * h) * (rate + next_rate);
  }
  return psi;
}

Vector score_density_error(const ScoreField& field, const FieldWithDivergence& error, Points& y, Index last_level) {
  check_dimension(y, field.dimension(), "density error: points");
  const Vector levels = field.levels().head(last_of(field, last_level) + 1);
  return first_order_density_error(
      levels,
      [&](const Points& at, Index k, Points& velocity, Points& log_gradient) {
        log_gradient = field.score(at, k);
        velocity = -levels[k] * log_gradient;
      },
      [&](const Points& at, Index k, Points& u, Vector& divergence) {
        error(at, k, u, divergence);
        u *= -levels[k];
        divergence *= -levels[k];
      },
      y);
}

FieldWithDivergence score_difference(const ScoreField& field, const ScoreField& other) {
  if (field.dimension() != other.dimension() || field.levels() != other.levels()) {
    throw InvalidInput("density error: the fields have not the same dimension and levels");
  }
  return [&field, &other](const Points& y, Index k, Points& value, Vector& divergence) {
    Points plain;
    Vector plain_divergence;
    score_and_divergence(field, y, k, plain, plain_divergence);
    score_and_divergence(other, y, k, value, divergence);
    value -= plain;
    divergence -= plain_divergence;
  };
}

Vector flow_log_density(const ScoreField& field, const PointsRef& y,
                        const std::function<Vector(const Points&)>& log_density, Index last_level) {
  check_dimension(y, field.dimension(), "flow density: points");
  const Vector& s = field.levels();
  Points at = y;
  Points first;
  Points second;
  Vector trace;
  Vector next_trace;
  Vector gained = Vector::Zero(y.cols());
  // d log p/ds = -div(dy/ds) = s tr J along the flow, from level 0 down; here from the last level up.
  for (Index k = last_of(field, last_level); k > 0; --k) {
    const double h = s[k - 1] - s[k];
    score_and_divergence(field, at, k, first, trace);
    const Points predicted = at - (h * s[k]) * first;
    score_and_divergence(field, predicted, k - 1, second, next_trace);
    at -= (0.5 * h) * (s[k] * first + s[k - 1] * second);
    gained -= (0.5 * h) * (s[k] * trace + s[k - 1] * next_trace);
  }
  return log_density(at) + gained;
}

namespace {

/// The exact field plus a part of what another one says beyond it.
class PartOfTheWay final : public ScoreField {
 public:
  PartOfTheWay(const ScoreField& from, const ScoreField& to, double part) : from_(from), to_(to), part_(part) {}
  [[nodiscard]] Index dimension() const override { return from_.dimension(); }
  [[nodiscard]] const Vector& levels() const override { return from_.levels(); }

 private:
  void do_evaluate(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                   Points& result) const override {
    if (count == 0) {
      score = (1 - part_) * from_.score(y, k) + part_ * to_.score(y, k);
      return;
    }
    Points other;
    Points other_result;
    from_.products(y, k, vectors, count, score, result);
    to_.products(y, k, vectors, count, other, other_result);
    score += part_ * (other - score);
    result += part_ * (other_result - result);
  }
  const ScoreField& from_;
  const ScoreField& to_;
  double part_;
};

class DensityError final : public Diagnostic {
 public:
  explicit DensityError(Settings& settings)
      : points_(settings.integer("points", 200, 10, 1'000'000, "points that are looked at")),
        level_(settings.number("level", 1, 1e-6, 1e6, "noise level, in multiples of the smallest noise of the task")),
        part_(settings.number("part", 0.01, 1e-6, 1, "how far the third field lies on the way from exact to learned")) {
  }

  [[nodiscard]] Curves run(const DiagnosticInput& input) const override {
    const ScoreField& learned = learned_score(input);
    if (input.exact == nullptr) throw Unsupported("the score of this law under noise is not known");
    if (learned.dimension() > most) throw Unsupported("more than 32 coordinates");
    const auto exact = make_exact_score_field(*input.exact, learned.levels());
    const Vector& levels = learned.levels();
    Index last = 0;
    (levels.array() / (level_ * smallest_level(input))).log().abs().minCoeff(&last);
    last = std::max<Index>(last, 1);
    Points y = noised_points(input, points_, levels[0]);
    const Vector psi = score_density_error(*exact, score_difference(*exact, learned), y, last);
    const auto first_law = [&](const Points& at) { return input.exact->log_density(at, 1, levels[0]); };
    const Vector plain = flow_log_density(*exact, y, first_law, last);
    const Vector whole = flow_log_density(learned, y, first_law, last) - plain;
    const PartOfTheWay near(*exact, learned, part_);
    const Vector small = (flow_log_density(near, y, first_law, last) - plain) / part_;
    return {{"correlation", scalar(correlation(psi, whole))},
            {"correlation_of_part", scalar(correlation(psi, small))},
            {"mean_in_se", scalar(mean(psi) / standard_error(psi))},
            {"mean", scalar(mean(psi))},
            {"spread", scalar(standard_deviation(psi))},
            {"measured_spread", scalar(standard_deviation(whole))},
            {"level", scalar(levels[last])}};
  }

 private:
  static constexpr Index most = 32;  // every step takes the trace of a Jacobian

  /// NaN where one of them does not vary or is not finite.
  static double correlation(const Vector& a, const Vector& b) {
    const Vector x = (a.array() - mean(a)).matrix();
    const Vector y = (b.array() - mean(b)).matrix();
    return x.dot(y) / (x.norm() * y.norm());
  }

  Index points_;
  double level_;
  double part_;
};

}  // namespace

std::unique_ptr<Diagnostic> make_density_error(Settings& settings) {
  return std::make_unique<DensityError>(settings);
}

}  // namespace onmanifold
