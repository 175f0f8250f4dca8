// SPDX-License-Identifier: Apache-2.0
// The classifier behind fid_lenet on a small made data set: trained once, kept, refused when damaged, and
// used by run and score.
#include "suite/task_features.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/point_files.hpp"
#include "metrics/frechet.hpp"
#include "results/cell_files.hpp"
#include "suite/scheduler.hpp"
#include "suite/score.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/made_images.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

class TaskFeaturesTest : public ::testing::Test {
 protected:
  explicit TaskFeaturesTest(std::uint32_t train = 240, std::uint32_t test = 60) : images(train, test) {}
  [[nodiscard]] std::string weights() const { return images.path("made", "lenet-14x14.h5"); }
  void alter(const std::string& path, std::uintmax_t place) const {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(place));
    const auto byte = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(place));
    file.put(static_cast<char>(byte ^ 1));
  }
  MadeImages images;
  TemporaryDirectory directory;
  Task task = task_from_text("flux-mnist14(data=made)");
};

TEST_F(TaskFeaturesTest, WeightsAreTrainedOnceAndReadBack) {
  ASSERT_EQ(lenet_obstacle(task), "");
  const LenetWeights first = lenet_weights(task);
  EXPECT_TRUE(first.trained);
  EXPECT_EQ(first.path, weights());
  EXPECT_EQ(first.train_images, 200);
  EXPECT_EQ(first.test_images, 60);
  EXPECT_EQ(first.classes, 4);
  EXPECT_GT(first.accuracy, 0.25);  // chance; 18 steps are no training
  EXPECT_LE(first.accuracy, 1);
  const LenetWeights second = lenet_weights(task);
  EXPECT_FALSE(second.trained);
  EXPECT_EQ(second.hash, first.hash);
  EXPECT_EQ(second.accuracy, first.accuracy);
  EXPECT_EQ(second.state, first.state);
  // The same task under other settings has the same classifier; 28×28 pixels have another.
  EXPECT_FALSE(lenet_weights(task_from_text("flux-mnist14(data=made,flux=7,drop_constant=true)")).trained);
  EXPECT_TRUE(lenet_weights(task_from_text("flux-mnist(data=made)")).trained);
  // Trained again: the same bits, in a new file.
  fs::remove(weights());
  const LenetWeights again = lenet_weights(task, true);
  EXPECT_TRUE(again.trained);
  EXPECT_EQ(again.hash, first.hash);
  check_lenet_weights(task);
}

TEST_F(TaskFeaturesTest, DamagedWeightsAreRefusedInOneLineThatSaysWhatToDo) {
  const std::string hash = lenet_weights(task).hash;
  const std::string content = read_file(weights());
  const auto refused = [&](const std::string& why) {
    const std::vector<std::string> parts = {weights(), why, "onmanifold lenet 'flux-mnist14(data=made)' --force"};
    return throws_message<InvalidInput>([&] { check_lenet_weights(task); }, parts) &&
           throws_message<InvalidInput>([&] { (void)lenet_weights(task); }, parts);
  };
  for (const std::uintmax_t place : {content.size() / 2, content.size() - 5}) {
    alter(weights(), place);
    EXPECT_TRUE(refused("truncated or altered")) << place;
    alter(weights(), place);
  }
  check_lenet_weights(task);  // whole again: the refusal was not for another reason
  fs::resize_file(weights(), content.size() - 100);
  EXPECT_TRUE(refused("truncated or altered"));
  fs::resize_file(weights(), 0);
  EXPECT_TRUE(refused("truncated or altered"));
  write_file(weights(), content);
  check_lenet_weights(task);
  // Sound weights, but of other images.
  write_file(images.path("made", "train-images-idx3-ubyte"), made_idx_images(240, 28, 77));
  task = task_from_text("flux-mnist14(data=made,flux=100.5)");  // past the cache of the last data set
  EXPECT_TRUE(refused("other images"));
  const LenetWeights again = lenet_weights(task, true);
  EXPECT_TRUE(again.trained);
  EXPECT_NE(again.hash, hash);
  check_lenet_weights(task);
}

