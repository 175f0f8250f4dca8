// SPDX-License-Identifier: Apache-2.0
// Null values: closed forms against published numbers, and against seeded simulation of the metric itself. A
// simulated mean of R draws must lie within 4 standard errors (two-sided alpha = 6e-5 a comparison); a
// simulated spread of R draws within 4/sqrt(2R) of its ratio to the stated one.
#include <gtest/gtest.h>

#include "core/random/stream.hpp"
#include "metrics/binomial_moments.hpp"
#include "metrics/frechet.hpp"
#include "metrics/matching.hpp"
#include "metrics/mmd.hpp"
#include "metrics/one_dimensional.hpp"
#include "metrics/prdc.hpp"
#include "metrics/support.hpp"
#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

constexpr double sigmas = 4;

template <class Draw>
NullMoments simulate(Index draws, const Draw& draw) {
  Vector values(draws);
  for (Index r = 0; r < draws; ++r) values[r] = draw(Stream(11, "null-test").at(static_cast<std::uint64_t>(r)));
  return moments_of(values);
}

void expect_mean(const NullMoments& simulated, Index draws, double mean) {
  EXPECT_NEAR(simulated.mean, mean, sigmas * simulated.sd / std::sqrt(static_cast<double>(draws)));
}

void expect_spread(const NullMoments& simulated, Index draws, double sd, double slack = 0) {
  EXPECT_NEAR(simulated.sd / sd, 1, sigmas / std::sqrt(2.0 * static_cast<double>(draws)) + slack);
}

Vector uneven_masses(Index cells) {
  Vector masses(cells);
  for (Index b = 0; b < cells; ++b) masses[b] = 1 + std::sin(static_cast<double>(b)) * 0.95;
  return masses / masses.sum();
}

// Multinomial counts by inversion of the cumulative masses.
Vector multinomial_shares(Index n, const Vector& masses, Stream stream) {
  std::vector<double> cumulative;
  double sum = 0;
  for (Index b = 0; b < masses.size(); ++b) cumulative.push_back(sum += masses[b]);
  const Points u = stream.uniform(1, n);
  Vector shares = Vector::Zero(masses.size());
  for (Index i = 0; i < n; ++i) {
    const auto cell = std::upper_bound(cumulative.begin(), cumulative.end(), u(0, i)) - cumulative.begin();
    shares[std::min<Index>(cell, masses.size() - 1)] += 1.0 / static_cast<double>(n);
  }
  return shares;
}

TEST(BinomialMoments, MeanAbsoluteDeviationIsTheSumOverTheLaw) {
  for (const Index n : {Index{1}, Index{7}, Index{1000}, Index{100000}}) {
    for (const double p : {1e-7, 1e-4, 0.01, 0.3, 0.5, 0.999}) {
      const Vector one = Vector::Constant(1, p);
      const NullMoments direct = multinomial_sum_moments(n, one, [](double a, double b) { return std::abs(a - b); });
      // Five terms of the size n log n are rounded in the exponent.
      const double size = static_cast<double>(n) * std::log(static_cast<double>(n) + 1);
      EXPECT_NEAR(binomial_mean_absolute_deviation(n, p) / (static_cast<double>(n) * direct.mean), 1,
                  1e-12 + 5 * 0x1p-53 * size)
          << n << " " << p;
    }
  }
  EXPECT_EQ(binomial_mean_absolute_deviation(10, 0), 0);
  EXPECT_EQ(binomial_mean_absolute_deviation(10, 1), 0);
}

TEST(NullValues, TvdAgainstExactMassesClosedForms) {
  // One cell a point, lambda = N/K = 1/2: e^(-1/2) up to O(1/K).
  EXPECT_NEAR(tvd_null(1000, Vector::Constant(2000, 1.0 / 2000)), std::exp(-0.5), 5e-4);
  EXPECT_NEAR(tvd_null(100000, Vector::Constant(288, 1.0 / 288)), .02137, 5e-6);
  const Vector masses = uneven_masses(50);
  double roots = 0;
  for (Index b = 0; b < 50; ++b) roots += std::sqrt(masses[b] * (1 - masses[b]));
  const double large = 0.5 * std::sqrt(2 / (M_PI * 1e8)) * roots;
  EXPECT_NEAR(tvd_null(100'000'000, masses) / large, 1, 1e-5);
}

