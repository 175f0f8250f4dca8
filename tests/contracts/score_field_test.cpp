// SPDX-License-Identifier: Apache-2.0
// The score of a noised law and its derivative, against the normal law in closed form.
#include "contracts/score_field.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {
namespace {

/// N(0, diag(variance)).
class NormalLaw final : public DiffusedScore {
 public:
  explicit NormalLaw(Vector variance) : variance_(std::move(variance)) {}
  [[nodiscard]] Index dimension() const override { return variance_.size(); }

 private:
  void do_evaluate(const PointsRef& x, double a, double sigma, Points* score, Vector* log_density) const override {
    const Vector total = (a * a * variance_.array() + sigma * sigma).matrix();
    if (score) *score = -(x.array().colwise() / total.array()).matrix();
    if (log_density) *log_density = Vector::Zero(x.cols());
  }
  Vector variance_;
};

TEST(ScoreField, OfANormalLawIsLinear) {
  const Vector variance{{1, 0.04, 0}};
  const NormalLaw law(variance);
  const auto field = make_exact_score_field(law, geometric_levels(1, 0.01, 3));
  EXPECT_EQ(field->dimension(), 3);
  EXPECT_NEAR(field->levels()[1], 0.1, 1e-15);
  Points y(3, 4);
  Points vectors(3, 8);
  Stream(1, "y").fill_normal(y);
  Stream(1, "vectors").fill_normal(vectors);
  for (Index k = 0; k < 3; ++k) {
    const double s = field->levels()[k];
    const Vector slope = (-1 / (variance.array() + s * s)).matrix();
    Points score;
    Points products;
    field->products(y, k, vectors, 2, score, products);
    EXPECT_EQ(score, field->score(y, k));
    const double size = slope.cwiseAbs().maxCoeff();
    EXPECT_LT((score - slope.asDiagonal() * y).cwiseAbs().maxCoeff(), 1e-14 * size);
    // Round-off of the score over the step, 1e-4 s.
    EXPECT_LT((products - slope.asDiagonal() * vectors).cwiseAbs().maxCoeff(), 1e-9 * size);
    EXPECT_GT((products - slope.asDiagonal() * (vectors * 1.001)).cwiseAbs().maxCoeff(), 1e-4 * size);
  }
}

TEST(ScoreField, RefusesWhatIsNoLevelOrOfWrongSize) {
  const NormalLaw law(Vector::Ones(2));
  const auto field = make_exact_score_field(law, geometric_levels(1, 0.1, 2));
  Points out;
  EXPECT_THROW((void)field->score(Points::Zero(2, 1), 2), InvalidInput);
  EXPECT_THROW((void)field->score(Points::Zero(2, 1), -1), InvalidInput);
  EXPECT_THROW((void)field->score(Points::Zero(3, 1), 0), InvalidInput);
  Points score;
  EXPECT_THROW(field->products(Points::Zero(2, 2), 0, Points::Zero(2, 3), 2, score, out), InvalidInput);
  EXPECT_THROW(field->products(Points::Zero(2, 2), 0, Points::Zero(2, 0), 0, score, out), InvalidInput);
  EXPECT_THROW((void)make_exact_score_field(law, Vector{{0.1, 0.2}}), InvalidInput);
  EXPECT_THROW((void)make_exact_score_field(law, Vector{{0.1, 0.0}}), InvalidInput);
  EXPECT_THROW((void)geometric_levels(0.1, 1, 3), InvalidInput);
  EXPECT_THROW((void)geometric_levels(1, 0.1, 1), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
