// SPDX-License-Identifier: Apache-2.0
// Values of every metric on the fixed point sets A and B, computed independently (twice) outside of this
// program.
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "metrics/frechet.hpp"
#include "metrics/histogram.hpp"
#include "metrics/kid.hpp"
#include "metrics/matching.hpp"
#include "metrics/mmd.hpp"
#include "metrics/one_dimensional.hpp"
#include "metrics/pairwise.hpp"
#include "metrics/prdc.hpp"
#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

TEST(ExactValues, FixturesAreTheOnesMeant) {
  EXPECT_NEAR(fixture_a().sum(), 2.25639253735751, 1e-13);
  EXPECT_NEAR(fixture_b().sum(), 13.079449037445, 1e-12);
}

TEST(ExactValues, MedianDistance) {
  const Points a10 = fixture_a(10);
  Points pooled(3, 20);
  pooled << a10, fixture_b();
  expect_relative(median_distance(pooled), 1.71051429702377);
  expect_relative(median_distance(pooled, true), 1.69970307081707);
  expect_relative(median_distance(a10), 1.80246792625942);
  Points all(3, 22);
  all << fixture_a(), fixture_b();
  expect_relative(median_distance(all), 1.74865407877455);
  expect_relative(median_distance(fixture_a()), 1.79976151867334);
  expect_relative(median_distance(fixture_a(), true), 1.79705511108727);
}

TEST(ExactValues, MmdWithOneBandwidth) {
  const MmdEstimates one = mmd2(fixture_a(10), fixture_b(), RadialKernel({0.5}));
  EXPECT_NEAR(one.biased, .167665964065301, 1e-14);
  EXPECT_NEAR(one.unbiased, .0368677595964380, 1e-14);
  EXPECT_NEAR(one.u, .0477247037105117, 1e-14);
  Points pooled(3, 20);
  pooled << fixture_a(10), fixture_b();
  const double sigma = median_distance(pooled);
  const MmdEstimates median = mmd2(fixture_a(10), fixture_b(), RadialKernel({0.5 / (sigma * sigma)}));
  EXPECT_NEAR(median.biased, .0967750236485538, 1e-14);
  EXPECT_NEAR(median.unbiased, .0216443901407598, 1e-14);
  EXPECT_NEAR(median.u, .0309601666204138, 1e-14);
  EXPECT_NEAR(value_of("mmd2_rbf_biased", fixture_a(10), fixture_b()), .0967750236485538, 1e-14);
}

TEST(ExactValues, MmdOfDifferentSizes) {
  EXPECT_NEAR(value_of("mmd2_rbf_unbiased(sigma=1)", fixture_a(), fixture_b()), .0755240151369109, 1e-14);
  EXPECT_NEAR(value_of("mmd2_rbf_biased(sigma=1)", fixture_a(), fixture_b()), .193944593260926, 1e-14);
}

TEST(ExactValues, MmdBank) {
  expect_relative(value_of("mmd2_rbf_biased(bandwidth=bank)", fixture_a(), fixture_b()), 0.155778007268671);
}

TEST(ExactValues, Prdc) {
  const auto expect = [](const Prdc& result, double precision, double recall, double density, double coverage) {
    EXPECT_NEAR(result.precision, precision, 1e-14);
    EXPECT_NEAR(result.recall, recall, 1e-14);
    EXPECT_NEAR(result.density, density, 1e-14);
    EXPECT_NEAR(result.coverage, coverage, 1e-14);
  };
  const Points a = fixture_a();
  const Points b = fixture_b();
  expect(prdc(a, b, 1), .6, 7.0 / 12, .7, 1.0 / 3);
  expect(prdc(a, b, 3), 1, 1, 28.0 / 30, 10.0 / 12);
  expect(prdc(a, b, 5), 1, 1, 1.04, 1);
  expect(prdc(a, a, 3), 1, 1, 1, 1);
  const Points same = Points::Constant(3, 8, 0.5);
  expect(prdc(same, same, 3), 0, 0, 0, 0);
  expect(prdc(same, same, 3, true), 1, 1, 8.0 / 3, 1);
  EXPECT_NEAR(value_of("coverage(k=3)", a, b), 10.0 / 12, 1e-14);
  EXPECT_NEAR(value_of("density(k=3)", a, b), 28.0 / 30, 1e-14);
  EXPECT_NEAR(value_of("precision(k=1)", a, b), .6, 1e-14);
  EXPECT_NEAR(value_of("recall(k=1)", a, b), 7.0 / 12, 1e-14);
}

