// SPDX-License-Identifier: Apache-2.0
// A program outside: what it gets, what it must give, and every way in which it can fail.
#include "models/external.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/models/model_fixtures.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;

std::unique_ptr<GenerativeModel> external(const std::string& command, double timeout_s = 30) {
  Settings settings{Value(Value::Table{{"command", command}, {"timeout_s", timeout_s}}), "test"};
  auto model = make_external(settings);
  settings.finish();
  return model;
}

std::string program(const std::string& mode) {
  return std::string(ONMANIFOLD_EXTERNAL_PROGRAM) + " " + mode + " {train} {samples} {n} {seed}";
}

/// The message with which sampling fails.
std::string failure(GenerativeModel& model) {
  try {
    (void)model.sample(20, Stream(1, "s"));
    return "no failure";
  } catch (const IoError& error) {
    return error.what();
  } catch (const TimeLimitExceeded& error) {
    return std::string("time: ") + error.what();
  }
}

TEST(External, GetsTheFixedLiftedDrawAndGivesItsSamples) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50, 0.1);
  const auto model = external(program("ok"));
  model->fit(fixture.context());
  const Points samples = model->sample(20, Stream(1, "s"));
  const Points lifted = fixture.source().epoch(0);
  for (Index j = 0; j < 20; ++j) {
    EXPECT_EQ((lifted.colwise() - samples.col(j)).colwise().norm().minCoeff(), 0) << "not a point of the draw";
  }
  EXPECT_EQ(model->sample(20, Stream(1, "s")), samples);
  EXPECT_NE(model->sample(20, Stream(1, "other")), samples);
  EXPECT_THAT(model->log(), HasSubstr("mode ok, OMP_NUM_THREADS=1"));
}

TEST(External, EveryFailureIsNamedAndKeepsTheOutput) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50);
  for (const auto& [mode, message] :
       {std::pair{"crash", "killed by signal 6"}, std::pair{"code", "exit code 3: mode code, OMP_NUM_THREADS=1"},
        std::pair{"nothing", "wrote no samples"}, std::pair{"garbage", "samples.npy"},
        std::pair{"few", "are 19×3, expected 20×3"}, std::pair{"wide", "are 20×4, expected 20×3"},
        std::pair{"nan", "1 of 60 numbers are not finite"}}) {
    const auto model = external(program(mode));
    model->fit(fixture.context());
    EXPECT_THAT(failure(*model), HasSubstr(message));
    EXPECT_THAT(model->log(), HasSubstr(std::string("mode ") + mode));
  }
  const auto missing = external("no-such-program-anywhere {samples}");
  missing->fit(fixture.context());
  EXPECT_THAT(failure(*missing), HasSubstr("exit code 127"));
  EXPECT_THAT(missing->log(), HasSubstr("not found"));
}

TEST(External, AHangEndsAtItsTimeLimitWithAllItStarted) {
  FitFixture fixture(NormalLaw::in_a_plane(), 50);
  const std::string pid_file = testing::TempDir() + "/onmanifold-external-pid-" + std::to_string(getpid());
  // A grandchild in the background, which the group's end must reach too.
  const auto model = external("sleep 1000 & echo $! > " + pid_file + "; " + program("hang"), 0.5);
  model->fit(fixture.context());
  EXPECT_THAT(failure(*model), HasSubstr("time: external: not done after 0.5 s"));
  std::ifstream file(pid_file);
  pid_t grandchild = 0;
  ASSERT_TRUE(file >> grandchild);
  std::filesystem::remove(pid_file);
  // Killed, it waits for its new parent to take note: a zombie has no command line.
  std::string left;
  for (int i = 0; i < 100; ++i) {
    std::ifstream command("/proc/" + std::to_string(grandchild) + "/cmdline");
    left.clear();
    std::getline(command, left);
    if (left.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(left.empty()) << left;
}

TEST(External, LeavesNoFiles) {
  const auto count = [] {
    Index found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::temp_directory_path())) {
      if (entry.path().filename().string().starts_with("onmanifold-external-")) ++found;
    }
    return found;
  };
  FitFixture fixture(NormalLaw::in_a_plane(), 50);
  const std::string previous = std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "";
  const std::string own = testing::TempDir() + "/onmanifold-own-" + std::to_string(getpid());
  std::filesystem::create_directory(own);
  setenv("TMPDIR", own.c_str(), 1);
  for (const char* mode : {"ok", "crash"}) {
    const auto model = external(program(mode));
    model->fit(fixture.context());
    (void)failure(*model);
    EXPECT_EQ(count(), 0) << mode;
  }
  if (previous.empty()) {
    unsetenv("TMPDIR");
  } else {
    setenv("TMPDIR", previous.c_str(), 1);
  }
  std::filesystem::remove_all(own);
}

TEST(External, NeedsACommandWithAPlaceForTheSamples) {
  EXPECT_THROW((void)external(""), InvalidInput);
  EXPECT_THROW((void)external("python3 train.py"), InvalidInput);
}

}  // namespace
}  // namespace onmanifold
