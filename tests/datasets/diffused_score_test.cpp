// SPDX-License-Identifier: Apache-2.0
// The analytic laws of a·x0 + sigma·z: score against log-density, log-density against quadrature and limits.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/quadrature.hpp"
#include "datasets/laws/planar_mixture.hpp"
#include "datasets/laws/plane_frame.hpp"
#include "datasets/laws/vmf_mixture.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

std::vector<Lift> lifts(double sigma) {
  return {{}, {LiftType::normal, sigma}, {LiftType::isotropic, sigma}};
}

/// Nodes and weights of a rule on S²: \p n Gauss–Legendre bands of z times 2n equal angles, exact for
/// polynomials of degree 2n - 1.
struct TrapezoidalRule {
  explicit TrapezoidalRule(Index n) : points(3, 2 * n * n), weights(2 * n * n) {
    const QuadratureRule z = gauss_legendre(n);
    for (Index i = 0; i < n; ++i) {
      const double sine = std::sqrt(1 - z.nodes[i] * z.nodes[i]);
      for (Index j = 0; j < 2 * n; ++j) {
        const double angle = M_PI * (static_cast<double>(j) + 0.3) / static_cast<double>(n);
        points.col(i * 2 * n + j) << sine * std::cos(angle), sine * std::sin(angle), z.nodes[i];
        weights[i * 2 * n + j] = z.weights[i] * M_PI / static_cast<double>(n);
      }
    }
  }
  Points points;
  Vector weights;
};

double gaussian(double square, double variance, int dimension) {
  return std::exp(-square / (2 * variance)) * std::pow(2 * M_PI * variance, -0.5 * dimension);
}

TEST(DiffusedScore, IsTheGradientOfTheLogDensity) {
  for (const char* name : {"plane-gmm9", "sphere-vmf6", "sphere-vmf2"}) {
    const Task task = default_task(name);
    for (const double lift_sigma : {0.05, 0.1, 0.5}) {
      for (const Lift& lift : lifts(lift_sigma)) {
        const auto law = task.diffused_score(lift);
        ASSERT_NE(law, nullptr);
        EXPECT_EQ(law->dimension(), 3);
        for (const double sigma : {0.01, 0.1, 0.6, 5.0}) {
          for (const double a : {1.0, 0.995, 0.3}) {
            const Points clean =
                lift.apply(task.sampler->sample(40, Stream(31, name)), *task.manifold, Stream(32, name));
            const Points x = a * clean + sigma * Stream(33, name).normal(3, 40);
            const Points score = law->score(x, a, sigma);
            // Fourth-order differences with a step of a hundredth of sigma: the error of the formula is 1e-9
            // of 1/sigma, that of rounding (log p up to 1e2, ulp 1e-14) 1e-11 of it.
            const double step = 0.01 * sigma;
            Points difference(3, 40);
            for (Index i = 0; i < 3; ++i) {
              const auto shifted = [&](double h) {
                Points moved = x;
                moved.row(i).array() += h;
                return law->log_density(moved, a, sigma);
              };
              difference.row(i) =
                  ((8 * (shifted(step) - shifted(-step)) - (shifted(2 * step) - shifted(-2 * step))) / (12 * step))
                      .transpose();
            }
            EXPECT_LE((difference - score).cwiseAbs().maxCoeff() * sigma, 1e-7)
                << name << " " << name_of(lift.type) << " " << lift_sigma << " sigma " << sigma << " a " << a;
          }
        }
      }
    }
  }
}

TEST(DiffusedScore, VmfLogDensityMatchesQuadratureOverTheSphere) {
  const TrapezoidalRule rule(160);  // resolves kernels of width 0.05
  for (const char* name : {"sphere-vmf6", "sphere-vmf2"}) {
    const Task task = default_task(name);
    const Vector log_p0 = task.density->log_density(rule.points);
    for (const double sigma : {0.05, 0.2, 0.6, 4.0}) {
      for (const double a : {1.0, 0.8}) {
        Points x(3, 4);
        x << 0.5, 0, 0.9, -1, 0.3, 0.02, 0.4, 0.2, 0.6, 0, 0.1, 0.3;
        const Vector log_p = task.diffused_score({})->log_density(x, a, sigma);
        for (Index j = 0; j < x.cols(); ++j) {
          double largest = -std::numeric_limits<double>::infinity();
          Vector exponents(rule.weights.size());
          for (Index i = 0; i < exponents.size(); ++i) {
            exponents[i] = log_p0[i] - (x.col(j) - a * rule.points.col(i)).squaredNorm() / (2 * sigma * sigma);
            largest = std::max(largest, exponents[i]);
          }
          const double expected = largest + std::log(rule.weights.dot((exponents.array() - largest).exp().matrix())) -
                                  1.5 * std::log(2 * M_PI * sigma * sigma);
          EXPECT_NEAR(log_p[j], expected, 1e-10 * std::max(1.0, std::abs(expected))) << name << sigma << " " << j;
        }
      }
    }
  }
}

