// SPDX-License-Identifier: Apache-2.0
// The normal part of exact scores on planes and spheres, and of fields that are wrong.
#include "diagnostics/score_norm.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "datasets/laws/planar_mixture.hpp"
#include "datasets/laws/vmf_mixture.hpp"
#include "diagnostics/line_fit.hpp"
#include "manifolds/sphere.hpp"
#include "tests/diagnostics/laws.hpp"

namespace onmanifold {
namespace {

using testing::ChangedField;
using testing::flat_manifold;
using testing::flat_variance;
using testing::NormalLaw;

const Stream stream(1, "score norm");

// N(0, I_2) on a plane of R^5.
struct Flat {
  explicit Flat(double lift_sigma, double smallest = 1e-3)
      : law(flat_variance(2, 5, 1, lift_sigma)),
        field(make_exact_score_field(law, geometric_levels(1, smallest, 13))),
        manifold(flat_manifold(2, 5)),
        base(NormalLaw(flat_variance(2, 5, 1, 0)).sample(200, stream.at("base"))) {
    if (lift_sigma > 0) options.lift = {LiftType::normal, lift_sigma};
  }
  NormalLaw law;
  std::unique_ptr<ScoreField> field;
  Affine manifold;
  Points base;
  ScoreNormOptions options;
};

TEST(ScoreNorm, OfABarePlaneHasSlopeMinusTwo) {
  const Flat flat(0);
  const ScoreNormResult result = score_norm(*flat.field, flat.manifold, flat.base, flat.options, stream);
  EXPECT_NEAR(result.slope, -2, 1e-6);
  EXPECT_NEAR(result.ideal_slope, -2, 1e-12);
  EXPECT_NEAR(result.ideal_ratio, 1, 1e-6);
  EXPECT_NEAR(result.regression, 1, 1e-6);
  EXPECT_LT(result.slope_interval.high - result.slope_interval.low, 1e-6);
  EXPECT_EQ(result.failures, 0);
  Index in_fit = 0;
  for (const ScoreNormLevel& level : result.levels) {
    EXPECT_NEAR(level.normal_square * level.s * level.s, 3, 3e-6);
    EXPECT_EQ(level.in_fit, level.s < 1.001e-2);
    in_fit += level.in_fit ? 1 : 0;
  }
  EXPECT_EQ(in_fit, 5);  // .001 … .01, four levels a decade

  // A network that stays short of the score by the square root of the noise.
  const ChangedField damped(*flat.field, [&](const PointsRef&, Index k, const Points& score) -> Points {
    return score * std::sqrt(flat.field->levels()[k]);
  });
  EXPECT_NEAR(score_norm(damped, flat.manifold, flat.base, flat.options, stream).slope, -1, 1e-6);
}

TEST(ScoreNorm, OfALiftedPlaneIsAPlateau) {
  const Flat flat(0.05);
  const ScoreNormResult result = score_norm(*flat.field, flat.manifold, flat.base, flat.options, stream);
  EXPECT_NEAR(result.slope, result.ideal_slope, 1e-6);
  EXPECT_NEAR(result.slope, 0, 0.2);
  EXPECT_NEAR(result.ideal_ratio, 1, 1e-6);
  EXPECT_NEAR(result.regression, 1, 1e-6);
  EXPECT_NEAR(result.plateau / (3 / (0.05 * 0.05)), 1, 0.1);
  for (const ScoreNormLevel& level : result.levels) EXPECT_LE(level.in_fit ? level.s : 0, 0.05 / 3);

  // The field of bare data is not bounded, whatever noise the points have.
  const Flat bare(0);
  const ScoreNormResult broken = score_norm(*bare.field, flat.manifold, flat.base, flat.options, stream);
  EXPECT_LT(broken.slope, -1);
  EXPECT_GT(broken.ideal_ratio, 2);
  EXPECT_GT(broken.regression, 2);
}

TEST(ScoreNorm, RegressionSeesThroughErrorsAlongTheManifoldAndOffsets) {
  const Flat flat(0.05);
  const ChangedField field(*flat.field, [](const PointsRef& y, Index, const Points& score) -> Points {
    Points changed = score;
    changed.topRows(2) += 100 * y.topRows(2).array().sin().matrix();
    return changed;
  });
  EXPECT_NEAR(score_norm(field, flat.manifold, flat.base, flat.options, stream).regression, 1, 1e-6);
  const ChangedField half(*flat.field,
                          [](const PointsRef&, Index, const Points& score) -> Points { return score / 2; });
  EXPECT_NEAR(score_norm(half, flat.manifold, flat.base, flat.options, stream).regression, 0.5, 1e-6);
}

// Section "why not |s|^2": over .01 … .1 on plane-gmm9 E|s|^2 = 1/s^2 + 2/(.01 + s^2) up to the overlap of
// the modes.
TEST(ScoreNorm, OfTheWholeScoreIsHiddenByTheTangent) {
  const PlaneFrame frame;
  const PlanarMixture mixture = PlanarMixture::grid9(frame, 0.1);
  const auto law = make_diffused_planar_mixture(mixture, Lift{});
  const auto field = make_exact_score_field(*law, geometric_levels(0.1, 0.01, 7));
  const ScoreNormResult result =
      score_norm(*field, frame.manifold(), mixture.sample(2000, stream.at("gmm9")), ScoreNormOptions{}, stream);
  Vector log_s(7);
  Vector log_total(7);
  Vector log_closed(7);
  for (Index l = 0; l < 7; ++l) {
    const ScoreNormLevel& level = result.levels[static_cast<std::size_t>(l)];
    log_s[l] = std::log(level.s);
    log_total[l] = std::log(level.total_square);
    log_closed[l] = std::log(1 / (level.s * level.s) + 2 / (0.01 + level.s * level.s));
  }
  const double slope = fit_line(log_s, log_total).slope;
  // chi-square noise of 2000 points, the same at all levels: about 1 % of the difference of the slope from
  // -2.
  EXPECT_NEAR(slope, fit_line(log_s, log_closed).slope, 0.03);
  EXPECT_NEAR(slope, -1.71, 0.03);
  EXPECT_NEAR(result.slope, -2, 1e-6);
}

TEST(ScoreNorm, OfTheSphereWithinATenthOfTheIdealLaw) {
  const VmfMixture mixture({{{0, 0, 1}, 5, 1}});
  const Sphere sphere(2);
  const Points base = mixture.sample(300, stream.at("vmf"));
  for (const double sigma : {0.0, 0.1}) {
    ScoreNormOptions options;
    if (sigma > 0) options.lift = {LiftType::normal, sigma};
    const auto law = make_diffused_vmf_mixture(mixture, options.lift);
    const auto field = make_exact_score_field(*law, geometric_levels(0.1, 0.01, 5));
    const ScoreNormResult result = score_norm(*field, sphere, base, options, stream);
    EXPECT_NEAR(result.slope, sigma > 0 ? 0 : -2, 0.2) << sigma;
    EXPECT_NEAR(result.ideal_ratio, 1, 0.1) << sigma;
    EXPECT_NEAR(result.regression, 1, 0.1) << sigma;
    // A wrong lift: the scale of the normal part is off by (.2/.1)^2.
    if (sigma > 0) {
      const auto wrong = make_diffused_vmf_mixture(mixture, {LiftType::normal, 0.2});
      const auto wrong_field = make_exact_score_field(*wrong, geometric_levels(0.1, 0.01, 5));
      EXPECT_LT(score_norm(*wrong_field, sphere, base, options, stream).regression, 0.5);
    }
  }
}

TEST(ScoreNorm, FlagsThePlateauOfABoundedNetworkBelowItsTraining) {
  const Flat flat(0);
  // Trained down to .01 (level 8), and asked further down as at .01.
  const ChangedField bounded(*flat.field, [&](const PointsRef& y, Index k, const Points&) -> Points {
    return flat.field->score(y, std::min<Index>(k, 8)) *
           (k > 8 ? flat.field->levels()[8] / flat.field->levels()[k] : 1);
  });
  ScoreNormOptions options = flat.options;
  options.trained_smallest = 0.00999;
  const ScoreNormResult result = score_norm(bounded, flat.manifold, flat.base, options, stream);
  EXPECT_NEAR(result.slope, -2, 1e-6);
  EXPECT_NEAR(result.slope_below_trained, 0, 1e-6);
  EXPECT_TRUE(result.levels.back().below_trained);
  EXPECT_FALSE(result.levels[8].below_trained);
  // Not told of it, the fit takes the plateau for the law.
  const ScoreNormResult fooled = score_norm(bounded, flat.manifold, flat.base, flat.options, stream);
  EXPECT_GT(fooled.slope, -0.5);
  EXPECT_TRUE(std::isnan(fooled.slope_below_trained));
}

TEST(ScoreNorm, BootstrapSpreadIsThatOfNewDraws) {
  const NormalLaw law(flat_variance(1, 2, 1, 0));
  const auto exact = make_exact_score_field(law, geometric_levels(0.1, 0.01, 2));
  const ChangedField field(*exact, [&](const PointsRef& y, Index k, const Points& score) -> Points {
    Points changed = score;
    changed.row(1) += ((1000 * y.row(0)).array().sin() / exact->levels()[k]).matrix();
    return changed;
  });
  const Affine line = flat_manifold(1, 2);
  Vector slopes(40);
  Vector errors(40);
  for (Index i = 0; i < 40; ++i) {
    const Stream own = stream.at("spread").at(static_cast<std::uint64_t>(i));
    const Points base = NormalLaw(flat_variance(1, 2, 1, 0)).sample(100, own.at("base"));
    const ScoreNormResult result = score_norm(field, line, base, ScoreNormOptions{}, own);
    slopes[i] = result.slope;
    errors[i] = result.slope_se;
  }
  // The standard deviation of 40 numbers is uncertain by 11 %: three of that.
  const double ratio = mean(errors) / standard_deviation(slopes);
  EXPECT_NEAR(ratio, 1, 0.34);
  EXPECT_GT(standard_deviation(slopes), 0.01);
}

TEST(ScoreNorm, LooksAtTheLevelsAskedFor) {
  const Flat flat(0.05);
  ScoreNormOptions options = flat.options;
  options.levels = {6, 9, 12};
  const ScoreNormResult all = score_norm(*flat.field, flat.manifold, flat.base, flat.options, stream);
  const ScoreNormResult some = score_norm(*flat.field, flat.manifold, flat.base, options, stream);
  ASSERT_EQ(some.levels.size(), 3U);
  EXPECT_EQ(some.levels[1].s, flat.field->levels()[9]);
  EXPECT_EQ(some.levels[1].normal_square, all.levels[9].normal_square);
  EXPECT_EQ(some.levels[2].regression, all.levels[12].regression);
  EXPECT_NE(some.levels[2].normal_square, all.levels[11].normal_square);
  options.levels = {6, 6};
  EXPECT_THROW((void)score_norm(*flat.field, flat.manifold, flat.base, options, stream), InvalidInput);
  options.levels = {13};
  EXPECT_THROW((void)score_norm(*flat.field, flat.manifold, flat.base, options, stream), InvalidInput);
}

TEST(ScoreNorm, RefusesWhatItCannotUse) {
  const Flat flat(0);
  EXPECT_THROW((void)score_norm(*flat.field, Sphere(2), flat.base, flat.options, stream), InvalidInput);
  EXPECT_THROW((void)score_norm(*flat.field, flat.manifold, flat.base.leftCols(9), flat.options, stream), InvalidInput);
  ScoreNormOptions options;
  options.replicates = 100;
  EXPECT_THROW((void)score_norm(*flat.field, flat.manifold, flat.base, options, stream), InvalidInput);
  const ChangedField dead(*flat.field, [](const PointsRef&, Index, const Points& score) -> Points {
    return Points::Zero(score.rows(), score.cols());
  });
  EXPECT_THROW((void)score_norm(dead, flat.manifold, flat.base, flat.options, stream), NumericalFailure);
}

}  // namespace
}  // namespace onmanifold
