// SPDX-License-Identifier: Apache-2.0
// What is const may be asked by several threads at once: every task's law, score, partition and manifold, every metric,
// and trainings beside each other. Each answer is compared with the one that a single thread gives; the thread
// sanitizer looks for races in the same run.
#include <atomic>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "datasets/task.hpp"
#include "metrics/support.hpp"
#include "models/registry.hpp"
#include "tests/metrics/metric_fixtures.hpp"
#include "tests/models/model_fixtures.hpp"

namespace onmanifold {
namespace {

/// Runs \p work in two threads that start together; what one of them throws fails the test.
void in_two_threads(const std::function<void(int)>& work) {
  std::atomic<int> waiting{2};
  std::string problems[2];
  const auto body = [&](int thread) {
    --waiting;
    while (waiting > 0) std::this_thread::yield();
    try {
      work(thread);
    } catch (const std::exception& error) {
      problems[thread] = error.what();
    }
  };
  std::thread other(body, 1);
  body(0);
  other.join();
  EXPECT_EQ(problems[0] + problems[1], "");
}

/// Everything a task answers about a few points, stacked.
std::vector<double> ask(const Task& task) {
  std::vector<double> answers;
  const auto add = [&](const auto& values) {
    const Points copy = values;
    answers.insert(answers.end(), copy.data(), copy.data() + copy.size());
  };
  const Manifold& manifold = *task.manifold;
  const Points x = task.sampler->sample(20, Stream(3, "concurrency/law"));
  const Points noise = Stream(3, "concurrency/noise").normal(x.rows(), x.cols());
  const Points y = x + 0.01 * manifold.scale() * noise;
  add(x);
  add(manifold.project(y).points);
  add(manifold.residual(y));
  add(manifold.normal_component(x, noise));
  add(manifold.tangent_bases(x));
  add(manifold.random_points(20, Stream(3, "concurrency/points")));
  if (task.density) add(task.density->log_density(x));
  if (task.partition) add(task.partition->assign(x).cast<double>());
  for (const LiftType type : {LiftType::none, LiftType::normal}) {
    const double sigma = type == LiftType::none ? 0 : task.preregistered_sigma;
    if (const auto score = task.diffused_score({type, sigma})) {
      add(score->score(y, 0.9, 0.3));
      add(score->log_density(y, 0.9, 0.3));
    }
  }
  return answers;
}

class ConcurrentTasks : public testing::TestWithParam<std::string> {};

TEST_P(ConcurrentTasks, AnswerAsOneThread) {
  Settings settings(Value(Value::Table{}), GetParam());
  Task task;
  try {
    task = task_registry().get(GetParam()).factory(settings);
  } catch (const InvalidInput& error) {
    GTEST_SKIP() << error.what();
  }
  // Threads first: what is made at the first question must not be there already.
  std::vector<double> answers[2];
  in_two_threads([&](int thread) { answers[thread] = ask(task); });
  const std::vector<double> alone = ask(task);
  ASSERT_GT(alone.size(), 60U);
  EXPECT_EQ(answers[0], alone);
  EXPECT_EQ(answers[1], alone);
}

INSTANTIATE_TEST_SUITE_P(All, ConcurrentTasks, testing::ValuesIn(task_registry().names()), [](const auto& entry) {
  std::string name = entry.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(ConcurrentMetrics, EvaluateAsOneThread) {
  const test::SphereScene scene(120);
  const test::Given input = scene.input(scene.truth);
  for (const std::string& name : metric_registry().names()) {
    const std::unique_ptr<Metric> metric = test::metric_of(name);
    double values[2] = {0, 0};
    in_two_threads([&](int thread) { values[thread] = evaluate(*metric, input).at(0).value; });
    const double alone = evaluate(*metric, input).at(0).value;
    for (const double value : values) {
      EXPECT_TRUE(value == alone || (std::isnan(value) && std::isnan(alone))) << name << ": " << value << ", " << alone;
    }
  }
}

TEST(ConcurrentMethods, TrainBesideEachOther) {
  const FitFixture fixture(NormalLaw::in_a_plane(), 200, 0.2);
  for (const std::string name : {"ddpm", "flow_matching", "spline_flow", "vae_ddpm", "ebm"}) {
    Points samples[3];
    const auto run = [&](int thread) {
      Value::Table table{{"steps", 3}, {"width", 32}, {"batch", 16}};
      if (name == "vae_ddpm") table["autoencoder_steps"] = 3;
      if (name == "ebm") table["sample_steps"] = 3;
      Settings settings(Value(table), name);
      const auto model = method_registry().get(name).factory(settings);
      model->fit(fixture.context());
      samples[thread] = model->sample(10, Stream(4, "samples"));
    };
    in_two_threads(run);
    run(2);
    EXPECT_EQ(samples[0], samples[2]) << name;
    EXPECT_EQ(samples[1], samples[2]) << name;
  }
}

#if defined(__SANITIZE_THREAD__)
TEST(ConcurrencyDeathTest, ARaceIsReported) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const auto race = [] {
    int shared = 0;  // no lock, no atomic
    in_two_threads([&](int) {
      for (int i = 0; i < 1000; ++i) ++shared;
    });
    std::exit(0);
  };
  EXPECT_EXIT(race(), testing::ExitedWithCode(66), "data race");
}
#endif

}  // namespace
}  // namespace onmanifold