TEST(DiffusedScore, LiftedVmfMatchesATrapezoidalRuleOverTheRadius) {
  // Independent of the panels: 20,001 equal steps of the unlifted law at a·r, r from -9 to 11 lift levels
  // around 1.
  for (const char* name : {"sphere-vmf6", "sphere-vmf2"}) {
    const Task task = default_task(name);
    for (const double lift : {0.05, 0.1, 0.5, 1.0}) {
      const auto law = task.diffused_score({LiftType::normal, lift});
      const auto plain = task.diffused_score({});
      for (const double sigma : {0.02, 0.1, 0.4, 3.0}) {
        const double a = 0.9;
        Points x(3, 6);
        x << 0.5, -0.5, 0.9, 1e-3, -1, 0, 0.3, -0.3, 0.4, 0, -0.1, 0, 0.7, -0.7, 0.1, 0, 0.1, 0;
        const Vector log_p = law->log_density(x, a, sigma);
        for (Index j = 0; j < x.cols(); ++j) {
          // The integrand is a sum of Gaussians of standard deviation √v with centres within ±(1 + lift) or
          // so; steps of 0.3 √v integrate such a sum exactly in double precision.
          const double low = -1.5 - 10 * lift;
          const double width = 0.3 / std::sqrt(1 / (lift * lift) + a * a / (sigma * sigma));
          const int steps = static_cast<int>(std::ceil(-2 * low / width));
          double largest = -std::numeric_limits<double>::infinity();
          std::vector<double> terms;
          for (int i = 0; i <= steps; ++i) {
            const double r = low + width * i;
            // x0 = r y with r < 0 is |r| times the antipode: the unlifted law at the reflected point.
            const Points at = r < 0 ? Points(-x.col(j)) : Points(x.col(j));
            terms.push_back(plain->log_density(at, a * std::abs(r), sigma)[0] - 0.5 * std::pow((r - 1) / lift, 2) -
                            0.5 * std::log(2 * M_PI * lift * lift));
            largest = std::max(largest, terms.back());
          }
          double sum = 0;
          for (const double term : terms) sum += std::exp(term - largest);
          const double expected = largest + std::log(sum * width);
          // The integrand is a sum of Gaussians at least 0.02 wide; steps of 0.005 lift levels integrate it
          // exactly.
          EXPECT_NEAR(log_p[j], expected, 1e-10 * std::max(1.0, std::abs(expected)))
              << name << " lift " << lift << " sigma " << sigma << " point " << j;
        }
      }
    }
  }
}

TEST(DiffusedScore, LiftedDensityIsThatOfDraws) {
  // Mean of the Gaussian kernel over draws of the lifted law, within 4 standard errors.
  for (const char* name : {"plane-gmm9", "sphere-vmf6"}) {
    const Task task = default_task(name);
    for (const Lift& lift : lifts(0.2)) {
      const Index n = 40000;
      const Points draws = lift.apply(task.sampler->sample(n, Stream(41, name)), *task.manifold, Stream(42, name));
      const double sigma = 0.3;
      const double a = 0.8;
      const Points x = a * draws.leftCols(5) + sigma * Stream(43, name).normal(3, 5);
      const auto law = task.diffused_score(lift);
      const Vector log_p = law->log_density(x, a, sigma);
      for (Index j = 0; j < x.cols(); ++j) {
        Vector kernel(n);
        for (Index i = 0; i < n; ++i)
          kernel[i] = gaussian((x.col(j) - a * draws.col(i)).squaredNorm(), sigma * sigma, 3);
        const double mean = kernel.mean();
        const double error = std::sqrt((kernel.array() - mean).square().mean() / static_cast<double>(n));
        EXPECT_NEAR(std::exp(log_p[j]), mean, 4 * error) << name << " " << name_of(lift.type);
        // The wrong lift is seen.
        if (lift.type == LiftType::normal && j == 0) {
          const auto wrong = task.diffused_score({LiftType::normal, 0.3});
          EXPECT_GT(std::abs(std::exp(wrong->log_density(x.leftCols(1), a, sigma)[0]) - mean), error);
        }
      }
    }
  }
}

TEST(DiffusedScore, VanishingNoiseGivesTheTubeFormula) {
  const double lift = 0.1;
  const double sigma = 1e-3;
  const Task sphere = default_task("sphere-vmf6");
  const Points clean = sphere.sampler->sample(50, Stream(51, "tube"));
  const Points x = Lift{LiftType::normal, lift}.apply(clean, *sphere.manifold, Stream(52, "tube"));
  const Vector log_p = sphere.diffused_score({LiftType::normal, lift})->log_density(x, 1, sigma);
  const Vector log_p0 = sphere.density->log_density(clean);
  for (Index j = 0; j < 50; ++j) {
    const double r = x.col(j).norm();
    const double tube = log_p0[j] - 2 * std::log(r) + std::log(gaussian((r - 1) * (r - 1), lift * lift, 1));
    EXPECT_NEAR(log_p[j], tube, 1e-3) << "the noise blurs p0 by kappa² sigma²/2 = 2e-4";
  }

  const Task plane = default_task("plane-gmm9");
  const Points flat = plane.sampler->sample(50, Stream(53, "tube"));
  const Points lifted = Lift{LiftType::normal, lift}.apply(flat, *plane.manifold, Stream(54, "tube"));
  const Vector log_q = plane.diffused_score({LiftType::normal, lift})->log_density(lifted, 1, sigma);
  const Vector log_q0 = plane.density->log_density(flat);
  const Vector heights = PlaneFrame().heights(lifted);
  for (Index j = 0; j < 50; ++j) {
    // Relative blur (sigma/width)² = 1e-4 times the square of the distance to the centre in widths, up to 16.
    EXPECT_NEAR(log_q[j], log_q0[j] + std::log(gaussian(heights[j] * heights[j], lift * lift, 1)), 2e-3);
  }
}