TEST_F(TaskFeaturesTest, OnlyOneOfManyProcessesTrains) {
  constexpr int processes = 4;
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      int code = 9;
      try {
        code = lenet_weights(task).trained ? 1 : 0;
      } catch (...) {
      }
      _exit(code);
    }
    children.push_back(child);
  }
  int trained = 0;
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_NE(WEXITSTATUS(status), 9);
    trained += WEXITSTATUS(status);
  }
  EXPECT_EQ(trained, 1);
}

TEST_F(TaskFeaturesTest, SayWhyThereAreNone) {
  const TaskFeatures sphere(task_from_text("sphere-vmf6"));
  EXPECT_EQ(sphere.find("lenet").map, nullptr);
  EXPECT_EQ(sphere.find("lenet").why, "not a task of images with labels");
  EXPECT_EQ(sphere.find("pca64").map, nullptr);
  EXPECT_EQ(sphere.find("x").why, "no features 'x'");
  // A data set, but of fewer than 65 coordinates.
  EXPECT_EQ(TaskFeatures(task_from_text("so3-frames")).find("pca64").map, nullptr);
  fs::remove(images.path("made", "t10k-labels-idx1-ubyte"));
  const TaskFeatures unlabelled(task);
  const FoundFeatures found = unlabelled.find("lenet");
  EXPECT_EQ(found.map, nullptr);
  EXPECT_NE(found.why.find("t10k-labels-idx1-ubyte: no such file"), std::string::npos) << found.why;
  check_lenet_weights(task);
}

TEST_F(TaskFeaturesTest, PrincipalAxesAreThoseOfTheTrainingSplit) {
  const TaskFeatures features(task);
  const FeatureMap& map = *features.find("pca64").map;
  EXPECT_TRUE(map.name.starts_with("pca64@sha256:")) << map.name;
  EXPECT_EQ(&map, features.find("pca64").map);
  const Points training = map.map(task.splits->train->points());
  const Points reference = map.map(task.splits->reference->points());
  // Mean 0 where they were fitted, to rounding of numbers of order 100, and not elsewhere.
  EXPECT_LT(training.rowwise().mean().cwiseAbs().maxCoeff(), 1e-11);
  EXPECT_GT(reference.rowwise().mean().cwiseAbs().maxCoeff(), 1e-3);
}

const std::string suite_text = R"([suite]
name = "images"
seeds = "0..1"
n_train = 700
n_samples = 150
n_reference = 150
[[task]]
name = "flux-mnist14"
data = "made"
drop_constant = true
metrics = "fd,fid_lenet,fd(features=pca64),negative_pixel_rate,negative_pixel_mass"
[[method]]
name = "oracle"
[[method]]
name = "gaussian"
)";

class ImageSuite : public TaskFeaturesTest {
 protected:
  ImageSuite() : TaskFeaturesTest(900, 150) {}
  RunSummary run() {
    write_file(directory.file("images.toml"), suite_text);
    RunOptions options;
    options.directory = directory.file("out");
    options.workers = 2;
    return run_suite(load_suite(directory.file("images.toml")), options);
  }
  [[nodiscard]] std::vector<MetricRecord> records(const char* method, int seed = 0) const {
    return read_metrics_cell(CellKey{"flux-mnist14", method, "none", seed}.metrics_path(directory.file("out")))
        .projected;
  }
};