TEST(ExactValues, Matching) {
  const Points a = fixture_a();
  const Points b = fixture_b();
  expect_relative(value_of("cov_match", a, b), 5.0 / 12);
  expect_relative(value_of("mmd_min", a, b), .563525411012359);
  expect_relative(value_of("mmd_min_gen", a, b), .459959204615544);
  expect_relative(value_of("mmd_min(squared=false)", a, b), .708794555892509);
  expect_relative(value_of("chamfer", a, b), 1.0234846156279);
  const OneNna nna = one_nna(a, b);
  expect_relative(nna.accuracy, 14.0 / 22);
  expect_relative(nna.reference, 8.0 / 12);
  expect_relative(nna.samples, 6.0 / 10);
  expect_relative(value_of("one_nna", a, b), 14.0 / 22);
}

TEST(ExactValues, HistogramDistances) {
  const Vector p = (Vector(3) << .2, .3, .5).finished();
  const Vector q = (Vector(3) << .1, .6, .3).finished();
  expect_relative(total_variation(p, q), 0.3);
  expect_relative(jensen_shannon(p, q), .0466133843198648);
  expect_relative(jensen_shannon(p, q) / std::log(2.0), .0672488983973203);
  expect_relative(std::sqrt(jensen_shannon(p, q)), .215901330055803);
  EXPECT_EQ(jensen_shannon(p, p), 0);
}

TEST(ExactValues, HistogramOfFixtures) {
  const BoxPartition grid({0, 1}, Vector::Constant(2, -1.5), Vector::Constant(2, 1.5), 5);
  const Points a = fixture_a();
  const Points b = fixture_b();
  const Given input{.samples = &b, .reference = &a, .partition = &grid, .evaluation = Stream(1, "test/evaluation")};
  expect_relative(evaluate("tvd", input).value, 0.75);
  expect_relative(evaluate("js_divergence", input).value, .458345375544099);
  expect_relative(evaluate("js_divergence", input).value / std::log(2.0), .661252600311861);
  expect_relative(evaluate("js_distance", input).value, std::sqrt(.458345375544099));
}

TEST(ExactValues, ConstraintsOfFixtureB) {
  const Sphere sphere(2);
  const Points b = fixture_b();
  const Projection projection = sphere.project(b);
  Given input{
      .samples = &b, .manifold = &sphere, .projection = &projection, .evaluation = Stream(1, "test/evaluation")};
  expect_relative(evaluate("constraint_mean", input).value, .47155113999696);
  expect_relative(evaluate("constraint_max", input).value, .966634130169946);
  expect_relative(evaluate("violation_rate(tau=0.5)", input).value, 0.4);
  expect_relative(evaluate("projection_distance", input).value, .47155113999696);
  expect_relative(evaluate("projection_distance_rms", input).value, .603592551212231);
  expect_relative(evaluate("projection_distance_max", input).value, .966634130169946);
  EXPECT_EQ(evaluate("projection_fail_rate", input).value, 0);
  input.samples = &projection.points;
  input.projected = true;
  EXPECT_LE(evaluate("constraint_max", input).value, 1e-15);
  EXPECT_LE(evaluate("projection_distance_max", input).value, 1e-15);
}

TEST(ExactValues, Kid) {
  const MmdEstimates estimates = kid(fixture_a(10), fixture_b());
  expect_relative(estimates.biased, 1.37654881584327);
  expect_relative(estimates.unbiased, 0.843146662818448);
  expect_relative(estimates.u, 0.905944778411283);
  expect_relative(value_of("kid", fixture_a(10), fixture_b()), 0.843146662818448);
}

TEST(ExactValues, Energy) {
  expect_relative(value_of("energy", fixture_a(), fixture_b()), .448901476726366);
  expect_relative(value_of("energy_u", fixture_a(), fixture_b()), .151873359320769);
  // On a line the squared form is twice the integral of (F - G)^2; the published value is its root.
  const Points a = fixture_a().topRows(1);
  const Points b = fixture_b().topRows(1);
  expect_relative(std::sqrt(value_of("energy", a, b)), 0.345808766639207);
}