TEST(NullValues, TvdMomentsInEveryRegime) {
  constexpr Index draws = 2000;
  const struct {
    Index n;
    Index cells;
  } cases[] = {{100, 400}, {200, 200}, {1000, 50}, {2000, 10}};
  for (const auto& c : cases) {
    const Vector masses = uneven_masses(c.cells);
    const NullMoments simulated =
        simulate(draws, [&](const Stream& s) { return total_variation(masses, multinomial_shares(c.n, masses, s)); });
    const NullMoments stated =
        multinomial_sum_moments(c.n, masses, [](double p, double q) { return 0.5 * std::abs(p - q); });
    expect_mean(simulated, draws, tvd_null(c.n, masses));
    EXPECT_NEAR(stated.mean, tvd_null(c.n, masses), 1e-10);
    // The expansion in the correlation of two cells leaves about 1 % at 10 cells.
    expect_spread(simulated, draws, stated.sd, 0.02);
  }
}

TEST(NullValues, SpreadWithoutCovarianceWouldBeCaught) {
  // The broken twin: at one point a cell, |B - 1| has the variance .4587, which cells taken as independent
  // would sum; under a fixed total it is .3889. The ratio of spreads, 1.086, is seen to 1.1 % (one sd) by
  // 4000 draws.
  const Vector masses = Vector::Constant(200, 1.0 / 200);
  const NullMoments simulated =
      simulate(4000, [&](const Stream& s) { return total_variation(masses, multinomial_shares(200, masses, s)); });
  const NullMoments cell = multinomial_sum_moments(200, Vector::Constant(1, 1.0 / 200),
                                                   [](double p, double q) { return 0.5 * std::abs(p - q); });
  EXPECT_GT(cell.sd * std::sqrt(200.0) / simulated.sd, 1.086 * (1 - sigmas * .011));
}

TEST(NullValues, JensenShannonMoments) {
  constexpr Index draws = 2000;
  const Vector masses = uneven_masses(60);
  const auto term = [](double p, double q) {
    const double m = (p + q) / 2;
    return 0.5 * (p * std::log(p / m) + (q > 0 ? q * std::log(q / m) : 0));
  };
  for (const Index n : {Index{100}, Index{2000}}) {
    const NullMoments simulated =
        simulate(draws, [&](const Stream& s) { return jensen_shannon(masses, multinomial_shares(n, masses, s)); });
    const NullMoments stated = multinomial_sum_moments(n, masses, term);
    expect_mean(simulated, draws, stated.mean);
    expect_spread(simulated, draws, stated.sd, 0.03);
  }
}

TEST(NullValues, TvdOfTwoSamples) {
  // K cells, N = M: 5 digits published.
  EXPECT_NEAR(tvd_null_two_samples(1000, 1000, Vector::Constant(100, .01)), .17729, 5e-4);
  EXPECT_NEAR(tvd_null_two_samples(1000, 1000, Vector::Constant(400, 1.0 / 400)), .34751, 5e-6);
  EXPECT_NEAR(tvd_null_two_samples(10000, 10000, Vector::Constant(400, 1.0 / 400)), .11255, 2e-4);
  EXPECT_NEAR(tvd_null_two_samples(1000, 1000, Vector::Constant(2500, 1.0 / 2500)), .71865, 5e-6);
  const Vector masses = uneven_masses(40);
  const NullMoments simulated = simulate(1000, [&](const Stream& s) {
    return total_variation(multinomial_shares(900, masses, s.at("x")), multinomial_shares(1500, masses, s.at("y")));
  });
  // Normal approximation at about 20 points a cell: within 1 %.
  EXPECT_NEAR(simulated.mean / tvd_null_two_samples(900, 1500, masses), 1, 0.01);
}

