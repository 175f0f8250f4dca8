// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gtest/gtest.h>

#include "core/math/quadrature.hpp"
#include "datasets/laws/sphere_partition.hpp"
#include "datasets/laws/stretched_sphere.hpp"
#include "goodness_of_fit.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

Task ellipsoid(double q) {
  Settings settings(Value(Value::Table{{"q", q}}), "test");
  Task task = task_registry().get("ellipsoid").factory(settings);
  settings.finish();
  return task;
}

/// The uniform law on S².
class Uniform final : public Density {
 public:
  [[nodiscard]] Vector log_density(const PointsRef& points) const override {
    return Vector::Constant(points.cols(), -std::log(4 * M_PI));
  }
  [[nodiscard]] std::optional<double> entropy() const override { return std::log(4 * M_PI); }
};

TEST(SphereRule, IntegratesPolynomialsExactly) {
  const SphereRule rule = sphere_rule(10);
  EXPECT_NEAR(rule.weights.sum(), 4 * M_PI, 1e-13);
  const auto moment = [&](int x, int y, int z) {
    return (rule.weights.array() * rule.points.row(0).transpose().array().pow(x) *
            rule.points.row(1).transpose().array().pow(y) * rule.points.row(2).transpose().array().pow(z))
        .sum();
  };
  EXPECT_NEAR(moment(2, 0, 0), 4 * M_PI / 3, 1e-13);
  EXPECT_NEAR(moment(2, 2, 0), 4 * M_PI / 15, 1e-13);
  EXPECT_NEAR(moment(4, 4, 6), 4 * M_PI * 3 * 3 * 15 / (3.0 * 5 * 7 * 9 * 11 * 13 * 15), 1e-13);
  EXPECT_NEAR(moment(1, 2, 0), 0, 1e-14);
}

TEST(EllipsoidTask, AreaFactorIsThatOfTheParametrisation) {
  // d area = |x_theta × x_phi| dtheta dphi by differences, against J sin(theta).
  for (const double q : {0.5, 1.0, 4.0, 8.0}) {
    const auto surface = std::make_shared<const Ellipsoid>(Vector{{1, 1, q}});
    const StretchedSphereLaw law(surface, nullptr, std::make_shared<const Uniform>());
    const auto place = [&](double theta, double phi) {
      return Eigen::Vector3d(std::sin(theta) * std::cos(phi), std::sin(theta) * std::sin(phi), q * std::cos(theta));
    };
    for (const double theta : {0.1, 0.7, 1.5, 2.9}) {
      const double phi = 0.4;
      const double h = 1e-5;
      const Eigen::Vector3d along = (place(theta + h, phi) - place(theta - h, phi)) / (2 * h);
      const Eigen::Vector3d around = (place(theta, phi + h) - place(theta, phi - h)) / (2 * h);
      const double factor = along.cross(around).norm() / std::sin(theta);
      EXPECT_NEAR(law.log_density(place(theta, phi))[0], -std::log(4 * M_PI * factor), 1e-8) << q << " " << theta;
    }
    // Entropy of the uniform direction: log 4 pi + the mean of log J, in closed form for (1, 1, q):
    // J = q sqrt(1 - e z²) with e = 1 - 1/q², and E log over z uniform on [-1, 1].
    const double e = 1 - 1 / (q * q);
    double mean = std::log(q);
    if (e > 0) {
      const double r = std::sqrt(e);
      mean += 0.5 * std::log(1 - e) - 1 + std::atanh(r) / r;
    } else if (e < 0) {
      const double r = std::sqrt(-e);
      mean += 0.5 * std::log(1 - e) - 1 + std::atan(r) / r;
    }
    EXPECT_NEAR(law.entropy().value(), std::log(4 * M_PI) + mean, 1e-12) << q;
  }
}

TEST(EllipsoidTask, SamplerMatchesDensityAndMassesAtEveryStatedAxis) {
  for (const double q : {1.0, 2.0, 8.0}) {
    const Task task = ellipsoid(q);
    EXPECT_NEAR(task.manifold->reach(), 1 / q, 1e-15);
    const Points points = task.sampler->sample(20000, Stream(1, "ellipsoid"));
    EXPECT_GT(testing::chi_square_p_value(*task.partition, task.masses, points), testing::alpha);
    const Vector log_density = task.density->log_density(points);
    const double spread = std::sqrt((log_density.array() - log_density.mean()).square().mean());
    EXPECT_NEAR(-log_density.mean(), task.entropy, 4 * spread / std::sqrt(20000.0));
    // The factor of area left out must be seen: at q = 1 there is none.
    const double plain = ellipsoid(1).entropy;
    if (q > 1) {
      EXPECT_GT(std::abs(-log_density.mean() - plain), 4 * spread / std::sqrt(20000.0));
    }
    const Points noise = Lift{LiftType::normal, 0.1 / q}.apply(points, *task.manifold, Stream(2, "e")) - points;
    const Points along = task.manifold->tangent_component(points, noise);
    EXPECT_LE(along.colwise().norm().maxCoeff(), 1e-12 * std::max(noise.colwise().norm().maxCoeff(), 1e-2));
  }
  EXPECT_EQ(ellipsoid(4).name, "ellipsoid");
  EXPECT_EQ(ellipsoid(8).name, "ellipsoid-q8");
}

}  // namespace
}  // namespace onmanifold
