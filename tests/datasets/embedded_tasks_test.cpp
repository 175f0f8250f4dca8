// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gtest/gtest.h>

#include "datasets/laws/embedded_law.hpp"
#include "manifolds/orbit_embedding.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

TEST(EmbeddedTasks, CarryTheLawOverUnchanged) {
  const Task sphere = default_task("sphere-vmf6");
  const Task task = default_task("sphere-in-16d");
  EXPECT_EQ(task.manifold->ambient_dimension(), 16);
  EXPECT_EQ(task.entropy, sphere.entropy);
  EXPECT_EQ(task.masses, sphere.masses);
  const auto embedding = std::dynamic_pointer_cast<const OrbitEmbedding>(task.manifold);
  const Points u = sphere.sampler->sample(500, Stream(1, "embedded"));
  const Points x = task.sampler->sample(500, Stream(1, "embedded"));
  EXPECT_EQ(embedding->embed(u), x);
  EXPECT_LT((task.density->log_density(x) - sphere.density->log_density(u)).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_EQ(task.partition->assign(x), sphere.partition->assign(u));
}

TEST(EmbeddedTasks, DeviationIsThatOfDraws) {
  for (const char* name : {"sphere-in-16d", "circle-in-16d"}) {
    const Task task = default_task(name);
    const Points x = task.sampler->sample(20000, Stream(2, name));
    const double deviation =
        std::sqrt((x.colwise() - x.rowwise().mean()).squaredNorm() / static_cast<double>(x.size()));
    // preregistered sigma = .1 min(reach, deviation); 20,000 draws leave 1 % at most.
    EXPECT_NEAR(task.preregistered_sigma, 0.1 * std::min(deviation, task.manifold->reach()), 2e-3 * deviation) << name;
    EXPECT_EQ(task.diffused_score({}), nullptr);
  }
}

}  // namespace
}  // namespace onmanifold