TEST(ExactValues, FrechetDistance) {
  const Points a = fixture_a();
  const Points b = fixture_b();  // rank 2
  expect_relative(frechet_distance(a, b), 1.13767135952369);
  expect_relative(value_of("fd", a, b), 1.13767135952369);
  EXPECT_NEAR(frechet_distance(b, b), 0, 1e-14);
  EXPECT_NEAR(frechet_distance(fixture_a(10), fixture_a(10)), 0, 1e-14);
  const Vector zero = Vector::Zero(3);
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(3, 3);
  const Eigen::MatrixXd diagonal = Eigen::Vector3d(1, 2, 3).asDiagonal();
  expect_relative(frechet_distance(zero, identity, zero, diagonal), 5);
  // Rank 1: S = v v' against 4 S.
  const Eigen::MatrixXd row = Eigen::Vector3d(1, 2, 3).transpose();
  expect_relative(frechet_distance(zero, row, zero, 2 * row), 14);
  const Eigen::MatrixXd one = Eigen::MatrixXd::Identity(1, 1);
  expect_relative(frechet_distance(Vector::Zero(1), one, Vector::Constant(1, 10), one), 100);
}

TEST(ExactValues, FrechetDistanceOfRankDeficientMatrices) {
  Points p(4, 4);
  p << 1.6243453636632417, 0.8654076293246785, 0.31903909605709857, -0.3224172040135075, -0.6117564136500754,
      -2.3015386968802827, -0.2493703754774101, -0.38405435466841564, -0.5281717522634557, 1.74481176421648,
      1.462107937044974, 1.1337694423354374, -1.0729686221561705, -0.7612069008951028, -2.060140709497654,
      -1.0998912673140309;
  Points q(4, 4);
  q << -0.17242820755043575, -1.1006191772129212, 0.9008559492644118, -0.2678880796260159, -0.8778584179213718,
      1.1447237098396141, -0.6837278591743331, 0.530355466738186, 0.04221374671559283, 0.9015907205927955,
      -0.12289022551864817, -0.691660751725309, 0.5828152137158222, 0.5024943389018682, -0.9357694342590688,
      -0.39675352686597737;
  expect_relative(frechet_distance(p, q), 4.75383761747201);
}

TEST(ExactValues, FrechetConventions) {
  // ddof 0 is another number; clipped eigenvalues of S1 S2 would be off by 1e-8.
  const double trap = 1.07408469600153;
  const Points a = fixture_a();
  const Points b = fixture_b();
  EXPECT_GT(std::abs(frechet_distance(a, b) - trap), 0.06);
  const auto factor = [](const Points& x) { return Eigen::MatrixXd((x.colwise() - x.rowwise().mean()).transpose()); };
  expect_relative(frechet_distance(a.rowwise().mean(), factor(a) / std::sqrt(12.0), b.rowwise().mean(),
                                   factor(b) / std::sqrt(10.0)),
                  trap);
}

TEST(ExactValues, SquaredConstraintIsAnotherNumber) {
  // h = |x|^2 - 1 in place of |x| - 1: the unit of h matters.
  const Vector h = (fixture_b().colwise().squaredNorm().array() - 1).abs().matrix().transpose();
  expect_relative(h.mean(), 1.2720430469677);
  expect_relative(h.maxCoeff(), 2.8676498019493);
}

TEST(ExactValues, EnergyOfPointMasses) {
  // Published roots of the squared form; weights are repeated points.
  const auto root = [](std::initializer_list<double> x, std::initializer_list<double> y) {
    Points a(1, static_cast<Index>(x.size()));
    Points b(1, static_cast<Index>(y.size()));
    std::copy(x.begin(), x.end(), a.data());
    std::copy(y.begin(), y.end(), b.data());
    return std::sqrt(value_of("energy", a, b));
  };
  expect_relative(root({0, 1}, {0, 0}), std::sqrt(0.5));
  expect_relative(root({0, 0, 0, 1}, {0, 0}), std::sqrt(2.0) / 4);
  expect_relative(root({0, 2}, {0, 0}), 1);
  expect_relative(root({0, 1, 2}, {1, 2, 3}), std::sqrt(2.0 / 3));
  expect_relative(root({0, 0}, {3, 3}), std::sqrt(6.0));
}

