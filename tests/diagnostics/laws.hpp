// SPDX-License-Identifier: Apache-2.0
#pragma once
// Laws whose noised scores are one line, and fields that are wrong on purpose.

#include <cmath>
#include <functional>
#include <numbers>

#include "contracts/distribution.hpp"
#include "contracts/score_field.hpp"
#include "core/random/stream.hpp"
#include "manifolds/affine.hpp"

namespace onmanifold::testing {

/// N(0, diag(variance)).
class NormalLaw final : public DiffusedScore {
 public:
  explicit NormalLaw(Vector variance) : variance_(std::move(variance)) {}
  [[nodiscard]] Index dimension() const override { return variance_.size(); }
  [[nodiscard]] Points sample(Index n, Stream stream) const {
    return variance_.cwiseSqrt().asDiagonal() * stream.normal(dimension(), n);
  }

 private:
  void do_evaluate(const PointsRef& x, double a, double sigma, Points* score, Vector* log_density) const override {
    const Vector total = (a * a * variance_.array() + sigma * sigma).matrix();
    if (score != nullptr) *score = -(x.array().colwise() / total.array()).matrix();
    if (log_density != nullptr) {
      double constant = 0;
      for (const double v : total) constant -= 0.5 * std::log(2 * std::numbers::pi * v);
      *log_density =
          ((x.array().square().colwise() / total.array()).colwise().sum().transpose() * -0.5 + constant).matrix();
    }
  }
  Vector variance_;
};

/// Variance w^2 along the first d axes of R^D, lift^2 along the others.
inline Vector flat_variance(Index d, Index ambient, double w, double lift) {
  Vector variance = Vector::Constant(ambient, lift * lift);
  variance.head(d).setConstant(w * w);
  return variance;
}

/// The first d axes of R^D.
inline Affine flat_manifold(Index d, Index ambient) {
  Points rows = Points::Zero(ambient - d, ambient);
  rows.rightCols(ambient - d).setIdentity();
  return {rows, Vector::Zero(ambient - d)};
}

/// The uniform law on the unit sphere S^2: p(x) ~ sinh(kappa)/kappa exp(-(|x|^2 + a^2)/2 sigma^2), kappa =
/// a|x|/sigma^2.
class UniformSphereLaw final : public DiffusedScore {
 public:
  [[nodiscard]] Index dimension() const override { return 3; }

 private:
  void do_evaluate(const PointsRef& x, double a, double sigma, Points* score, Vector* log_density) const override {
    const double v = sigma * sigma;
    for (Index j = 0; j < x.cols(); ++j) {
      const double r = x.col(j).norm();
      const double kappa = a * r / v;
      if (score != nullptr) score->col(j) = (a * (1 / std::tanh(kappa) - 1 / kappa) / r - 1) / v * x.col(j);
      if (log_density != nullptr) {
        (*log_density)[j] = -1.5 * std::log(2 * std::numbers::pi * v) - (r - a) * (r - a) / (2 * v) +
                            std::log(-std::expm1(-2 * kappa) / (2 * kappa));
      }
    }
  }
};

/// Another field with its scores changed: what a diagnostic has to notice.
class ChangedField final : public ScoreField {
 public:
  using Change = std::function<Points(const PointsRef& y, Index k, const Points& score)>;
  ChangedField(const ScoreField& field, Change change) : field_(field), change_(std::move(change)) {}
  [[nodiscard]] Index dimension() const override { return field_.dimension(); }
  [[nodiscard]] const Vector& levels() const override { return field_.levels(); }

 private:
  void do_evaluate(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                   Points& result) const override {
    if (count == 0) {
      score = change_(y, k, field_.score(y, k));
    } else {
      field_.products(y, k, vectors, count, score, result);
      score = change_(y, k, score);
    }
  }
  const ScoreField& field_;
  Change change_;
};

}  // namespace onmanifold::testing
