// SPDX-License-Identifier: Apache-2.0
// Estimates of the local dimension against the closed forms for Gaussians on planes and the uniform law on
// S².
#include "diagnostics/intrinsic_dimension.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "manifolds/sphere.hpp"
#include "tests/diagnostics/laws.hpp"

namespace onmanifold {
namespace {

using testing::ChangedField;
using testing::flat_variance;
using testing::NormalLaw;
using testing::UniformSphereLaw;

const Stream stream(1, "intrinsic dimension");

Points log_densities(const DiffusedScore& law, const Points& x) {
  const Vector deltas = lidl_deltas();
  Points result(deltas.size(), x.cols());
  for (Index i = 0; i < deltas.size(); ++i) result.row(i) = law.log_density(x, 1, deltas[i]).transpose();
  return result;
}

TEST(Lidl, IsTheDimensionOfAPlane) {
  const Vector deltas = lidl_deltas();
  EXPECT_NEAR(deltas[1], 0.0139, 5e-5);
  EXPECT_NEAR(deltas[4], 0.0373, 5e-5);
  EXPECT_NEAR(deltas[7], 0.1, 1e-15);
  const NormalLaw law(flat_variance(2, 5, 1, 0));
  const Points x = law.sample(20, stream.at("plane"));
  const DimensionEstimates result = lidl(log_densities(law, x), deltas, 5);
  // The tangential part bends by (|x|^2 - d) delta^2, below .05 here.
  EXPECT_NEAR(result.median, 2, 0.05);
  EXPECT_NEAR(result.mean, 2, 0.05);
  // The exponent alone: a power of delta gives its exponent to rounding.
  const Points powers = (-3 * deltas.array().log()).matrix();
  EXPECT_NEAR(lidl(powers, deltas, 5).values[0], 2, 1e-12);
  EXPECT_GT(std::abs(lidl(powers, deltas.array().square().matrix(), 5).values[0] - 2), 1);
}

TEST(Lidl, OfLiftedDataIsTheAmbientDimension) {
  const NormalLaw law(flat_variance(2, 5, 1, 0.5));
  // Points on M, so that the lift's own curvature is in the constant: k delta^2/lift^2 below .1.
  const Points x = NormalLaw(flat_variance(2, 5, 1, 0)).sample(20, stream.at("lifted"));
  EXPECT_NEAR(lidl(log_densities(law, x), lidl_deltas(), 5).median, 5, 0.1);
}

TEST(Flipd, OfAPlaneAtItsMean) {
  for (const double w : {1.0, 0.1}) {
    const NormalLaw law(flat_variance(2, 5, w, 0));
    const auto field = make_exact_score_field(law, geometric_levels(0.5, 0.005, 3));
    for (Index k = 0; k < 3; ++k) {
      const double s = field->levels()[k];
      const double expected = 2 * w * w / (w * w + s * s);
      // J by differences of relative error 1e-7.
      EXPECT_NEAR(flipd(*field, k, Points::Zero(5, 1), {}, stream).values[0], expected, 1e-6);
    }
  }
}

TEST(Flipd, IsTheDerivativeOfTheLogDensity) {
  const NormalLaw law(flat_variance(2, 4, 0.3, 0));
  const auto field = make_exact_score_field(law, geometric_levels(0.2, 0.02, 2));
  const Points x = NormalLaw(flat_variance(2, 4, 0.3, 0.02)).sample(30, stream.at("elsewhere"));
  const ChangedField broken(*field,
                            [](const PointsRef&, Index, const Points& score) -> Points { return 1.05 * score; });
  for (Index k = 0; k < 2; ++k) {
    const double s = field->levels()[k];
    const double h = 1e-4;
    const Vector difference =
        (law.log_density(x, 1, s * std::exp(h)) - law.log_density(x, 1, s * std::exp(-h))) / (2 * h);
    const Vector expected = (4 + difference.array()).matrix();
    EXPECT_LT((flipd(*field, k, x, {}, stream).values - expected).cwiseAbs().maxCoeff(), 1e-5);
    EXPECT_GT((flipd(broken, k, x, {}, stream).values - expected).cwiseAbs().maxCoeff(), 1e-2);
  }
}

TEST(Flipd, OfTheUniformSphere) {
  const UniformSphereLaw law;
  const auto field = make_exact_score_field(law, Vector{{0.5, 0.3, 0.1}});
  const Points x = Sphere(2).random_points(10, stream.at("sphere"));
  const DimensionEstimates half = flipd(*field, 0, x, {}, stream);
  EXPECT_NEAR(half.mean, 1.9946, 5e-5);
  EXPECT_LT(half.se, 1e-6);
  EXPECT_NEAR(flipd(*field, 1, x, {}, stream).mean, 2.00000, 5e-6);
  EXPECT_NEAR(flipd(*field, 2, x, {}, stream).mean, 2, 5e-6);
  // A point a tenth off the sphere is another thing: 3 - 1 + (r^2/s^2 …).
  EXPECT_GT(std::abs(flipd(*field, 1, 1.1 * x, {}, stream).mean - 2), 0.05);
}

TEST(Flipd, ByRandomDirectionsIsUnbiased) {
  const UniformSphereLaw law;
  const auto field = make_exact_score_field(law, Vector{{0.3}});
  const Points x = Sphere(2).random_points(400, stream.at("probes"));
  const DimensionEstimates exact = flipd(*field, 0, x, {}, stream);
  const DimensionEstimates probed = flipd(*field, 0, x, {.probes = 2}, stream);
  EXPECT_GT(probed.se, 1e-3);
  EXPECT_NEAR(probed.mean, exact.mean, 4 * probed.se);
  EXPECT_LT(probed.se, 0.05);
  // Per point 2 s^4 (|J|_F^2 - sum J_ii^2)/probes. With A = coth(1/s^2) - s^2 the eigenvalues of s^2 J at |y|
  // = 1 are A - 1 along tangents and A'/s^2 - 1 along y, A' = 1 - A^2 - 2 A s^2; E (1 - sum y_i^4) = 2/5. The
  // variance of 400 points is uncertain by about 7 %: four of them.
  const double a = 1 / std::tanh(1 / 0.09) - 0.09;
  const double difference = (1 - a * a - 0.18 * a) / 0.09 - a;
  EXPECT_NEAR(std::pow(probed.se, 2) * 400 / (0.4 * difference * difference), 1, 0.3);
  // Blocks do not show: the first points alone give the same bits.
  const DimensionEstimates few = flipd(*field, 0, x.leftCols(3), {.probes = 2}, stream);
  EXPECT_EQ(few.values, probed.values.head(3));
  EXPECT_NE(few.values, flipd(*field, 0, x.middleCols(1, 3), {.probes = 2}, stream).values);
}

TEST(Flipd, OfLiftedDataIsTheAmbientDimension) {
  const Points x = Points::Zero(5, 1);
  const auto at = [&](double lift) {
    const NormalLaw law(flat_variance(2, 5, 1, lift));
    return flipd(*make_exact_score_field(law, Vector{{1e-3}}), 0, x, {}, stream).values[0];
  };
  EXPECT_NEAR(at(0.05), 5, 3 * std::pow(1e-3 / 0.05, 2) + 1e-5);
  EXPECT_NEAR(at(0), 2, 1e-5);
}

TEST(NormalBundle, CountsTheNormals) {
  const NormalLaw bare(flat_variance(2, 5, 1, 0));
  const Points x = bare.sample(10, stream.at("bundle"));
  const auto field = make_exact_score_field(bare, Vector{{1e-4}});
  const NormalBundleResult result = normal_bundle(*field, 0, x, {}, stream);
  EXPECT_TRUE((result.gap.values.array() == 2).all());
  EXPECT_TRUE((result.threshold.values.array() == 2).all());
  // Three normals, each s^2/s^2, up to what 20 copies leave.
  EXPECT_GT(result.spectra.row(2).minCoeff(), 0.25);
  EXPECT_LT(result.spectra.row(3).maxCoeff(), 1e-3);

  const NormalLaw lifted(flat_variance(2, 5, 1, 0.05));
  const auto lifted_field = make_exact_score_field(lifted, Vector{{0.5, 1e-3}});
  EXPECT_TRUE((normal_bundle(*lifted_field, 1, x, {}, stream).threshold.values.array() == 5).all());
  // Above the lift the same data have their normals back; the published rule sees them all the time.
  const Points many = Points::Zero(5, 5);
  EXPECT_EQ(normal_bundle(*lifted_field, 0, many, {400}, stream).gap.median, 2);
  EXPECT_EQ(normal_bundle(*lifted_field, 1, many, {400}, stream).gap.median, 2);
  EXPECT_EQ(normal_bundle(*lifted_field, 1, many, {400}, stream).threshold.median, 5);
}

TEST(NormalBundle, NoticesALostNormal) {
  const NormalLaw bare(flat_variance(2, 5, 1, 0));
  const auto field = make_exact_score_field(bare, Vector{{1e-4}});
  const ChangedField blind(*field, [](const PointsRef&, Index, const Points& score) -> Points {
    Points changed = score;
    changed.row(4).setZero();
    return changed;
  });
  const NormalBundleResult result = normal_bundle(blind, 0, bare.sample(10, stream.at("bundle")), {}, stream);
  EXPECT_EQ(result.gap.median, 3);
  EXPECT_EQ(result.threshold.median, 3);
}

TEST(IntrinsicDimension, LargestGap) {
  EXPECT_EQ(values_before_largest_gap(Vector{{10, 9, 1, 0.5}}), 2);
  EXPECT_EQ(values_before_largest_gap(Vector{{10, 1, 0.9}}), 1);
  EXPECT_EQ(values_before_largest_gap(Vector{{3, 2, 1}}), 1);
  EXPECT_THROW((void)values_before_largest_gap(Vector{{1}}), InvalidInput);
}

TEST(IntrinsicDimension, RefusesWhatItCannotUse) {
  const NormalLaw law(flat_variance(2, 5, 1, 0));
  const auto field = make_exact_score_field(law, Vector{{0.1}});
  EXPECT_THROW((void)lidl(Points::Zero(7, 2), lidl_deltas(), 5), InvalidInput);
  EXPECT_THROW((void)lidl(Points::Zero(2, 2), Vector{{0.1, -1}}, 5), InvalidInput);
  EXPECT_THROW((void)flipd(*field, 1, Points::Zero(5, 1), {}, stream), InvalidInput);
  EXPECT_THROW((void)flipd(*field, 0, Points::Zero(4, 1), {}, stream), InvalidInput);
  EXPECT_THROW((void)flipd(*field, 0, Points::Zero(5, 1), {.probes = -1}, stream), InvalidInput);
  EXPECT_THROW((void)normal_bundle(*field, 0, Points::Zero(5, 1), {4}, stream), InvalidInput);
  const ChangedField broken(*field, [](const PointsRef&, Index, const Points& score) -> Points {
    return score.array() * std::numeric_limits<double>::quiet_NaN();
  });
  EXPECT_THROW((void)flipd(broken, 0, Points::Zero(5, 1), {}, stream), NumericalFailure);
  EXPECT_THROW((void)normal_bundle(broken, 0, Points::Zero(5, 1), {}, stream), NumericalFailure);
}

}  // namespace
}  // namespace onmanifold
