// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <boost/math/special_functions/bessel.hpp>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/quadrature.hpp"
#include "core/math/statistics.hpp"
#include "datasets/laws/von_mises_mixture.hpp"
#include "datasets/readers/backbone_fragments.hpp"
#include "goodness_of_fit.hpp"
#include "score_checks.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

std::shared_ptr<const VonMisesMixture> von_mises_of(const Task& task) {
  return std::dynamic_pointer_cast<const VonMisesMixture>(task.density);
}

TEST(VonMises, SamplerFollowsTheDistributionFunction) {
  for (const double kappa : {0.0, 0.01, 1.0, 8.0, 300.0}) {
    const double mean = 2.5;
    const Points draws = VonMisesMixture({{{mean}, {kappa}, 1.0}}).sample(10000, Stream(1, "von Mises"));
    Vector angle(draws.cols());
    for (Index j = 0; j < draws.cols(); ++j) {
      angle[j] = std::remainder(std::atan2(draws(1, j), draws(0, j)) - mean, 2 * M_PI);
    }
    // Distribution function on a table of 2000 arcs.
    const auto table = [](double k) {
      std::vector<double> sums = {0.0};
      const double width = 2 * M_PI / 2000;
      for (int b = 0; b < 2000; ++b) {
        const QuadratureRule rule = gauss_legendre(4, -M_PI + width * b, -M_PI + width * (b + 1));
        double sum = 0;
        for (Index q = 0; q < 4; ++q) sum += rule.weights[q] * std::exp(k * (std::cos(rule.nodes[q]) - 1));
        sums.push_back(sums.back() + sum);
      }
      return sums;
    };
    const auto test = [&](double k) {
      const std::vector<double> sums = table(k);
      return kolmogorov_smirnov_test(angle,
                                     [&](double a) {
                                       const double place = std::clamp((a + M_PI) / (2 * M_PI) * 2000, 0.0, 1999.999);
                                       const auto bin = static_cast<std::size_t>(place);
                                       const double part = place - std::floor(place);
                                       return (sums[bin] + part * (sums[bin + 1] - sums[bin])) / sums.back();
                                     })
          .p;
    };
    EXPECT_GT(test(kappa), testing::alpha) << kappa;
    if (kappa >= 1) {
      EXPECT_LT(test(1.2 * kappa), 1e-6) << "kappa off by 20 % is seen";
    }
  }
}

TEST(VonMises, EntropyOfOneModeIsTheClosedForm) {
  const VonMisesMixture one({{{0.3, -2}, {8, 20}, 1.0}});
  double expected = 0;
  for (const double kappa : {8.0, 20.0}) {
    const double i0 = boost::math::cyl_bessel_i(0, kappa);
    expected += std::log(2 * M_PI * i0) - kappa * boost::math::cyl_bessel_i(1, kappa) / i0;
  }
  EXPECT_NEAR(one.entropy().value(), expected, 1e-13);
  // The trapezoidal rule, made to run by splitting the mode in two equal ones.
  const VonMisesMixture twice({{{0.3, -2}, {8, 20}, 0.5}, {{0.3, -2}, {8, 20}, 0.5}});
  EXPECT_NEAR(twice.entropy().value(), expected, 1e-12);
}

TEST(TorusVm, MassesAreExact) {
  const auto law = von_mises_of(default_task("torus-vm"));
  const Vector coarse = law->masses(TorusPartition(2, 24));
  const Vector fine = law->masses(TorusPartition(2, 72));
  EXPECT_NEAR(coarse.sum(), 1, 1e-13);
  for (Index row = 0; row < 24; ++row) {
    for (Index column = 0; column < 24; ++column) {
      double sum = 0;
      for (Index i = 0; i < 3; ++i) {
        for (Index j = 0; j < 3; ++j) sum += fine[(3 * row + i) * 72 + 3 * column + j];
      }
      EXPECT_NEAR(coarse[row * 24 + column], sum, 1e-14);
    }
  }
  EXPECT_THROW((void)law->masses(TorusPartition(1, 24)), InvalidInput);
  EXPECT_THROW(TorusPartition(9, 24), InvalidInput);
}