TEST(NullValues, TvdCorrectedIsCentredAndFindsTheEffect) {
  const Vector masses = uneven_masses(100);
  const double null = tvd_null(5000, masses);
  const NullMoments moments =
      multinomial_sum_moments(5000, masses, [](double p, double q) { return 0.5 * std::abs(p - q); });
  const NullMoments u = simulate(1000, [&](const Stream& s) {
    const double tvd = total_variation(masses, multinomial_shares(5000, masses, s));
    return tvd * tvd - null * null - moments.sd * moments.sd;
  });
  expect_mean(u, 1000, 0);
}

TEST(NullValues, CoverageClosedForm) {
  EXPECT_NEAR(coverage_null(500, 500, 5), .969218, 5e-7);
  EXPECT_NEAR(coverage_null(500, 250, 3), .704891, 5e-7);
  EXPECT_NEAR(coverage_null(300, 600, 1), .667408, 2e-3);
  EXPECT_NEAR(coverage_null(1000, 1000, 5), .968984, 5e-7);
  EXPECT_NEAR(coverage_null(10000, 10000, 5), .968773, 5e-7);
  EXPECT_NEAR(coverage_null(2000, 500, 5), .672812, 5e-7);
}

TEST(NullValues, CoverageAndDensityBySimulation) {
  constexpr Index draws = 200;
  const UniformSphereSampler sphere;
  for (const auto& [n, m, k] : {std::tuple<Index, Index, Index>{200, 100, 3}, {150, 300, 1}}) {
    const NullMoments coverage = simulate(draws, [&, n = n, m = m, k = k](const Stream& s) {
      return prdc(sphere.sample(n, s.at("x")), sphere.sample(m, s.at("y")), k).coverage;
    });
    expect_mean(coverage, draws, coverage_null(n, m, k));
    const NullMoments density = simulate(draws, [&, n = n, m = m, k = k](const Stream& s) {
      return prdc(sphere.sample(n, s.at("x")), sphere.sample(m, s.at("y")), k).density;
    });
    expect_mean(density, draws, 1);
  }
}

TEST(NullValues, OneNna) {
  EXPECT_NEAR(one_nna_null(400, 250), .525898, 5e-7);
  EXPECT_NEAR(one_nna_null(1000, 1000), 999.0 / 1999, 1e-15);
  const UniformSphereSampler sphere;
  const NullMoments simulated = simulate(200, [&](const Stream& s) {
    return one_nna(sphere.sample(120, s.at("x")), sphere.sample(80, s.at("y"))).accuracy;
  });
  expect_mean(simulated, 200, one_nna_null(120, 80));
}

TEST(NullValues, CovMatchOfGaussiansAndSpheres) {
  // Means of 60 published draws, ± 1 sd in brackets: a mean of 20 draws here within 4 standard errors of
  // both.
  const auto mean = [](const Sampler& law, Index samples, Index reference) {
    return simulate(20,
                    [&](const Stream& s) {
                      return cov_match(law.sample(reference, s.at("x")), law.sample(samples, s.at("y")));
                    })
        .mean;
  };
  const double error = sigmas * std::sqrt(1.0 / 20 + 1.0 / 60);
  EXPECT_NEAR(mean(GaussianSampler(1), 1000, 1000), 5.0 / 9, error * .0112);
  EXPECT_NEAR(mean(GaussianSampler(2), 1000, 1000), .5854, error * .0110);
  // On S^2 as for any law of two dimensions; .5983 and .3796 are the values of S^3, as of any law of three.
  EXPECT_NEAR(mean(UniformSphereSampler(3), 1000, 1000), .5854, error * .0110);
  EXPECT_NEAR(mean(UniformSphereSampler(3), 500, 1000), .3725, error * .0066);
  EXPECT_NEAR(mean(UniformSphereSampler(4), 1000, 1000), .5983, error * .0106);
  EXPECT_NEAR(mean(UniformSphereSampler(4), 500, 1000), .3796, error * .0071);
  EXPECT_NEAR(mean(GaussianSampler(10), 500, 1000), .3678, error * .0079);
}

