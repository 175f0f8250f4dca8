// SPDX-License-Identifier: Apache-2.0
// Superposition of conformations, likelihood, classifiers, p-values and standard errors.
#include <array>

#include <Eigen/Geometry>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "metrics/c2st.hpp"
#include "metrics/frechet.hpp"
#include "metrics/kabsch.hpp"
#include "metrics/matching.hpp"
#include "metrics/mmd.hpp"
#include "metrics/one_dimensional.hpp"
#include "metrics/support.hpp"
#include "tests/metrics/metric_fixtures.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold::test {
namespace {

Points atoms(std::initializer_list<std::array<double, 3>> rows) {
  Points points(3, static_cast<Index>(rows.size()));
  Index i = 0;
  for (const auto& row : rows) points.col(i++) << row[0], row[1], row[2];
  return points;
}

Points conformation(const Points& p) {
  return Eigen::Map<const Vector>(p.data(), p.size());
}

TEST(Kabsch, PublishedPairs) {
  const Points p = atoms({{51.65, -1.90, 50.07}, {50.40, -1.23, 50.65}, {50.68, -0.04, 51.54}, {50.22, -0.02, 52.85}});
  const Points q = atoms({{51.30, -2.99, 46.54}, {51.09, -1.88, 47.58}, {52.36, -1.20, 48.03}, {52.71, -1.18, 49.38}});
  // The sum of squares is 1e-5 of coordinates of size 50, given to 12 digits.
  EXPECT_NEAR(superpose(p, q).rmsd, 0.00304266526014, 1e-12);
  EXPECT_NEAR(std::sqrt((p - q).squaredNorm() / 4), 3.87845652289671, 1e-12);
  const Points a = atoms({{-1, 0, 0}, {0, 2, 0}, {0, 1, 0}, {0, 1, 1}});
  const Points b = atoms({{0, -1, -1}, {0, -1, 0}, {0, 0, 0}, {-1, 0, 0}});
  EXPECT_NEAR(superpose(a, b).rmsd, .694771021602616, 1e-14);
  Points mirrored = b;
  mirrored.row(2) *= -1;
  EXPECT_NEAR(superpose(a, mirrored).rmsd, .519308608156098, 1e-14);
}

TEST(Kabsch, Fixtures) {
  const Points a = fixture_a(10);
  EXPECT_NEAR(superpose(a, fixture_b()).rmsd, 1.44609012016782, 1e-12);
  Points mirror = a;
  mirror.row(2) *= -1;
  EXPECT_NEAR(superpose(a, mirror).rmsd, 0.424198082475147, 1e-12);
  EXPECT_NEAR(superpose(a, fixture_b()).rotation.determinant(), 1, 1e-14);
}

TEST(Kabsch, UndoesRigidMotionsAlsoOfPlanarAndCollinearSets) {
  const Eigen::Matrix3d turn = Eigen::AngleAxisd(2.1, Eigen::Vector3d(1, -2, 0.5).normalized()).toRotationMatrix();
  const Vector shift = (Vector(3) << 3, -1, 7).finished();
  Points planar = fixture_a(8);
  planar.row(2).setZero();
  Points line = planar;
  line.row(1).setZero();
  for (const Points& p : {fixture_a(8), planar, line}) {
    const Points q = (turn * p).colwise() + shift;
    const Superposition result = superpose(p, q);
    EXPECT_NEAR(result.rmsd, 0, 1e-14);
    EXPECT_NEAR(result.rotation.determinant(), 1, 1e-14);
  }
  EXPECT_EQ(superpose(line.leftCols(1), planar.leftCols(1)).rmsd, 0);
  EXPECT_THROW(static_cast<void>(superpose(planar, line.leftCols(3))), InvalidInput);
}

TEST(Kabsch, MetricsOfConformations) {
  const Points base = conformation(fixture_a(5));
  Points reference = base * Eigen::RowVectorXd::Ones(12) + 0.3 * Stream(4, "x").normal(15, 12);
  Points samples = base * Eigen::RowVectorXd::Ones(9) + 0.3 * Stream(4, "y").normal(15, 9);
  double nearest = 0;
  double all = 0;
  const auto rmsd = [](const Points& x, Index i, const Points& y, Index j) {
    return superpose(Eigen::Map<const Points>(x.col(i).data(), 3, 5), Eigen::Map<const Points>(y.col(j).data(), 3, 5))
        .rmsd;
  };
  for (Index j = 0; j < 9; ++j) {
    double best = 1e300;
    for (Index i = 0; i < 12; ++i) {
      best = std::min(best, rmsd(reference, i, samples, j));
      all += rmsd(reference, i, samples, j) / 108;
    }
    nearest += best / 9;
  }
  EXPECT_NEAR(value_of("rmsd_nearest", reference, samples), nearest, 1e-13);
  EXPECT_NEAR(value_of("rmsd_cross", reference, samples), all, 1e-13);
  // Negative controls: collapsed samples have no diversity; a stretched set is far from everything.
  EXPECT_NEAR(value_of("rmsd_pairwise", reference, samples.col(0) * Eigen::RowVectorXd::Ones(9)), 0, 1e-13);
  EXPECT_GT(value_of("rmsd_nearest", reference, 3 * samples), 3 * nearest);
  EXPECT_GT(value_of("rmsd_cross", reference, 3 * samples), 1.2 * all);
  const Given input{.samples = &samples, .reference = &reference, .evaluation = Stream(1, "e")};
  EXPECT_EQ(evaluate("rmsd_pairwise", input).target, value_of("rmsd_pairwise", reference, reference));
}

TEST(Nll, OfAnIntrinsicModelHasTheExactDensityAsItsFloor) {
  // A "density" of known values: -|x|^2.
  class Known final : public Density {
   public:
    [[nodiscard]] Vector log_density(const PointsRef& points) const override {
      return -points.colwise().squaredNorm().transpose();
    }
  };
  const Known known;
  const Points a = fixture_a();
  const Vector model = known.log_density(a).array() - 0.25;
  Given input{.samples = &a,
              .reference = &a,
              .evaluation = Stream(1, "e"),
              .reference_log_density = &model,
              .intrinsic_density = true,
              .density = &known};
  const MetricRecord record = evaluate("nll", input);
  EXPECT_NEAR(record.value - record.null, 0.25, 1e-12);
  EXPECT_NEAR(record.null, a.colwise().squaredNorm().mean(), 1e-12);
  EXPECT_GT(record.null_sd, 0);
  input.intrinsic_density = false;  // another measure: no floor
  EXPECT_TRUE(std::isnan(evaluate("nll", input).null));
}

TEST(Nll, OfFixtureUnderTheNormalLaw) {
  const Points a = fixture_a();
  Vector density = -0.5 * a.colwise().squaredNorm().transpose();
  density.array() -= 1.5 * std::log(2 * M_PI);
  Given input{.samples = &a, .evaluation = Stream(1, "e"), .reference_log_density = &density};
  EXPECT_NEAR(evaluate("nll", input).value, 3.5126694694747, 1e-12);
  const Vector worse = density.array() - 1;
  input.reference_log_density = &worse;
  EXPECT_NEAR(evaluate("nll", input).value, 4.5126694694747, 1e-12);
  density[3] = -std::numeric_limits<double>::infinity();
  input.reference_log_density = &density;
  EXPECT_EQ(evaluate("nll", input).value, std::numeric_limits<double>::infinity());
  density[3] = std::nan("");
  EXPECT_EQ(evaluate("nll", input).status.state, RecordState::failed);
  input.projected = true;
  EXPECT_EQ(evaluate("nll", input).status.state, RecordState::not_applicable);
}

TEST(C2st, EqualAndDifferentLaws) {
  // 1/(2 sqrt(2000)) = .011 is the binomial spread; folds share points, so 4 times twice that.
  const Points x = Stream(6, "x").normal(3, 1000);
  const Points y = Stream(6, "y").normal(3, 1000);
  for (const Classifier classifier : {Classifier::knn15, Classifier::logistic}) {
    EXPECT_NEAR(c2st(x, y, classifier), 0.5, 0.09);
    EXPECT_GT(c2st(x, (y.array() + 4).matrix(), classifier), 0.99);
    // Unequal sizes: no head start for the larger class.
    EXPECT_NEAR(c2st(x, y.leftCols(300), classifier), 0.5, 0.12);
  }
  // Copies answer the test with the wrong label more often than chance.
  EXPECT_LT(c2st(x, x, Classifier::knn15), 0.55);
  EXPECT_THROW(static_cast<void>(c2st(x.leftCols(5), y, Classifier::knn15)), InvalidInput);
}

TEST(KolmogorovSmirnov, ExactTwoSampleP) {
  EXPECT_NEAR(kolmogorov_smirnov_two_sample_p(12, 10, 1.0 / 3), .476956480052455, 1e-13);
  EXPECT_EQ(kolmogorov_smirnov_two_sample_p(4, 7, 0), 1);
  // Complete separation: two of all arrangements.
  EXPECT_NEAR(kolmogorov_smirnov_two_sample_p(10, 10, 1), 2.0 / 184756, 1e-18);
  EXPECT_NEAR(kolmogorov_smirnov_two_sample_p(1900, 2000, 0.03) / kolmogorov_smirnov_two_sample_p(2100, 2000, 0.03),
              1.15, 0.15);
}

TEST(GroupSums, AreTheSumsOfTheGroups) {
  const Points x = Stream(2, "x").normal(3, 70);
  const Points y = Stream(2, "y").normal(3, 55);
  Points pooled(3, 125);
  pooled << x, y;
  const RadialKernel kernel({0.5});
  for (const PairFunction& f : {PairFunction{PairFunction::Kind::radial, &kernel}, PairFunction{}}) {
    const auto sums = group_sums(pooled, 70, f, 3, Stream(2, "labels"));
    ASSERT_EQ(sums.size(), 4U);
    EXPECT_NEAR(sums[0].first, sum_over_pairs(x, f), 1e-10);
    EXPECT_NEAR(sums[0].second, sum_over_pairs(y, f), 1e-10);
    EXPECT_NEAR(sums[0].cross, sum_over_pairs(x, y, f), 1e-10);
    for (const GroupSums& split : sums)
      EXPECT_NEAR(split.first + split.second + split.cross, sum_over_pairs(pooled, f), 1e-9);
    const PairRows rows = rows_over_pairs(x, f);
    EXPECT_NEAR(rows.total, sum_over_pairs(x, f), 1e-10);
    EXPECT_NEAR(rows.own.sum(), 2 * rows.total, 1e-10);
    const auto cross = rows_over_pairs(x, y, f);
    EXPECT_NEAR(cross.first.sum(), cross.second.sum(), 1e-10);
  }
}

TEST(Permutation, LevelAndPower) {
  // Level: 60 draws of one law at B = 19; P(p <= .1) = .1, so more than 15 hits have probability 2e-4.
  for (const char* name :
       {"mmd2_rbf_unbiased(permutations=19,sigma=1)", "energy(permutations=19)", "one_nna(permutations=19)"}) {
    int hits = 0;
    for (std::uint64_t r = 0; r < 60; ++r) {
      const Stream stream = Stream(12, "permutation").at(r);
      const Points x = stream.at("x").normal(2, 30);
      const Points y = stream.at("y").normal(2, 25);
      const Given input{.samples = &y, .reference = &x, .evaluation = stream};
      const double p = evaluate(name, input).p_value;
      EXPECT_GT(p, 0);
      EXPECT_LE(p, 1);
      hits += p <= 0.1 ? 1 : 0;
    }
    EXPECT_LE(hits, 15) << name;
    const Points x = Stream(12, "x").normal(2, 60);
    const Points y = Stream(12, "y").normal(2, 60).array() + 2;
    const Given input{.samples = &y, .reference = &x, .evaluation = Stream(12, "e")};
    EXPECT_EQ(evaluate(name, input).p_value, 1.0 / 20) << name;
  }
}

TEST(StandardErrors, AgreeWithRepetition) {
  // The mean stated error over 120 repetitions against their spread, which is known to 6.5 % (one sd).
  const auto check = [](const char* name, double slack) {
    constexpr Index draws = 120;
    Vector values(draws);
    Vector errors(draws);
    for (Index r = 0; r < draws; ++r) {
      const Stream stream = Stream(13, "se").at(static_cast<std::uint64_t>(r));
      const Points x = stream.at("x").normal(2, 150);
      const Points y = stream.at("y").normal(2, 150).array() + 0.7;
      const BoxPartition grid({0, 1}, Vector::Constant(2, -3.0), Vector::Constant(2, 3.0), 3);
      const Given input{.samples = &y, .reference = &x, .partition = &grid, .evaluation = stream};
      const MetricRecord record = evaluate(name, input);
      values[r] = record.value;
      errors[r] = record.se;
    }
    EXPECT_NEAR(errors.mean() / moments_of(values).sd, 1, 4 * 0.065 + slack) << name;
  };
  check("mmd2_rbf_unbiased(sigma=1)", 0);
  check("energy_u", 0);
  check("js_divergence", 0.05);
  check("tvd", 0.05);
}

TEST(Geodesic, SigmaAndDistanceAreArcs) {
  // Two points of the unit sphere a right angle apart against their antipodes.
  const Sphere sphere(2);
  const Points x = atoms({{1, 0, 0}, {0, 1, 0}});
  const Points y = -x;
  const Given input{.samples = &y, .reference = &x, .manifold = &sphere, .evaluation = Stream(1, "e")};
  // Arcs: inside pi/2, across pi, pi/2, pi/2, pi.
  EXPECT_NEAR(evaluate("energy_u(space=geodesic)", input).value, 2 * (0.75 * M_PI) - M_PI / 2 - M_PI / 2, 1e-12);
  const double near = std::exp(-M_PI * M_PI / 8);
  const double far = std::exp(-M_PI * M_PI / 2);
  EXPECT_NEAR(evaluate("mmd2_rbf_unbiased(space=geodesic,sigma=1)", input).value, 2 * near - (near + far), 1e-12);
  const Given without{.samples = &y, .reference = &x, .evaluation = Stream(1, "e")};
  EXPECT_EQ(evaluate("energy(space=geodesic)", without).status.state, RecordState::not_applicable);
}

TEST(Torsions, AreBlindToFullTurns) {
  const Points x = Stream(3, "x").normal(2, 50);
  const Points y = x.array() + 2 * M_PI;
  EXPECT_NEAR(value_of("energy(space=torsions)", x, y), 0, 1e-12);
  EXPECT_GT(value_of("energy", x, y), 1);
}

TEST(FrechetAtInfinity, RemovesTheBiasOfTheSampleSize) {
  // fd of 600 points against 20,000 has the bias d(d+5)/4 (1/600 + 1/20000) = .073 in d = 12... less in d
  // = 6.
  constexpr Index draws = 30;
  Vector plain(draws);
  Vector extrapolated(draws);
  const Points x = Stream(14, "reference").normal(6, 20'000);
  for (Index r = 0; r < draws; ++r) {
    const Points y = Stream(14, "samples").at(static_cast<std::uint64_t>(r)).normal(6, 600);
    plain[r] = frechet_distance(x, y);
    extrapolated[r] = frechet_distance_at_infinity(x, y, Stream(14, "subsets"));
  }
  const NullMoments bias = moments_of(plain);
  const NullMoments rest = moments_of(extrapolated);
  const double root = std::sqrt(static_cast<double>(draws));
  EXPECT_NEAR(bias.mean, 6.0 * 11 / 4 * (1.0 / 600 + 1.0 / 20'000), 4 * bias.sd / root + 0.001);
  EXPECT_LT(std::abs(rest.mean), 0.25 * bias.mean);
}

TEST(FrechetNull, Spread) {
  // 400 draws: 4 / sqrt(800) = 14 %; second order in 1/N: 5 %.
  const Vector roots = (Vector(4) << 2, 1, 0.5, 0.1).finished();
  constexpr Index draws = 400;
  Vector values(draws);
  for (Index r = 0; r < draws; ++r) {
    const Stream stream = Stream(15, "null").at(static_cast<std::uint64_t>(r));
    values[r] = frechet_distance(roots.asDiagonal() * stream.at("x").normal(4, 300),
                                 roots.asDiagonal() * stream.at("y").normal(4, 200));
  }
  EXPECT_NEAR(moments_of(values).sd / frechet_null_sd(roots.cwiseAbs2(), 300, 200), 1, 0.19);
}

TEST(FrechetDistance, OfUnitMeansInManyDimensions) {
  const Index d = sanitized ? 256 : 2048;  // the same code; instrumented, 2048 dimensions take minutes
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(d, d);
  EXPECT_EQ(frechet_distance(Vector::Zero(d), identity, Vector::Ones(d), identity), static_cast<double>(d));
}

}  // namespace
}  // namespace onmanifold::test