TEST(TorusPartition, AnglesStartAtMinusPi) {
  const TorusPartition cells(2, 4);
  Points x(4, 4);
  x << 1, -1, 0, NAN,  //
      0, 1e-9, 0, 0,   //
      0, 3, 5, 0,      //
      -2, 3, -5, 1;
  const Eigen::VectorXi found = cells.assign(x);
  EXPECT_EQ(found[0], 2 + 4 * 1);
  EXPECT_EQ(found[1], 3 + 4 * 2);
  EXPECT_EQ(found[2], 2 + 4 * 1) << "(0, 0) has angle 0";
  EXPECT_EQ(found[3], -1);
}

TEST(TorusVm, ScoreIsTheGradientOfTheLogDensity) {
  const Task task = default_task("torus-vm");
  for (const Lift& lift : {Lift{}, Lift{LiftType::isotropic, 0.1}}) {
    const auto law = task.diffused_score(lift);
    for (const double sigma : {0.01, 0.1, 0.6, 5.0}) {
      for (const double a : {1.0, 0.3}) {
        const Points x = a * task.sampler->sample(40, Stream(2, "score")) + sigma * Stream(3, "score").normal(4, 40);
        EXPECT_LT(testing::gradient_error(*law, x, a, sigma), 1e-7) << sigma << " " << a;
      }
    }
  }
}

TEST(TorusVm, LiftedScoreIsTheGradientOfTheLogDensity) {
  for (const char* name : {"circle-vm", "torus-vm"}) {
    const Task task = default_task(name);
    for (const double lift : {0.05, 0.3, 1.0}) {
      const auto law = task.diffused_score({LiftType::normal, lift});
      ASSERT_NE(law, nullptr);
      for (const double sigma : {0.01, 0.1, 0.6, 5.0}) {
        for (const double a : {1.0, 0.3}) {
          const Points lifted = Lift{LiftType::normal, lift}.apply(task.sampler->sample(12, Stream(20, name)),
                                                                   *task.manifold, Stream(21, name));
          const Points x = a * lifted + sigma * Stream(22, name).normal(lifted.rows(), 12);
          EXPECT_LT(testing::gradient_error(*law, x, a, sigma), 1e-7)
              << name << " " << lift << " " << sigma << " " << a;
        }
      }
    }
  }
}

TEST(TorusVm, LiftedDensityMatchesTheTrapezoidalRuleOverTheRadii) {
  // Independent of the panels: the unlifted law at a·r, the radius squared away, in equal steps that
  // integrate a sum of Gaussians of standard deviation √v exactly. Two modes, so that the mixture counts.
  const VonMisesMixture mixture({{{0.4}, {6.0}, 0.7}, {{-2.0}, {0.5}, 0.3}});
  const auto plain = make_diffused_von_mises(mixture, {});
  const double a = 0.9;
  Points x(2, 6);
  x << 0.5, -0.9, 1e-3, -1, 0, 2.5, 0.3, 0.4, 0, -0.1, 0, -1;
  for (const double lift : {0.05, 0.3, 1.0}) {
    const auto law = make_diffused_von_mises(mixture, {LiftType::normal, lift});
    for (const double sigma : {0.02, 0.1, 0.4, 3.0}) {
      const Vector found = law->log_density(x, a, sigma);
      const double step = 0.3 / std::sqrt(1 / (lift * lift) + a * a / (sigma * sigma));
      const double low = -3 - 10 * lift;
      const auto steps = static_cast<Index>(std::ceil(-2 * low / step));
      for (Index j = 0; j < x.cols(); ++j) {
        Vector terms(steps + 1);
        for (Index i = 0; i <= steps; ++i) {
          const double r = low + step * static_cast<double>(i);
          // A negative radius is the other side of the circle.
          const Points at = r < 0 ? Points(-x.col(j)) : Points(x.col(j));
          terms[i] = plain->log_density(at, a * std::abs(r), sigma)[0] - 0.5 * ((r - 1) / lift) * ((r - 1) / lift) -
                     0.5 * std::log(2 * M_PI * lift * lift);
        }
        const double top = *std::max_element(terms.begin(), terms.end());
        double sum = 0;
        for (const double term : terms) sum += std::exp(term - top);
        const double expected = top + std::log(sum * step);
        EXPECT_NEAR(found[j], expected, 1e-10 * std::max(1.0, std::abs(expected)))
            << lift << " " << sigma << " point " << j;
      }
    }
  }
}