TEST_F(ImageSuite, TrainsWhatItNeedsInItsWorkersAndNamesItInEveryRecord) {
  EXPECT_FALSE(fs::exists(weights()));
  const RunSummary summary = run();
  EXPECT_EQ(summary.computed, 4);
  EXPECT_EQ(summary.failed, 0);
  const LenetWeights kept = lenet_weights(task);
  EXPECT_FALSE(kept.trained);
  for (const char* method : {"oracle", "gaussian"}) {
    for (const MetricRecord& record : records(method, 1)) {
      EXPECT_EQ(record.status.text(), "ok") << record.name;
      if (record.name != "fid_lenet") continue;
      EXPECT_NE(record.parameters.find("lenet5-fc84@sha256:" + kept.hash), std::string::npos) << record.parameters;
      EXPECT_NE(record.parameters.find("\"accuracy\":"), std::string::npos) << record.parameters;
    }
  }
  // Known-bad samples: a Gaussian of the right moments draws no squares and goes below 0.
  const std::vector<MetricRecord> good = records("oracle");
  const std::vector<MetricRecord> bad = records("gaussian");
  ASSERT_EQ(good.size(), 5U);
  EXPECT_GT(bad[1].value, good[1].value + 5 * good[1].null_sd) << good[1].value << " " << good[1].null;
  EXPECT_EQ(good[3].value, 0);
  EXPECT_GT(bad[3].value, 0.05);
  EXPECT_GT(bad[4].value, good[4].value + 0.01);

  // A report can draw what the task left out.
  const TaskFile file = read_task_file(directory.file("out/flux-mnist14/task.h5"));
  ASSERT_TRUE(file.image);
  EXPECT_EQ(file.image->height, 14);
  EXPECT_EQ(full_images(*file.image, file.reference).rows(), 196);

  // Nothing left to do: damaged weights do not matter. With something to do, the run does not start.
  alter(weights(), 5000);
  EXPECT_EQ(run().skipped, 4);
  fs::remove(CellKey{"flux-mnist14", "oracle", "none", 0}.metrics_path(directory.file("out")));
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)run(); }, {weights(), "--force"}));
}

TEST_F(ImageSuite, WithoutLabelsOnlyFidLenetIsMissing) {
  fs::remove(images.path("made", "train-labels-idx1-ubyte"));
  EXPECT_EQ(run().failed, 0);
  const std::vector<MetricRecord> found = records("oracle");
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[1].status.state, RecordState::not_applicable) << found[1].status.text();
  EXPECT_NE(found[1].status.message.find("train-labels-idx1-ubyte"), std::string::npos) << found[1].status.text();
  for (const std::size_t other : {0U, 2U, 3U, 4U}) EXPECT_EQ(found[other].status.text(), "ok");
}

TEST_F(TaskFeaturesTest, ScoreGivesTheNumberOfTheFeatures) {
  ScoreRequest request;
  request.samples = directory.file("samples.npy");
  request.task = "flux-mnist14(data=made)";
  request.metrics = "fid_lenet,fd(features=pca64)";
  const Points samples = exported_points(task, 50, 3, "");
  write_points(request.samples, samples);
  const Score score = score_samples(request);
  const TaskFeatures features(task);
  const Points reference = sample_reference(task, 10000, reference_stream(task, 0));
  const auto expected = [&](const char* name) {
    const FeatureMap& map = *features.find(name).map;
    return frechet_distance(map.map(reference), map.map(samples));
  };
  ASSERT_EQ(score.metrics.size(), 4U);
  EXPECT_EQ(score.metrics[0].record.value, expected("lenet"));
  EXPECT_EQ(score.metrics[2].record.value, expected("pca64"));
  // Read in chunks: the same bits.
  request.memory_bytes = 200'000;
  EXPECT_EQ(score_samples(request).metrics[0].record.value, expected("lenet"));
  request.memory_bytes = 0;
  request.task.clear();
  request.reference = request.samples;
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)score_samples(request); }, {"fid_lenet"}));
}

TEST_F(TaskFeaturesTest, TasksTakeSettingsInTheNotationOfMetrics) {
  EXPECT_EQ(task.image->pixels.size(), 196U);
  EXPECT_EQ(task_from_text("flux-mnist(data=made,drop_constant=true)").image->pixels.size(), 676U);
  for (const char* text : {"flux-mnist(data=made", "flux-mnist(data=made),tvd", "flux-mnist(colour=red)",
                           "flux-mnist(data=made)x", "nothing(data=made)"}) {
    EXPECT_THROW((void)task_from_text(text), InvalidInput) << text;
  }
  const Task dropped = task_from_text("flux-mnist(data=made,drop_constant=true)");
  const Points points = exported_points(dropped, 7, 0, "");
  EXPECT_EQ(points.rows(), 676);
  const Points full = full_points(dropped, points);
  EXPECT_EQ(full.rows(), 784);
  EXPECT_EQ(full, exported_points(task_from_text("flux-mnist(data=made)"), 7, 0, ""));
  EXPECT_THROW((void)full_points(task, exported_points(task, 7, 0, "")), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
