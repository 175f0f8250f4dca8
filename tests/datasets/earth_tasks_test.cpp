// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "tasks_under_test.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

using testing::default_task;

/// $ONMANIFOLD_DATA for the time of a test.
class EarthTasks : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* before = std::getenv("ONMANIFOLD_DATA");
    if (before != nullptr) before_ = before;
    setenv("ONMANIFOLD_DATA", directory_.path().c_str(), 1);
  }
  void TearDown() override {
    if (before_.empty()) {
      unsetenv("ONMANIFOLD_DATA");
    } else {
      setenv("ONMANIFOLD_DATA", before_.c_str(), 1);
    }
  }
  void write(const std::string& file, const std::string& text) const {
    const std::filesystem::path path = std::filesystem::path(directory_.path()) / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  /// 40 places, each several times; Windows line ends, a comment, names, no end of the last line.
  static std::string volcanoes() {
    std::string text = "# source\r\nLatitude,Longitude\r\n";
    for (int i = 0; i < 200; ++i) {
      text += fmt::format("{},{}{}", -80 + 4 * (i % 40), -170 + 8 * (i % 40), i < 199 ? "\r\n" : "");
    }
    return text;
  }

  TemporaryDirectory directory_;
  std::string before_;
};

TEST_F(EarthTasks, ReadPlacesAndSplitThem) {
  write("earth/volerup.csv", volcanoes());
  const Task task = default_task("earth-volcano");
  ASSERT_TRUE(task.splits.has_value());
  const Points& train = task.splits->train->points();
  const Points& validation = task.splits->validation->points();
  const Points& reference = task.splits->reference->points();
  EXPECT_EQ(train.cols() + validation.cols() + reference.cols(), 200);
  EXPECT_NEAR(static_cast<double>(train.cols()), 160, 10);
  EXPECT_GT(validation.cols(), 0);
  EXPECT_GT(reference.cols(), 0);
  EXPECT_LE(task.manifold->residual(train).cwiseAbs().maxCoeff(), 1e-12);
  // Latitude -80 + 4 k, longitude -170 + 8 k: the known vector of k = 0 is in one of the splits.
  const Eigen::Vector3d first(std::cos(80 * M_PI / 180) * std::cos(170 * M_PI / 180),
                              -std::cos(80 * M_PI / 180) * std::sin(170 * M_PI / 180), -std::sin(80 * M_PI / 180));
  double nearest = 1;
  for (const Points* part : {&train, &validation, &reference}) {
    nearest = std::min(nearest, (part->colwise() - first).colwise().norm().minCoeff());
  }
  EXPECT_LT(nearest, 1e-14);
  // By place, no place is on two sides; by row, this set has them on several.
  const auto shared = [](const Task& t) {
    std::set<std::vector<double>> places;
    const Points& a = t.splits->train->points();
    const Points& b = t.splits->reference->points();
    for (Index j = 0; j < a.cols(); ++j) places.insert({a(0, j), a(1, j), a(2, j)});
    int common = 0;
    for (Index j = 0; j < b.cols(); ++j) common += places.contains({b(0, j), b(1, j), b(2, j)}) ? 1 : 0;
    return common;
  };
  EXPECT_EQ(shared(task), 0);
  Settings settings(Value(Value::Table{{"split", "random"}}), "test");
  const Task random = task_registry().get("earth-volcano").factory(settings);
  settings.finish();
  EXPECT_GT(shared(random), 10);
  EXPECT_NE(random.data_hash, task.data_hash);
  EXPECT_EQ(default_task("earth-volcano").data_hash, task.data_hash);
  EXPECT_EQ(default_task("earth-volcano").splits->train->points(), train);
  // The published column is that of the task.
  ASSERT_EQ(task.published.size(), 8U);
  EXPECT_EQ(task.published[4].method, "RSGM");
  EXPECT_EQ(task.published[4].value, -4.92);
  EXPECT_TRUE(task.published[4].verified);
  EXPECT_EQ(task.published[5].method, "RDM");
  EXPECT_FALSE(task.published[5].verified);
  // Likelihoods of splits by row are no match for those of a split by place.
  EXPECT_FALSE(task.published_comparable);
  EXPECT_TRUE(random.published_comparable);
  EXPECT_EQ(task.density, nullptr);
  EXPECT_TRUE(std::isnan(task.entropy));
  EXPECT_GT(task.preregistered_sigma, 0.03);
}

TEST_F(EarthTasks, FilesInTheFolderItselfAreFoundToo) {
  write("flood.csv", volcanoes());
  const Task flood = default_task("earth-flood");
  EXPECT_EQ(flood.name, "earth-flood");
  // As printed in the paper, not as in the file beside its program; no number is known of RFM.
  ASSERT_EQ(flood.published.size(), 7U);
  EXPECT_EQ(flood.published[4].value, 0.45);
  EXPECT_EQ(flood.published[4].spread, 0.17);
  for (const PublishedNumber& number : flood.published) EXPECT_NE(number.method, "RFM");
  write("fire.csv", volcanoes());
  EXPECT_EQ(default_task("earth-fire").published[0].value, -1.18);
}

TEST_F(EarthTasks, SayWhatIsWrongWithTheFile) {
  const auto fails = [](const std::string& task, const std::vector<std::string>& parts) {
    return throws_message<InvalidInput>([&] { (void)default_task(task); }, parts);
  };
  EXPECT_TRUE(fails("earth-fire", {"earth-fire", "fire.csv", "ONMANIFOLD_DATA", "riemannian-score-sde"}));
  write("earth/fire.csv", "1,2\n3,4\n");
  EXPECT_TRUE(fails("earth-fire", {"fire.csv", "2 places"}));
  write("earth/fire.csv", volcanoes() + "\n91,0\n");
  EXPECT_TRUE(fails("earth-fire", {"fire.csv:203", "latitude 91"}));
  write("earth/fire.csv", volcanoes() + "\n12;13\n");
  EXPECT_TRUE(fails("earth-fire", {"fire.csv:203", "expected latitude,longitude", "12;13"}));
}

}  // namespace
}  // namespace onmanifold