TEST(NullValues, MmdOfGaussians) {
  // N(0, I_3), sigma = 1.5: E k = (1 + 2/sigma^2)^(-3/2).
  constexpr Index draws = 300;
  const double ek = std::pow(1 + 2 / 2.25, -1.5);
  EXPECT_NEAR((2.0 / 200) * (1 - ek), .00614796, 5e-9);
  const RadialKernel kernel({0.5 / 2.25});
  const GaussianSampler law(3);
  const KernelMoments moments = kernel_moments(law.sample(2000, Stream(3, "moments")), kernel);
  EXPECT_NEAR(moments.mean, ek, 0.01);
  // E k^2 - 2 E g^2 + (E k)^2 with Gaussian integrals: g(x) = (s/(1+s))^(3/2) exp(-x^2/(2(1+s))), s =
  // sigma^2.
  const double s = 2.25;
  const double ek2 = std::pow(1 + 4 / s, -1.5);
  const double eg2 = std::pow(s / (1 + s), 3) * std::pow(1 + 2 / (1 + s), -1.5);
  EXPECT_NEAR(moments.centred_square / (ek2 - 2 * eg2 + ek * ek), 1, 0.05);
  for (const auto& [n, m] : {std::pair<Index, Index>{200, 200}, {60, 150}}) {
    const auto estimate = [&, n = n, m = m](bool biased) {
      return simulate(draws, [&](const Stream& stream) {
        const MmdEstimates e = mmd2(law.sample(n, stream.at("x")), law.sample(m, stream.at("y")), kernel);
        return biased ? e.biased : e.unbiased;
      });
    };
    const NullMoments biased = estimate(true);
    const NullMoments unbiased = estimate(false);
    expect_mean(biased, draws, (1 / static_cast<double>(n) + 1 / static_cast<double>(m)) * (1 - ek));
    expect_mean(unbiased, draws, 0);
    expect_spread(biased, draws, mmd2_null_sd(moments, n, m, true), 0.05);
    expect_spread(unbiased, draws, mmd2_null_sd(moments, n, m, false), 0.05);
  }
}

TEST(NullValues, MmdMeanKernelOnTheSphere) {
  const RadialKernel kernel({0.5});
  const KernelMoments moments = kernel_moments(UniformSphereSampler().sample(2000, Stream(3, "sphere")), kernel);
  // sd of the mean over 2000 points is below 0.001 by its own projection variance.
  EXPECT_NEAR(moments.mean, 0.5 * (1 - std::exp(-2.0)), 0.005);
}

TEST(NullValues, EnergyOfGaussians) {
  const GaussianSampler law(3);
  EXPECT_NEAR((2.0 / 200) * 4 / std::sqrt(M_PI), .0225676, 5e-8);
  const PairFunction distance{};
  const KernelMoments moments = kernel_moments(law.sample(2000, Stream(3, "energy")), distance);
  EXPECT_NEAR(moments.mean / (4 / std::sqrt(M_PI)), 1, 0.02);
  const Index n = 100;
  const NullMoments simulated = simulate(
      200, [&](const Stream& s) { return value_of("energy", law.sample(n, s.at("x")), law.sample(n, s.at("y"))); });
  expect_mean(simulated, 200, (2.0 / static_cast<double>(n)) * 4 / std::sqrt(M_PI));
  expect_spread(simulated, 200, mmd2_null_sd(moments, n, n, true), 0.05);
}

TEST(NullValues, FrechetOfGaussians) {
  EXPECT_NEAR(frechet_null(Vector::Ones(64), 1000, 1000), 64 * 69 / 2000.0, 1e-12);
  const Vector spectrum = (Vector(8) << 4, 2, 1, .5, .1, .01, 0, 0).finished();
  EXPECT_NEAR(frechet_null(spectrum, 1000, 1000), 0.03162, 5e-6);
  const GaussianSampler law(6);
  const NullMoments simulated = simulate(
      200, [&](const Stream& s) { return frechet_distance(law.sample(500, s.at("x")), law.sample(500, s.at("y"))); });
  // The closed form is the first order in 1/N: about d/N = 1 % is left.
  EXPECT_NEAR(simulated.mean / (6 * 11 / 1000.0), 1, 0.015 + sigmas * simulated.sd / simulated.mean / std::sqrt(200.0));
}