TEST(ExactValues, SlicesOfALineAreItsTransport) {
  const Points x = Stream(4, "line/x").normal(1, 40);
  const Points y = Stream(4, "line/y").normal(1, 30);
  const double slice = value_of("sliced_w2", x, y);
  expect_relative(slice * slice, value_of("w2_sq", x, y));
  EXPECT_EQ(value_of("sliced_w2", x, x), 0);
}

TEST(ExactValues, SlicedRecordWithGivenDirections) {
  Points directions(3, 4);
  directions << 1, 0, 0, 5, 0, 1, 0, 5, 0, 0, 1, 5;  // lengths do not matter
  const Points a = fixture_a();
  const Points b = fixture_b();
  Given input{.samples = &b, .reference = &a, .evaluation = Stream(1, "test/evaluation"), .directions = &directions};
  const MetricRecord record = evaluate("sliced_w2", input);
  expect_relative(record.value, 0.581466513134432);
  EXPECT_NE(record.parameters.find("directions_hash"), std::string::npos) << record.parameters;
  directions.col(2).setZero();
  EXPECT_THROW(static_cast<void>(evaluate("sliced_w2", input)), InvalidInput);
}

TEST(ExactValues, LinesAndSlices) {
  const Vector a = fixture_a().row(0).transpose();
  const Vector b = fixture_b().row(0).transpose();
  expect_relative(line_transport(a, b, 1), 0.320609065572126);
  expect_relative(kolmogorov_smirnov(a, b), 1.0 / 3);
  expect_relative(value_of("ks", fixture_a(), fixture_b()), 1.0 / 3);
  const double parts[] = {.14675090786881, .161701047820266, .325787137861843, .718174130035941};
  Points directions(3, 4);
  directions << 1, 0, 0, 1 / std::sqrt(3.0), 0, 1, 0, 1 / std::sqrt(3.0), 0, 0, 1, 1 / std::sqrt(3.0);
  for (Index l = 0; l < 4; ++l) {
    expect_relative(
        line_transport(fixture_a().transpose() * directions.col(l), fixture_b().transpose() * directions.col(l), 2),
        parts[l]);
  }
  expect_relative(sliced_w2(fixture_a(), fixture_b(), directions), 0.581466513134432);
  // A published library gives this for the same call: it divides by the 50 directions it did not use.
  EXPECT_GT(std::abs(sliced_w2(fixture_a(), fixture_b(), directions) - 0.164463565788102), 0.4);
  const auto vector = [](std::initializer_list<double> values) {
    Vector v(static_cast<Index>(values.size()));
    std::copy(values.begin(), values.end(), v.begin());
    return v;
  };
  // Integer weights are repeated points.
  EXPECT_DOUBLE_EQ(line_transport(vector({0, 0, 0, 1}), vector({0, 0}), 1), .25);
  EXPECT_DOUBLE_EQ(line_transport(vector({0, 1, 2}), vector({1, 2, 3}), 1), 1);
  EXPECT_DOUBLE_EQ(line_transport(vector({4.5, 4.5, 4.5, 6.7, 2.1}), vector({4.6, 7, 7, 7, 9.2}), 1), 2.5);
  EXPECT_EQ(kolmogorov_smirnov(vector({1, 1, 2}), vector({1, 1, 2})), 0);
}

// A pin of torch-fidelity's test suite: real N(0, .01 I) inside generated N(0, 9 I). Real points lie in the balls of
// generated ones, hardly one generated point in those of real ones. There x is the first argument of precision/recall.
TEST(PublicPins, NarrowAgainstWideInSixteenDimensions) {
  const Points narrow = 0.1 * Stream(3, "pin/narrow").normal(16, 200);
  const Points wide = 3 * Stream(3, "pin/wide").normal(16, 200);
  const Prdc generated_narrow = prdc(wide, narrow, 3);
  EXPECT_GT(generated_narrow.precision, 0.8);
  EXPECT_LT(generated_narrow.recall, 0.3);
  const Prdc generated_wide = prdc(narrow, wide, 3);
  EXPECT_LT(generated_wide.precision, 0.3);
  EXPECT_GT(generated_wide.recall, 0.8);
}

}  // namespace
}  // namespace onmanifold::test
