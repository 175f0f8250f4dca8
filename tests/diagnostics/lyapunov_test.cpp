// SPDX-License-Identifier: Apache-2.0
// Exponents of flows whose Jacobian is known: normal laws, bare and lifted, spheres.
#include "diagnostics/lyapunov.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "datasets/laws/vmf_mixture.hpp"
#include "diagnostics/flow_step.hpp"
#include "tests/diagnostics/laws.hpp"

namespace onmanifold {
namespace {

using testing::flat_variance;
using testing::NormalLaw;

const Stream stream(1, "lyapunov");

/// Another field with wrong Jacobian products.
class ScaledJacobian final : public ScoreField {
 public:
  ScaledJacobian(const ScoreField& field, double factor) : field_(field), factor_(factor) {}
  [[nodiscard]] Index dimension() const override { return field_.dimension(); }
  [[nodiscard]] const Vector& levels() const override { return field_.levels(); }

 private:
  void do_evaluate(const PointsRef& y, Index k, const PointsRef& vectors, Index count, Points& score,
                   Points& result) const override {
    if (count == 0) {
      score = field_.score(y, k);
      return;
    }
    field_.products(y, k, vectors, count, score, result);
    result *= factor_;
  }
  const ScoreField& field_;
  double factor_;
};

Points noised(const NormalLaw& law, double s, Index n) {
  Points y = law.sample(n, stream.at("data"));
  y += s * stream.at("noise").normal(y.rows(), n);
  return y;
}

// N(0, I_2) in R^5 under the lift .05, from 10 to .01. Heun's steps of .023 in log s: error 1e-4.
TEST(Lyapunov, OfALiftedNormalLawIsItsClosedForm) {
  const NormalLaw law(flat_variance(2, 5, 1, 0.05));
  const auto field = make_exact_score_field(law, geometric_levels(10, 0.01, 301));
  const Points start = noised(law, 10, 3);
  const LyapunovResult result = lyapunov(*field, start, {}, stream);
  EXPECT_NEAR(gaussian_exponent(1, 10, 0.01), -2.3075, 1e-4);
  EXPECT_NEAR(gaussian_exponent(0.05, 10, 0.01), -5.2787, 1e-4);
  ASSERT_EQ(result.failures, 0);
  for (Index c = 0; c < 3; ++c) {
    for (Index i = 0; i < 5; ++i) EXPECT_NEAR(result.exponents(i, c), i < 2 ? -2.3075 : -5.2787, 1e-3);
    EXPECT_NEAR(result.exponents.col(c).sum(), -20.451, 3e-3);
    // Whatever the start vectors: the determinant.
    EXPECT_NEAR(result.qr_exponents.col(c).sum(), result.exponents.col(c).sum(), 1e-9);
    const Points q = result.vectors.middleCols(5 * c, 5);
    EXPECT_LT((q.transpose() * q - Points::Identity(5, 5)).cwiseAbs().maxCoeff(), 1e-14);
  }
  // R_ii alone feel the random start.
  EXPECT_GT((result.qr_exponents - result.exponents).cwiseAbs().maxCoeff(), 0.05);
  EXPECT_EQ(lyapunov_dimension(result).median, 2);
  EXPECT_NEAR(median(spectral_gaps(result, 2)), 5.2787 - 2.3075, 1e-3);

  // Products that are 2 % short.
  const LyapunovResult broken = lyapunov(ScaledJacobian(*field, 0.98), start, {}, stream);
  EXPECT_GT(std::abs(broken.exponents(0, 0) + 2.3075), 0.02);
  EXPECT_GT(std::abs(broken.exponents.col(0).sum() + 20.451), 0.2);
}

TEST(Lyapunov, GapClosesWhereTheLiftIsAsWideAsTheData) {
  const NormalLaw law(flat_variance(2, 4, 0.3, 0.3));
  const auto field = make_exact_score_field(law, geometric_levels(3, 0.01, 61));
  const LyapunovResult result = lyapunov(*field, noised(law, 3, 4), {}, stream);
  EXPECT_LT(spectral_gaps(result, 2).cwiseAbs().maxCoeff(), 1e-6);
  // Without the lift the gap is log(w/s_min) and a little.
  const NormalLaw bare(flat_variance(2, 4, 0.3, 0));
  const auto bare_field = make_exact_score_field(bare, geometric_levels(3, 0.01, 301));
  const LyapunovResult open = lyapunov(*bare_field, noised(bare, 3, 4), {}, stream);
  EXPECT_NEAR(median(spectral_gaps(open, 2)), gaussian_exponent(0.3, 3, 0.01) - gaussian_exponent(0, 3, 0.01), 1e-3);
  EXPECT_NEAR(median(spectral_gaps(open, 2)), std::log(0.3 / 0.01), 0.01);
}

// Singular values 1e-12 apart and more, where those of a plain decomposition drown.
TEST(Lyapunov, ResolvesExponentsThatAreFarApart) {
  Vector variance(3);
  variance << 1e14, 1, 0;
  const NormalLaw law(variance);
  const auto field = make_exact_score_field(law, geometric_levels(1e3, 1e-9, 1401));
  const LyapunovResult result = lyapunov(*field, noised(law, 1e3, 2), {}, stream);
  EXPECT_NEAR(result.exponents(0, 0), 0, 1e-6);
  EXPECT_NEAR(result.exponents(1, 0), gaussian_exponent(1, 1e3, 1e-9), 1e-3);
  EXPECT_NEAR(result.exponents(2, 0), -12 * std::log(10),
              1e-3);  // below 1e-12 of the first, with .1 % of itself
}

TEST(Lyapunov, OfFrozenNoiseIsTwiceThatOfTheFlow) {
  const NormalLaw law(flat_variance(2, 5, 1, 0.05));
  const auto field = make_exact_score_field(law, geometric_levels(10, 0.01, 13));
  LyapunovOptions options;
  options.path = LyapunovPath::frozen_noise;
  const LyapunovResult result = lyapunov(*field, noised(law, 10, 3), options, stream);
  // Exact at any number of levels; Jacobian products by differences carry 1e-7 of them, 1e-3 by the largest
  // steps.
  for (Index i = 0; i < 5; ++i) {
    EXPECT_NEAR(result.exponents(i, 1), 2 * gaussian_exponent(i < 2 ? 1 : 0.05, 10, 0.01), 1e-4);
  }
  // Ancestral steps keep the noise along the normals of a bare plane: ends have s_min there.
  const NormalLaw bare(flat_variance(1, 2, 1, 0));
  const auto bare_field = make_exact_score_field(bare, geometric_levels(10, 0.1, 40));
  const LyapunovResult ends = lyapunov(*bare_field, noised(bare, 10, 2000), options, stream);
  EXPECT_NEAR(standard_deviation(ends.end.row(1).transpose()), 0.1, 0.1 * 4.5 / std::sqrt(4000.0));
}

TEST(Lyapunov, OfOtherProcessesDiffersByTheirScale) {
  // Variance preserving: sqrt(a^2 w^2 + sigma^2) at the ends; flow matching, along a normal: 1 - t.
  const auto a = [](double s) { return 1 / std::sqrt(1 + s * s); };
  const double w = 0.3;
  EXPECT_NEAR(gaussian_exponent(w, 10, 0.01) + variance_preserving_shift(10, 0.01),
              std::log(std::hypot(a(0.01) * w, a(0.01) * 0.01) / std::hypot(a(10) * w, a(10) * 10)), 1e-12);
  const auto u = [](double s) { return 1 / (1 + s); };
  EXPECT_NEAR(gaussian_exponent(0, 10, 0.01) + flow_matching_shift(10, 0.01), std::log((1 - u(0.01)) / (1 - u(10))),
              1e-12);
}

// Inside the tube the normal exponent is that of a plane, log(s_min/s_max), up to O(s_max^2). Two percent.
TEST(Lyapunov, NormalExponentOnTheSphere) {
  const VmfMixture mixture({{{0, 0, 1}, 10, 0.5}, {{1, 0, 0}, 20, 0.5}});
  const auto law = make_diffused_vmf_mixture(mixture, Lift{});
  const double s_max = 0.1;
  const auto field = make_exact_score_field(*law, geometric_levels(s_max, 1e-3, 60));
  Points start = mixture.sample(30, stream.at("sphere"));
  start += s_max * stream.at("sphere noise").normal(3, 30);
  const LyapunovResult result = lyapunov(*field, start, {}, stream);
  const Vector normal = result.exponents.row(2).transpose();
  EXPECT_NEAR(median(normal) / std::log(1e-2), 1, 0.02);
  EXPECT_GT(normal.minCoeff() / std::log(1e-2), 0.9);
  EXPECT_EQ(lyapunov_dimension(result).median, 2);
  const LyapunovResult broken = lyapunov(ScaledJacobian(*field, 0.95), start, {}, stream);
  EXPECT_GT(std::abs(median(broken.exponents.row(2).transpose()) / std::log(1e-2) - 1), 0.02);
}

// The product of a step is the derivative of the step.
TEST(Lyapunov, StepsCarryVectorsByTheirJacobian) {
  const VmfMixture mixture({{{0, 0, 1}, 10, 1.0}});
  const auto law = make_diffused_vmf_mixture(mixture, Lift{});
  const auto field = make_exact_score_field(*law, geometric_levels(0.5, 0.3, 2));
  const Points y = Stream(3, "steps").normal(3, 4);
  const Points v = Stream(4, "steps").normal(3, 4);
  const Points z = Stream(5, "steps").normal(3, 4);
  for (const bool frozen : {false, true}) {
    const auto step = [&](const Points& from, Points& vectors) {
      Points to = from;
      if (frozen) {
        frozen_noise_step(*field, 0, z, 1, to, vectors);
      } else {
        flow_step(*field, 0, 1, to, vectors);
      }
      return to;
    };
    Points carried = v;
    (void)step(y, carried);
    Points unused = v;
    const double h = 1e-5;
    const Points up = step(y + h * v, unused);
    unused = v;
    const Points down = step(y - h * v, unused);
    EXPECT_LT((carried - (up - down) / (2 * h)).cwiseAbs().maxCoeff(), 1e-6);
    EXPECT_GT((v - (up - down) / (2 * h)).cwiseAbs().maxCoeff(), 1e-2);
  }
}

TEST(Lyapunov, MarksTrajectoriesThatAreNotFiniteAndRefusesWrongSizes) {
  const NormalLaw law(flat_variance(1, 2, 1, 0));
  const auto field = make_exact_score_field(law, geometric_levels(1, 0.1, 5));
  Points start = noised(law, 1, 3);
  start(0, 1) = std::nan("");
  const LyapunovResult result = lyapunov(*field, start, {}, stream);
  EXPECT_EQ(result.failures, 1);
  EXPECT_TRUE(result.exponents.col(1).array().isNaN().all());
  EXPECT_TRUE(result.exponents.col(2).allFinite());
  EXPECT_EQ(lyapunov_dimension(result).values.size(), 2);
  EXPECT_THROW((void)lyapunov(*field, start, {.vectors = 3}, stream), InvalidInput);
  EXPECT_THROW((void)lyapunov(*field, start, {.last_level = 5}, stream), InvalidInput);
  EXPECT_THROW((void)lyapunov(*field, Points::Zero(3, 1), {}, stream), InvalidInput);
  EXPECT_THROW((void)spectral_gaps(result, 2), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