TEST(DiffusedScore, IsotropicLiftIsMoreNoise) {
  for (const char* name : {"plane-gmm9", "sphere-vmf6"}) {
    const Task task = default_task(name);
    const Points x = Stream(61, name).normal(3, 20);
    const double a = 0.7;
    const double sigma = 0.2;
    const double more = std::hypot(sigma, a * 0.3);
    const auto isotropic = task.diffused_score({LiftType::isotropic, 0.3});
    EXPECT_LE((isotropic->score(x, a, sigma) - task.diffused_score({})->score(x, a, more)).cwiseAbs().maxCoeff(),
              1e-11);
    // A lift of zero is no lift.
    EXPECT_EQ(task.diffused_score({LiftType::normal, 0})->score(x, a, sigma),
              task.diffused_score({})->score(x, a, sigma));
  }
}

TEST(DiffusedScore, StaysFiniteFarAwayAndAtEveryLevel) {
  for (const char* name : {"plane-gmm9", "sphere-vmf6", "sphere-vmf2"}) {
    const Task task = default_task(name);
    for (const double lift_sigma : {1e-3, 0.05, 3.0}) {
      for (const Lift& lift : lifts(lift_sigma)) {
        const auto law = task.diffused_score(lift);
        for (const double sigma : {1e-3, 0.03, 1.0, 50.0}) {
          for (const double a : {0.0, 1e-3, 1.0}) {
            Points x = Stream(71, name).normal(3, 32);
            x.colwise().normalize();
            for (Index j = 0; j < 32; ++j) x.col(j) *= j == 0 ? 0 : 50 * std::pow(0.7, static_cast<double>(j - 1));
            const Points score = law->score(x, a, sigma);
            EXPECT_TRUE(score.allFinite() && law->log_density(x, a, sigma).allFinite())
                << name << " " << name_of(lift.type) << lift_sigma << " " << sigma << " " << a;
            if (a == 0) {
              EXPECT_LE((score + x / (sigma * sigma)).cwiseAbs().maxCoeff(), 1e-12 * 50 / (sigma * sigma));
            }
          }
        }
      }
    }
  }
}

TEST(DiffusedScore, ColumnsDoNotDependOnTheBatch) {
  for (const char* name : {"plane-gmm9", "sphere-vmf6"}) {
    const Task task = default_task(name);
    Points x = Stream(81, name).normal(3, 700);
    x.rightCols(300) *= 0.01;  // small arguments take other branches
    for (const Lift& lift : lifts(0.1)) {
      const auto law = task.diffused_score(lift);
      for (const double sigma : {0.05, 0.3, 2.0}) {
        const Points all = law->score(x, 0.9, sigma);
        const Vector density = law->log_density(x, 0.9, sigma);
        EXPECT_EQ(law->score(x.middleCols(137, 501), 0.9, sigma), all.middleCols(137, 501));
        for (const Index j : {0, 255, 256, 699}) {
          EXPECT_EQ(law->score(x.col(j), 0.9, sigma), all.col(j));
          EXPECT_EQ(law->log_density(x.col(j), 0.9, sigma)[0], density[j]);
        }
      }
    }
  }
}

TEST(DiffusedScore, RefusesBadLevelsAndPassesBadPointsThrough) {
  for (const char* name : {"plane-gmm9", "sphere-vmf6"}) {
    const Task task = default_task(name);
    for (const Lift& lift : lifts(0.1)) {
      const auto law = task.diffused_score(lift);
      const Points x = Points::Ones(3, 2);
      EXPECT_THROW((void)law->score(x, 1, 0), InvalidInput);
      EXPECT_THROW((void)law->score(x, -1, 1), InvalidInput);
      EXPECT_THROW((void)law->score(Points::Ones(2, 2), 1, 1), InvalidInput);
      Points bad = x;
      bad(0, 0) = std::numeric_limits<double>::quiet_NaN();
      const Points score = law->score(bad, 1, 0.5);
      EXPECT_FALSE(score.col(0).allFinite());
      EXPECT_EQ(score.col(1), law->score(x, 1, 0.5).col(1));
    }
  }
}

}  // namespace
}  // namespace onmanifold
