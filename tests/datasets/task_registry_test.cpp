// SPDX-License-Identifier: Apache-2.0
// What every registered task must satisfy.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/math/summation.hpp"
#include "goodness_of_fit.hpp"
#include "tasks_under_test.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

TEST(TaskRegistry, HasTheTasksOfTheDesign) {
  EXPECT_THAT(task_registry().names(),
              ::testing::IsSupersetOf(
                  {"plane-gmm9",    "plane-smiley",  "sphere-vmf6",      "sphere-vmf2",     "linear-64d",
                   "sphere-sweep",  "ellipsoid",     "elephant-eigen",   "mesh-eigen",      "bunny-eigen",
                   "bunny-eigen10", "bunny-eigen50", "bunny-eigen100",   "circle-vm",       "so3-mixture16",
                   "so3-mixture32", "so3-mixture64", "so3-fisher",       "torus-vm",        "torus-ramachandran",
                   "finite16",      "two-points",    "discrete-cube",    "discrete-tokens", "sphere-in-16d",
                   "circle-in-16d", "earth-volcano", "earth-earthquake", "earth-flood",     "earth-fire"}));
}

class EveryTask : public ::testing::TestWithParam<std::string> {};

/// All in one test: a mesh is loaded once.
TEST_P(EveryTask, KeepsTheContract) {
  const Task task = default_task(GetParam());
  EXPECT_EQ(task.name, GetParam());
  EXPECT_EQ(task.data_hash.size(), 64U);
  EXPECT_GT(task.preregistered_sigma, 0);
  EXPECT_FALSE(task.sigma_grid.empty());
  EXPECT_THAT(task.metrics, ::testing::HasSubstr("tvd,"));
  EXPECT_EQ(task.description.find('\n'), std::string::npos);

  // Masses are those of a law.
  ASSERT_EQ(task.masses.size(), task.partition->size());
  EXPECT_GE(task.masses.minCoeff(), 0);
  EXPECT_NEAR(task.masses.sum(), 1, 1e-10);

  // Draws lie on the manifold and depend on n and stream only.
  const Stream stream = reference_stream(task, 0);
  const Index n = 20000;
  const Points points = task.sampler->sample(n, stream);
  EXPECT_EQ(task.sampler->sample(n, stream), points);
  EXPECT_NE(task.sampler->sample(n, training_stream(task, 0, 0)), points);
  EXPECT_LE(task.manifold->residual(points).cwiseAbs().maxCoeff(), task.manifold->constraint_tolerance());
  EXPECT_EQ(task.sampler->sample(0, stream).cols(), 0);
  EXPECT_THROW((void)task.sampler->sample(-1, stream), InvalidInput);

  // Sampler against masses, and against masses that are wrong by the next cell.
  EXPECT_GT(testing::chi_square_p_value(*task.partition, task.masses, points), testing::alpha);
  Vector shifted(task.masses.size());
  shifted << task.masses.tail(1), task.masses.head(task.masses.size() - 1);
  EXPECT_LT(testing::chi_square_p_value(*task.partition, shifted, points), 1e-12);

  // Sampler against log-density and entropy: the mean of -log p0 over the draws is H, within 4 standard
  // errors.
  const Vector log_density = task.density->log_density(points);
  const double mean = -tree_mean_of(log_density);
  const double deviation = std::sqrt((log_density.array() + mean).square().mean());
  EXPECT_NEAR(mean, task.entropy, 4 * deviation / std::sqrt(static_cast<double>(n)));
  EXPECT_EQ(task.density->entropy().value(), task.entropy);

  // Cells: not finite is -1; points off the manifold have the cell of some point on it.
  Points odd = Points::Zero(task.sampler->dimension(), 2);
  odd(0, 1) = std::numeric_limits<double>::quiet_NaN();
  const Eigen::VectorXi cells = task.partition->assign(odd);
  EXPECT_GE(cells[0], 0);
  EXPECT_EQ(cells[1], -1);
  const Points away = Lift{LiftType::normal, 1e-3}.apply(points.leftCols(100), *task.manifold, stream.at("away"));
  const Eigen::VectorXi home = task.partition->assign(points.leftCols(100));
  const Eigen::VectorXi lifted = task.partition->assign(away);
  EXPECT_LE((home.array() != lifted.array()).count(), 3);  // a mesh moves a few points over an edge

  // The lift of verdicts is visible at the noise level of the task: sigma in standardised units is 3 s_min at
  // least.
  const double scale =
      std::sqrt((points.colwise() - points.rowwise().mean()).squaredNorm() / static_cast<double>(points.size()));
  EXPECT_LE(task.smallest_noise, task.preregistered_sigma / scale / 3);
}

/// Tasks on data sets have neither density nor masses; their own tests are beside them.
std::vector<std::string> tasks_with_a_density() {
  std::vector<std::string> names = task_registry().names();
  std::erase_if(names, [](const std::string& name) {
    return name.starts_with("flux-") || name.starts_with("earth-") || name.starts_with("backbone-") ||
           name == "so3-frames" || name == "torus-ramachandran" || name == "mesh-eigen";  // needs a file
  });
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, EveryTask, ::testing::ValuesIn(tasks_with_a_density()), [](const auto& instance) {
  std::string name = instance.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(TaskSettings, OverridesAreReadAndChecked) {
  Settings settings(Value(Value::Table{{"bins", 20}, {"s_min", 0.02}, {"metrics", "tvd"}}), "test");
  const Task task = task_registry().get("plane-gmm9").factory(settings);
  settings.finish();
  EXPECT_EQ(task.partition->size(), 401);
  EXPECT_EQ(task.masses.size(), 401);
  EXPECT_EQ(task.smallest_noise, 0.02);
  EXPECT_EQ(task.metrics, "tvd");
  EXPECT_EQ(task.data_hash, default_task("plane-gmm9").data_hash) << "the law has not changed";

  Settings cells(Value(Value::Table{{"bands", 6}, {"sectors", 8}}), "test");
  EXPECT_NEAR(task_registry().get("sphere-vmf6").factory(cells).masses.sum(), 1, 1e-10);

  Settings wrong(Value(Value::Table{{"bins", 0}}), "test");
  EXPECT_THROW((void)task_registry().get("plane-gmm9").factory(wrong), InvalidInput);
  EXPECT_THROW((void)task_registry().get("plane_gmm9"), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
