// SPDX-License-Identifier: Apache-2.0
// The bound of models of two steps on linear maps, where both sides are known, and scores of latent points on
// planes.
#include "diagnostics/two_step_bound.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "diagnostics/latent_score_norm.hpp"
#include "metrics/transport.hpp"
#include "tests/diagnostics/laws.hpp"

namespace onmanifold {
namespace {

const Stream stream(1, "two-step bound");

/// f(x) = x_1:2 / c, g(z) = (c z, 0): the plane of the first two axes of R^3.
class LinearModel final : public LatentModel {
 public:
  /// Derivatives of the decoder are multiplied by \p claimed: 1 is right.
  explicit LinearModel(double c, double claimed = 1) : c_(c), claimed_(claimed) {}
  [[nodiscard]] Index latent_dimension() const override { return 2; }
  [[nodiscard]] Points encode(const PointsRef& x) const override { return x.topRows(2) / c_; }
  [[nodiscard]] Points decode(const PointsRef& z) const override {
    Points x = Points::Zero(3, z.cols());
    x.topRows(2) = c_ * z;
    return x;
  }
  [[nodiscard]] Points encoder_products(const PointsRef& /*x*/, const PointsRef& v, Index /*count*/) const override {
    return v.topRows(2) / c_;
  }
  [[nodiscard]] Points decoder_products(const PointsRef& /*z*/, const PointsRef& v, Index /*count*/) const override {
    return claimed_ * decode(v);
  }
  [[nodiscard]] double decoder_norm_bound() const override { return 2 * c_; }
  [[nodiscard]] Points sample_latent(Index n, const Stream& draws) const override { return Stream(draws).normal(2, n); }
  [[nodiscard]] std::unique_ptr<ScoreField> latent_score() const override { return nullptr; }

 private:
  double c_;
  double claimed_;
};

TEST(TwoStepBound, IsSharpForSimilarities) {
  const double c = 3;
  const LinearModel model(c);
  const Points z = stream.at("latent").normal(2, 150);
  Points x = stream.at("data").normal(3, 150);
  x.row(2).setZero();
  for (const int p : {1, 2}) {
    // Nothing is lost by the encoder, and g stretches all lengths by c: equality.
    const TwoStepBound flat = two_step_bound(model, x, z, p);
    EXPECT_LT(flat.reconstruction, 1e-14);
    EXPECT_NEAR(flat.local_lipschitz, c, 1e-12);
    EXPECT_NEAR(flat.left / flat.right(), 1, 1e-9);
    EXPECT_NEAR(flat.left / flat.right_by_norms(), 0.5, 1e-9);
    // The negative control: a decoder that understates its derivatives breaks the bound.
    const TwoStepBound wrong = two_step_bound(LinearModel(c, 0.5), x, z, p);
    EXPECT_NEAR(wrong.left / wrong.right(), 2, 1e-9);
  }
  // At height h over the plane: W2^2 = h^2 + (c W2(f#P, Q))^2 and a reconstruction error of h.
  const double h = 0.4;
  x.row(2).setConstant(h);
  const TwoStepBound lifted = two_step_bound(model, x, z, 2);
  EXPECT_NEAR(lifted.reconstruction, h, 1e-14);
  EXPECT_NEAR(lifted.left, std::hypot(h, c * lifted.latent), 1e-9);
  EXPECT_LT(lifted.left, lifted.right());
  EXPECT_GT(lifted.diameter, 2);
  EXPECT_THROW((void)two_step_bound(model, x, z.leftCols(10), 2), InvalidInput);
  EXPECT_THROW((void)two_step_bound(model, x, z, 3), InvalidInput);
}

TEST(TwoStepBound, PlansPairWhatTheyShould) {
  // Points far apart against the same points moved a little and turned round: the plan is known.
  Points x(1, 5);
  x << 0, 10, 20, 30, 40;
  const Points y = (x.array() + 1).matrix().rowwise().reverse();
  const TransportPlan plan = exact_transport_plan(x, y, 2);
  EXPECT_NEAR(plan.cost, 1, 1e-12);
  ASSERT_EQ(plan.pairs.size(), 5U);
  for (const TransportPair& pair : plan.pairs) {
    EXPECT_EQ(pair.from + pair.to, 4);
    EXPECT_NEAR(pair.mass, 0.2, 1e-15);
  }
  EXPECT_EQ(exact_transport_plan(x, x, 1).cost, 0);
}

TEST(LatentScoreNorm, FollowsTheNormalsOfAPlane) {
  const Points tangent = Points::Identity(5, 2).replicate(1, 300);
  const Vector levels = geometric_levels(1, 1e-3, 12);
  const auto slope = [&](double lift, const Points& tangents) {
    const testing::NormalLaw law(testing::flat_variance(2, 5, 1, lift));
    const Points z = law.sample(300, stream.at("plane"));
    return latent_score_norm(*make_exact_score_field(law, levels), z, tangents, stream).line.slope;
  };
  // E|P_N s|^2 = 3/s^2, exactly so with the control; skewed bases of the same tangents say the same.
  EXPECT_NEAR(slope(0, tangent), -2, 1e-9);
  Points skew = tangent;
  for (Index j = 0; j < skew.cols(); j += 2) skew.col(j) += 3 * skew.col(j + 1);
  EXPECT_NEAR(slope(0, skew), -2, 1e-9);
  // A law of that thickness has no singular score.
  EXPECT_NEAR(slope(0.3, tangent), 0, 0.01);
  // Directions that are no tangents leave only a part of the normals and one tangent: seen in the size.
  const testing::NormalLaw law(testing::flat_variance(2, 5, 1, 0));
  const Points z = law.sample(300, stream.at("plane"));
  const std::unique_ptr<ScoreField> field = make_exact_score_field(law, levels);
  const LatentScoreNorm right = latent_score_norm(*field, z, tangent, stream);
  EXPECT_NEAR(right.normal_square[11] * 1e-6, 3, 1e-8);
  Points wrong = tangent;
  for (Index j = 1; j < wrong.cols(); j += 2) wrong.col(j) = Vector::Unit(5, 4);
  EXPECT_LT(latent_score_norm(*field, z, wrong, stream).normal_square[11] * 1e-6, 2.5);
  EXPECT_THROW((void)latent_score_norm(*field, z, Points::Identity(5, 5).replicate(1, 300), stream), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
