// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "goodness_of_fit.hpp"
#include "manifolds/placed_sphere.hpp"
#include "score_checks.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

Task sweep(Index dimension, Index ambient) {
  Settings settings(Value(Value::Table{{"dim", dimension}, {"ambient", ambient}}), "test");
  Task task = task_registry().get("sphere-sweep").factory(settings);
  settings.finish();
  return task;
}

TEST(SphereSweep, EveryCellOfTheGridKeepsLawAndLift) {
  for (const Index dimension : {1, 2}) {
    for (const Index ambient : {dimension + 1, Index{16}, Index{64}}) {
      const Task task = sweep(dimension, ambient);
      EXPECT_EQ(task.manifold->codimension(), ambient - dimension);
      const Points points = task.sampler->sample(10000, Stream(1, "sweep"));
      EXPECT_GT(testing::chi_square_p_value(*task.partition, task.masses, points), testing::alpha);
      const Vector log_density = task.density->log_density(points);
      const double spread = std::sqrt((log_density.array() - log_density.mean()).square().mean());
      EXPECT_NEAR(-log_density.mean(), task.entropy, 4 * spread / 100);
      const Points few = points.leftCols(500);
      const Points noise = Lift{LiftType::normal, 0.1}.apply(few, *task.manifold, Stream(2, "sweep")) - few;
      const Points along = task.manifold->tangent_component(few, noise);
      EXPECT_LE(along.colwise().norm().maxCoeff(), 1e-12 * std::max(noise.colwise().norm().maxCoeff(), 1e-2));
    }
  }
  EXPECT_EQ(sweep(2, 16).name, "sphere-sweep");
  EXPECT_EQ(sweep(1, 64).name, "sphere-sweep-1-in-64");
  EXPECT_THROW((void)sweep(2, 2), InvalidInput);
  EXPECT_THROW((void)sweep(3, 16), InvalidInput);
}

TEST(SphereSweep, NoisedLawMatchesItsDrawsAndItsGradient) {
  for (const Index dimension : {1, 2}) {
    const Task task = sweep(dimension, 5);
    for (const Lift& lift : {Lift{}, Lift{LiftType::normal, 0.2}, Lift{LiftType::isotropic, 0.2}}) {
      const auto law = task.diffused_score(lift);
      ASSERT_NE(law, nullptr);
      const Points draws =
          lift.apply(task.sampler->sample(20000, Stream(3, "sweep")), *task.manifold, Stream(4, "sweep"));
      const Points x = 0.9 * draws.leftCols(8) + 0.5 * Stream(5, "sweep").normal(5, 8);
      EXPECT_LE(testing::monte_carlo_deviation(*law, draws, x, 0.9, 0.5), 4) << name_of(lift.type);
      // A Gaussian of another level in the flat directions must be seen.
      const auto wrong = task.diffused_score({LiftType::isotropic, 0.5});
      EXPECT_GT(testing::monte_carlo_deviation(*wrong, draws, x, 0.9, 0.5), 6) << name_of(lift.type);
      EXPECT_LE(testing::gradient_error(*law, x, 0.9, 0.5), 1e-7);
    }
  }
}

}  // namespace
}  // namespace onmanifold