TEST(NullValues, FrechetAgainstExactMoments) {
  // N(0, I_16), 1000 points against the exact law: half of d (d + 5) / N; first order in 1/N, 1.5 % left.
  const GaussianSampler law(16);
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(16, 16);
  EXPECT_NEAR(16 * 21 / 4000.0, .084, 1e-12);
  const NullMoments simulated = simulate(100, [&](const Stream& s) {
    const Points x = law.sample(1000, s.at("x"));
    const Vector mean = x.rowwise().mean();
    const Eigen::MatrixXd factor = (x.colwise() - mean).transpose() / std::sqrt(999.0);
    return frechet_distance(mean, factor, Vector::Zero(16), identity);
  });
  EXPECT_NEAR(simulated.mean / .084, 1, 0.02 + sigmas * simulated.sd / simulated.mean / 10);
}

TEST(NullValues, SpreadsOfDistancesBySimulation) {
  // Spreads from 20 to 40 simulated pairs: 5 sd with 4 errors of such a spread (11 to 16 %) on top.
  const SphereScene scene(300);
  const Given input = scene.input(scene.truth);
  for (const char* text : {"chamfer", "mmd_min", "mmd_min_gen", "fd_inf"}) {
    const MetricRecord record = evaluate(text, input);
    EXPECT_GT(record.null_sd, 0) << text;
    EXPECT_NEAR(record.value, record.null, 5 * 1.6 * record.null_sd) << text;
  }
}

TEST(NullValues, LinesOfUniforms) {
  constexpr Index draws = 500;
  const auto draw = [](const Stream& s, const char* name) { return Vector(s.at(name).uniform(500, 1)); };
  const auto w1 = simulate(draws, [&](const Stream& s) { return line_transport(draw(s, "x"), draw(s, "y"), 1); });
  const auto w2 = simulate(draws, [&](const Stream& s) { return line_transport(draw(s, "x"), draw(s, "y"), 2); });
  const auto ks = simulate(draws, [&](const Stream& s) { return kolmogorov_smirnov(draw(s, "x"), draw(s, "y")); });
  expect_mean(w2, draws, 1.0 / (3 * 501));
  expect_mean(w1, draws, std::sqrt(M_PI) / (4 * std::sqrt(500.0)));
  // Kolmogorov's law is the limit: at N = 500 the mean is lower by about 1 %.
  EXPECT_NEAR(ks.mean / (.868731 * std::sqrt(2.0 / 500)), 1, 0.015 + sigmas * ks.sd / ks.mean / std::sqrt(500.0));
}

TEST(NullValues, SlicedTransportOnTheSphere) {
  // A projection of the uniform law on S^2 is uniform on [-1, 1]: E W2^2 = 4 / (3 (N + 1)).
  const UniformSphereSampler sphere;
  Points directions = Stream(3, "directions").normal(3, 8);
  directions.colwise().normalize();
  const NullMoments squares = simulate(100, [&](const Stream& s) {
    const double root = sliced_w2(sphere.sample(300, s.at("x")), sphere.sample(300, s.at("y")), directions);
    return root * root;
  });
  expect_mean(squares, 100, 4.0 / (3 * 301));
}

TEST(NullValues, RecordsOfAPerfectModelLieInTheirBands) {
  // One draw of each metric; 5 sd, alpha = 6e-7 each. Spreads by 40 simulated pairs are themselves 11 %
  // uncertain.
  const SphereScene scene(1000);
  Given input = scene.input(scene.truth);
  for (const char* text :
       {"tvd", "js_divergence", "js_distance", "coverage", "density", "precision", "recall", "cov_match", "one_nna",
        "kid", "energy", "energy_u", "ks", "mmd2_rbf_biased", "mmd2_rbf_unbiased(sigma=0.5)", "train_copy_rate"}) {
    const MetricRecord record = evaluate(text, input);
    EXPECT_EQ(record.status.text(), "ok") << text;
    EXPECT_GT(record.null_sd, 0) << text;
    EXPECT_NEAR(record.value, record.null, 5 * record.null_sd) << text;
  }
}

}  // namespace
}  // namespace onmanifold::test
