// SPDX-License-Identifier: Apache-2.0
// Verdicts must follow the samples: a world in which a claim is true is judged so, and counter-examples
// planted into its sample files (noise along tangents, a projection that stops short, copies of training
// points) flip the verdicts they should, through the files, the metrics and the rules that real results go
// through.

#include <functional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "claims/claims.hpp"
#include "core/files/temporary_directory.hpp"
#include "suite/pipeline.hpp"
#include "suite/scheduler.hpp"
#include "suite/toml_file.hpp"

namespace onmanifold {
namespace {

constexpr int seeds = 9;  // sign flips reach 2^-9: enough for Holm over the few claims that these cells begin

// Stand-ins under the labels that the claims read: with the normal lift the model is perfect, without it and
// with isotropic noise it is a fitted normal law.
SuiteSpec world() {
  return parse_suite(parse_toml(fmt::format(R"(
[suite]
name = "claims"
seeds = "0..{}"
n_train = 1000
n_samples = 1000
n_reference = 1000
[[task]]
name = "plane-gmm9"
metrics = "tvd,train_copy_rate,constraint_max,projection_fail_rate"
[[task]]
name = "sphere-vmf6"
metrics = "tvd,train_copy_rate,constraint_max,projection_fail_rate"
[[lift]]
name = "normal"
type = "normal"
[[lift]]
name = "isotropic"
type = "isotropic"
[[method]]
name = "oracle"
[[method]]
name = "ddpm"
type = "oracle"
lifts = ["none", "isotropic", "normal"]
)",
                                            seeds - 1),
                                "planted"),
                     "planted");
}

void run(const TemporaryDirectory& directory, bool metrics_only = false) {
  RunOptions options;
  options.directory = directory.path();
  options.metrics_only = metrics_only;
  const RunSummary summary = run_suite(world(), options);
  ASSERT_EQ(summary.failed, 0);
  ASSERT_TRUE(summary.complete);
}

ClaimResult judged(const TemporaryDirectory& directory, const std::string& id) {
  for (const ClaimResult& result : judge_claims(load_results(directory.path()))) {
    if (result.claim.id == id) return result;
  }
  ADD_FAILURE() << "no claim " << id;
  return {};
}

using Change = std::function<void(const Task&, const CellKey&, RawCell&)>;

/// Changes the samples of one arm in every seed.
void plant(const TemporaryDirectory& directory, const std::string& lift, const Change& change) {
  for (const auto& spec : world().tasks) {
    for (int seed = 0; seed < seeds; ++seed) {
      const CellKey key{spec->task.name, "ddpm", lift, seed};
      RawCell cell = read_raw_cell(key.raw_path(directory.path()));
      change(spec->task, key, cell);
      write_raw_cell(key.raw_path(directory.path()), cell);
    }
  }
}

/// Moves samples along the tangents, by a third of the width of the data, and projects them.
void blur(const Task& task, const CellKey& key, RawCell& cell) {
  const Points noise = task.manifold->scale() / 3 *
                       Stream(7, "tangents/" + key.lift)
                           .at(static_cast<std::uint64_t>(key.seed))
                           .normal(cell.raw.rows(), cell.raw.cols());
  cell.raw = cell.projected + noise - task.manifold->normal_component(cell.projected, noise);
  const Projection foot = task.manifold->project(cell.raw);
  cell.projected = foot.points;
  cell.projection_distance = foot.distance;
  cell.projection_converged = foot.converged;
}

/// A world in which the normal lift is what the claim says: without it, and with isotropic noise, the law is
/// blurred. Then what \p change does to the lifted arm; metrics are computed from the changed files.
void make_world(const TemporaryDirectory& directory, const Change& change = {}) {
  run(directory);
  plant(directory, "none", blur);
  plant(directory, "isotropic", blur);
  if (change) plant(directory, "normal", change);
  run(directory, true);
}

TEST(PlantedClaims, ATrueClaimIsReproduced) {
  const TemporaryDirectory directory;
  make_world(directory);
  const ClaimResult better = judged(directory, "C12");
  EXPECT_EQ(better.verdict, Verdict::reproduced) << better.reason;
  EXPECT_EQ(better.test.n, seeds);
  EXPECT_EQ(judged(directory, "C11").verdict, Verdict::reproduced);
}

TEST(PlantedClaims, ALiftAlongTangentsIsNot) {
  const TemporaryDirectory directory;
  make_world(directory, [](const Task& task, const CellKey& key, RawCell& cell) {
    blur(task, key, cell);
    blur(task, key, cell);
  });
  const ClaimResult result = judged(directory, "C12");
  EXPECT_EQ(result.verdict, Verdict::not_reproduced) << result.reason;
  EXPECT_EQ(judged(directory, "C11").verdict, Verdict::reproduced);  // its samples are on M
}

TEST(PlantedClaims, AProjectionThatStopsShortBreaksTheConstraints) {
  const TemporaryDirectory directory;
  make_world(directory, [](const Task& task, const CellKey&, RawCell& cell) {
    const Points away = Stream(7, "away").normal(cell.raw.rows(), cell.raw.cols());
    cell.projected += 1e-6 * task.manifold->normal_component(cell.projected, away);
  });
  const ClaimResult result = judged(directory, "C11");
  EXPECT_EQ(result.verdict, Verdict::not_reproduced) << result.reason;
  EXPECT_NE(result.reason.find("ddpm/normal"), std::string::npos) << result.reason;
  EXPECT_EQ(judged(directory, "C12").verdict, Verdict::reproduced);  // nothing that its metric sees
}

TEST(PlantedClaims, CopiesOfTrainingPointsShowNothing) {
  const TemporaryDirectory directory;
  make_world(directory, [](const Task& task, const CellKey& key, RawCell& cell) {
    const Points training = training_points(task, world().seed, key.seed, 1000);
    for (Index j = 0; j < cell.raw.cols(); ++j) cell.raw.col(j) = training.col(j % training.cols());
    cell.projected = cell.raw;
    cell.projection_distance.setZero();
  });
  const ClaimResult result = judged(directory, "C12");
  EXPECT_EQ(result.verdict, Verdict::inconclusive) << result.reason;
  EXPECT_NE(result.reason.find("copies of training points"), std::string::npos) << result.reason;
}

}  // namespace
}  // namespace onmanifold
