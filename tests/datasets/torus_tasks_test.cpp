// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <boost/math/special_functions/bessel.hpp>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/quadrature.hpp"
#include "core/statistics.hpp"
#include "datasets/backbone_fragments.hpp"
#include "datasets/backbone_fragments.hpp"
#include "datasets/von_mises_mixture.hpp"
#include "goodness_of_fit.hpp"
#include "score_checks.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

std::shared_ptr<const VonMisesMixture> mixture_of(const Task& task) {
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
                                       const double place =
                                           std::clamp((a + M_PI) / (2 * M_PI) * 2000, 0.0, 1999.999);
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
  const auto law = mixture_of(default_task("torus-vm"));
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
        const Points x =
            a * task.sampler->sample(40, Stream(2, "score")) + sigma * Stream(3, "score").normal(4, 40);
        EXPECT_LT(testing::gradient_error(*law, x, a, sigma), 1e-7) << sigma << " " << a;
      }
    }
  }
  EXPECT_EQ(task.diffused_score({LiftType::normal, 0.1}), nullptr);
}

TEST(TorusVm, DiffusedDensityIsThatOfDraws) {
  const Task task = default_task("torus-vm");
  const Points draws = task.sampler->sample(20000, Stream(4, "density"));
  const Points x = 0.8 * draws.leftCols(5) + 0.3 * Stream(5, "density").normal(4, 5);
  EXPECT_LT(testing::monte_carlo_deviation(*task.diffused_score({}), draws, x, 0.8, 0.3), 4.5);
  EXPECT_GT(
      testing::monte_carlo_deviation(*task.diffused_score({LiftType::isotropic, 0.3}), draws, x, 0.8, 0.3),
      10);
}

TEST(TorusVm, ScoreStaysFinite) {
  const auto law = default_task("torus-vm").diffused_score({});
  for (const double sigma : {1e-3, 0.03, 1.0, 50.0}) {
    for (const double a : {0.0, 1e-3, 1.0}) {
      Points x = Stream(6, "far").normal(4, 10);
      x.col(0).setZero();
      x.col(1) *= 50;
      EXPECT_TRUE(law->score(x, a, sigma).allFinite() && law->log_density(x, a, sigma).allFinite());
    }
  }
}

TEST(VonMises, RefusesModesThatAreNone) {
  EXPECT_THROW(VonMisesMixture({{{0.0}, {-1.0}, 1.0}}), InvalidInput);
  EXPECT_THROW(VonMisesMixture({{{0.0}, {1.0}, 0.5}}), InvalidInput);
  EXPECT_THROW(VonMisesMixture({{{0.0}, {1.0}, 0.5}, {{0.0, 1.0}, {1.0, 1.0}, 0.5}}), InvalidInput);
  EXPECT_FALSE(
      VonMisesMixture({{{0, 0, 0}, {1, 1, 1}, 0.5}, {{1, 1, 1}, {1, 1, 1}, 0.5}}).entropy().has_value());
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