TEST(TorusVm, LiftedDensityIsThatOfDraws) {
  // Lift levels at which the radius is negative now and then: Φ(-2.5) of the pairs.
  const double lift = 0.4;
  for (const char* name : {"circle-vm", "torus-vm"}) {
    const Task task = default_task(name);
    const Points draws = Lift{LiftType::normal, lift}.apply(task.sampler->sample(20000, Stream(23, name)),
                                                            *task.manifold, Stream(24, name));
    const Points x = 0.8 * draws.leftCols(5) + 0.3 * Stream(25, name).normal(draws.rows(), 5);
    const auto deviation = [&](const Lift& other) {
      return testing::monte_carlo_deviation(*task.diffused_score(other), draws, x, 0.8, 0.3);
    };
    EXPECT_LT(deviation({LiftType::normal, lift}), 4.5) << name;
    // Controls: another level, noise in all directions, and no lift at all.
    EXPECT_GT(deviation({LiftType::normal, 0.7}), 10) << name;
    EXPECT_GT(deviation({LiftType::isotropic, lift}), 10) << name;
    EXPECT_GT(deviation({}), 10) << name;
  }
}

TEST(TorusVm, LiftedMassOnTheCircleIsOne) {
  const Task task = default_task("circle-vm");
  const double sigma = 0.25;
  const Index nodes = 121;
  const double step = 0.08;  // a third of the noise: the trapezoidal rule is exact to 1e-12 for Gaussians
  Points grid(2, nodes * nodes);
  for (Index i = 0; i < nodes * nodes; ++i) {
    grid.col(i) << step * static_cast<double>(i % nodes - nodes / 2), step * static_cast<double>(i / nodes - nodes / 2);
  }
  const auto law = task.diffused_score({LiftType::normal, 0.3});
  // The square ends at 4.8, 9 standard deviations beyond the circle.
  double mass = 0;
  for (const double value : law->log_density(grid, 1, sigma)) mass += std::exp(value) * step * step;
  EXPECT_NEAR(mass, 1, 1e-10);
}

TEST(TorusVm, LiftedDensityHasTheLimitsOfNoLiftAndOfNoNoise) {
  const Task task = default_task("torus-vm");
  const Points clean = task.sampler->sample(20, Stream(26, "limits"));
  const Points x = clean + 0.2 * Stream(27, "limits").normal(4, 20);
  // The lift adds lift² to the variance along normals, .2²: relative 2.5e-9 of a score of size 1/.2.
  const auto slight = task.diffused_score({LiftType::normal, 1e-5});
  EXPECT_LT((slight->score(x, 1, 0.2) - task.diffused_score({})->score(x, 1, 0.2)).cwiseAbs().maxCoeff(), 1e-6);
  // Without noise: the tube formula, p0 / (r_1 r_2) times the normal density of the radii. The noise blurs p0
  // by kappa² sigma²/2, up to 5e-4.
  const Points lifted = Lift{LiftType::normal, 0.1}.apply(clean, *task.manifold, Stream(28, "limits"));
  const Vector found = task.diffused_score({LiftType::normal, 0.1})->log_density(lifted, 1, 1e-3);
  const Vector log_p0 = task.density->log_density(clean);
  for (Index j = 0; j < 20; ++j) {
    double tube = log_p0[j];
    for (Index i = 0; i < 4; i += 2) {
      const double r = lifted.col(j).segment<2>(i).norm();
      tube -= std::log(r) + 0.5 * std::pow((r - 1) / 0.1, 2) + 0.5 * std::log(2 * M_PI * 0.01);
    }
    EXPECT_NEAR(found[j], tube, 2e-3);
  }
}

TEST(TorusVm, DiffusedDensityIsThatOfDraws) {
  const Task task = default_task("torus-vm");
  const Points draws = task.sampler->sample(20000, Stream(4, "density"));
  const Points x = 0.8 * draws.leftCols(5) + 0.3 * Stream(5, "density").normal(4, 5);
  EXPECT_LT(testing::monte_carlo_deviation(*task.diffused_score({}), draws, x, 0.8, 0.3), 4.5);
  EXPECT_GT(testing::monte_carlo_deviation(*task.diffused_score({LiftType::isotropic, 0.3}), draws, x, 0.8, 0.3), 10);
}

