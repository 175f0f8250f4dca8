// SPDX-License-Identifier: Apache-2.0
// The first-order change of densities where it has a closed form, and densities of flows.
#include "diagnostics/density_error.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "tests/diagnostics/laws.hpp"

namespace onmanifold {
namespace {

using testing::NormalLaw;

const Stream stream(1, "density error");
const Index n = 200;

/// u = c.
FieldWithDivergence constant(const Vector& c) {
  return [c](const Points& y, Index, Points& value, Vector& divergence) {
    value = c.replicate(1, y.cols());
    divergence = Vector::Zero(y.cols());
  };
}

/// u = B x; \p trace is the divergence that it claims.
FieldWithDivergence linear(const Points& b, double trace) {
  return [b, trace](const Points& y, Index, Points& value, Vector& divergence) {
    value = b * y;
    divergence = Vector::Constant(y.cols(), trace);
  };
}

Points matrix() {
  return Stream(7, "B").normal(3, 3);
}

// v = 0 and rho = N(0, I): nothing moves, and both integrands are constant, so every step is exact.
TEST(DensityError, OfAFlowThatStandsStill) {
  const DensityFlow still = [](const Points& y, Index, Points& velocity, Points& log_gradient) {
    velocity = Points::Zero(y.rows(), y.cols());
    log_gradient = -y;
  };
  const Vector times = Vector::LinSpaced(4, 1, 3);  // T = 2
  const Points x = stream.at("x").normal(3, n);
  Points y = x;
  const Vector c = stream.at("c").normal(3, 1);
  const Vector along = 2 * (c.transpose() * x).transpose();
  EXPECT_LT((first_order_density_error(times, still, constant(c), y) - along).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_EQ(y, x);
  const Points b = matrix();
  const Vector quadratic = 2 * ((x.cwiseProduct(b * x)).colwise().sum().transpose().array() - b.trace()).matrix();
  EXPECT_LT((first_order_density_error(times, still, linear(b, b.trace()), y) - quadratic).cwiseAbs().maxCoeff(),
            1e-12);
  EXPECT_GT((first_order_density_error(times, still, linear(b, 0), y) - quadratic).cwiseAbs().maxCoeff(), 1e-1);
  EXPECT_THROW((void)first_order_density_error(times.head(1), still, constant(c), y), InvalidInput);
}

// Along the flow of N(0, w^2): a constant error w of the score gives c·y (sqrt(w^2+s_max^2) - r)/r, r =
// sqrt(w^2+s_min^2); a linear one (s_max^2 - s_min^2)/2 (y'By/r^2 - tr B).
TEST(DensityError, AlongTheFlowOfANormalLaw) {
  const double w = 0.5;
  const double s_max = 2;
  const double s_min = 0.01;
  const NormalLaw law(Vector::Constant(3, w * w));
  const auto field = make_exact_score_field(law, geometric_levels(s_max, s_min, 400));
  const Points start = std::hypot(w, s_max) * stream.at("start").normal(3, n);
  const double r = std::hypot(w, s_min);
  const Vector c = stream.at("c").normal(3, 1);
  Points y = start;
  const Vector psi = score_density_error(*field, constant(c), y);
  EXPECT_LT((y - start * r / std::hypot(w, s_max)).cwiseAbs().maxCoeff(), 1e-3);
  const Vector closed = (c.transpose() * y).transpose() * ((std::hypot(w, s_max) - r) / r);
  EXPECT_LT((psi - closed).cwiseAbs().maxCoeff(), 1e-3 * closed.cwiseAbs().maxCoeff());

  const Points b = matrix();
  Points z = start;
  const Vector second = score_density_error(*field, linear(b, b.trace()), z);
  const Vector quadratic = (0.5 * (s_max * s_max - s_min * s_min)) *
                           ((z.cwiseProduct(b * z)).colwise().sum().transpose().array() / (r * r) - b.trace()).matrix();
  EXPECT_LT((second - quadratic).cwiseAbs().maxCoeff(), 1e-3 * quadratic.cwiseAbs().maxCoeff());
  // Its mean over draws is 0.
  EXPECT_NEAR(mean(second), 0, 4.5 * standard_error(second));
  Points again = start;
  const Vector broken = score_density_error(*field, linear(b, b.trace() + 1), again);
  EXPECT_GT(std::abs(mean(broken)), 4.5 * standard_error(broken));
}

// The density that the flow of a changed score makes, against the first order.
TEST(DensityError, IsTheDerivativeOfTheDensityOfTheFlow) {
  const double eps = 1e-3;
  Vector variance(2);
  variance << 0.25, 1;
  const NormalLaw law(variance);
  const auto field = make_exact_score_field(law, geometric_levels(2, 0.05, 200));
  Points shear(2, 2);
  shear << 0.3, 0.5, -0.2, 0.4;
  // score + eps B y, with products to match.
  class Sheared final : public ScoreField {
   public:
    Sheared(const ScoreField& field, Points b) : field_(field), b_(std::move(b)) {}
    [[nodiscard]] Index dimension() const override { return 2; }
    [[nodiscard]] const Vector& levels() const override { return field_.levels(); }

   private:
    void do_evaluate(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                     Points& result) const override {
      if (count == 0) {
        score = field_.score(y, k);
      } else {
        field_.products(y, k, vectors, count, score, result);
        result += b_ * vectors;
      }
      score += b_ * y;
    }
    const ScoreField& field_;
    Points b_;
  };
  const Sheared sheared(*field, eps * shear);
  Points y = NormalLaw((variance.array() + 4).matrix()).sample(n, stream.at("first"));
  const Points start = y;
  const Vector psi = score_density_error(*field, score_difference(*field, sheared), y) / eps;
  Points given = start;
  const Vector same = score_density_error(*field, linear(shear, shear.trace()), given);
  EXPECT_LT((psi - same).cwiseAbs().maxCoeff(), 1e-3 * psi.cwiseAbs().maxCoeff());

  const auto first_law = [&](const Points& at) { return law.log_density(at, 1, 2); };
  const Vector plain = flow_log_density(*field, y, first_law);
  EXPECT_LT((plain - law.log_density(y, 1, 0.05)).cwiseAbs().maxCoeff(), 2e-3);
  const Vector ratio = (flow_log_density(sheared, y, first_law) - plain) / eps;
  // Second order in eps; psi goes up to about 20.
  EXPECT_LT((ratio - psi).cwiseAbs().maxCoeff(), 0.02 * psi.cwiseAbs().maxCoeff());
  EXPECT_GT((ratio + psi).cwiseAbs().maxCoeff(), 0.5 * psi.cwiseAbs().maxCoeff());  // the other sign

  const auto other = make_exact_score_field(law, geometric_levels(2, 0.04, 200));
  EXPECT_THROW((void)score_difference(*field, *other), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