TEST(TorusVm, ScoreStaysFinite) {
  const Task task = default_task("torus-vm");
  for (const Lift& lift : {Lift{}, Lift{LiftType::normal, 1e-3}, Lift{LiftType::normal, 3.0}}) {
    const auto law = task.diffused_score(lift);
    for (const double sigma : {1e-3, 0.03, 1.0, 50.0}) {
      for (const double a : {0.0, 1e-3, 1.0}) {
        Points x = Stream(6, "far").normal(4, 10);
        x.col(0).setZero();
        x.col(1) *= 50;
        EXPECT_TRUE(law->score(x, a, sigma).allFinite() && law->log_density(x, a, sigma).allFinite());
        EXPECT_EQ(law->score(x.col(3), a, sigma), law->score(x, a, sigma).col(3));
      }
    }
    Points bad = Points::Ones(4, 2);
    bad(2, 0) = NAN;
    const Points score = law->score(bad, 1, 0.5);
    EXPECT_FALSE(score.col(0).allFinite());
    EXPECT_TRUE(score.col(1).allFinite());
  }
}

TEST(VonMises, RefusesModesThatAreNone) {
  EXPECT_THROW(VonMisesMixture({{{0.0}, {-1.0}, 1.0}}), InvalidInput);
  EXPECT_THROW(VonMisesMixture({{{0.0}, {1.0}, 0.5}}), InvalidInput);
  EXPECT_THROW(VonMisesMixture({{{0.0}, {1.0}, 0.5}, {{0.0, 1.0}, {1.0, 1.0}, 0.5}}), InvalidInput);
  EXPECT_FALSE(VonMisesMixture({{{0, 0, 0}, {1, 1, 1}, 0.5}, {{1, 1, 1}, {1, 1, 1}, 0.5}}).entropy().has_value());
}

TEST(TorusRamachandran, HasTheAnglesOfRealResidues) {
  const Task task = default_task("torus-ramachandran");
  ASSERT_TRUE(task.splits.has_value());
  EXPECT_EQ(task.splits->train->size(), 10000);
  EXPECT_EQ(task.splits->validation->size(), 3000);
  EXPECT_EQ(task.splits->reference->size(), 3000);
  EXPECT_EQ(task.sampler, task.splits->validation);
  EXPECT_FALSE(task.source.empty());
  EXPECT_FALSE(task.licence.empty());
  EXPECT_LE(task.smallest_noise, task.preregistered_sigma / 3);
  Index helices = 0;
  const Points& train = task.splits->train->points();
  EXPECT_LT(task.manifold->residual(train).cwiseAbs().maxCoeff(), 1e-14);
  for (Index j = 0; j < train.cols(); ++j) {
    const double phi = std::atan2(train(1, j), train(0, j));
    const double psi = std::atan2(train(3, j), train(2, j));
    helices += std::hypot(phi + 1.10, psi + 0.75) < 0.5 ? 1 : 0;
  }
  // The alpha region is the largest of every set of proteins; (psi, phi) in place of (phi, psi) has hardly
  // anything.
  EXPECT_GT(helices, 2500);

  // The first fragment by hand: the dihedral angles of its middle residue from cross products.
  const BackboneFragments& fragments = shipped_backbone_fragments();
  const auto atom = [&](Index residue, Index k) {
    return Eigen::Vector3d(fragments.coordinates.col(0).segment<3>(9 * residue + 3 * k));
  };
  const auto dihedral = [](const Eigen::Vector3d& a, const Eigen::Vector3d& b, const Eigen::Vector3d& c,
                           const Eigen::Vector3d& d) {
    const Eigen::Vector3d first = (b - a).cross(c - b);
    const Eigen::Vector3d second = (c - b).cross(d - c);
    return std::copysign(std::acos(std::clamp(first.normalized().dot(second.normalized()), -1.0, 1.0)),
                         first.dot(d - c));
  };
  const double phi = dihedral(atom(6, 2), atom(7, 0), atom(7, 1), atom(7, 2));
  const double psi = dihedral(atom(7, 0), atom(7, 1), atom(7, 2), atom(8, 0));
  const Eigen::Vector4d expected(std::cos(phi), std::sin(phi), std::cos(psi), std::sin(psi));
  double nearest = 1;
  for (const auto& split : {task.splits->train, task.splits->validation, task.splits->reference}) {
    nearest = std::min(nearest, (split->points().colwise() - Vector(expected)).colwise().norm().minCoeff());
  }
  EXPECT_LT(nearest, 1e-7);  // the arc cosine loses half of the digits near 0 and 180 degrees
}

}  // namespace
}  // namespace onmanifold
