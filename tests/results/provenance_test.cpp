// SPDX-License-Identifier: Apache-2.0
#include "results/provenance.hpp"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/files/atomic_file.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;
using testing::MatchesRegex;

std::string text_at(const Value& value, const std::string& key) {
  const auto& table = *value.get_if<Value::Table>();
  const auto it = table.find(key);
  if (it == table.end() || it->second.get_if<std::string>() == nullptr) return "(none)";
  return *it->second.get_if<std::string>();
}

TEST(Provenance, SaysWhereANumberComesFrom) {
  const Value value = provenance({"onmanifold", "run", "quick"});
  const auto& table = *value.get_if<Value::Table>();
  EXPECT_THAT(version(), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_EQ(text_at(value, "version"), version());
  EXPECT_THAT(text_at(value, "commit"), MatchesRegex("[0-9a-f]+|unknown"));
  EXPECT_THAT(text_at(value, "dirty"), MatchesRegex("yes|no|unknown"));
  EXPECT_THAT(text_at(value, "compiler"), MatchesRegex("(GNU|Clang) [0-9.]+"));
  EXPECT_THAT(text_at(value, "flags"), testing::HasSubstr("-Wall"));
  EXPECT_THAT(text_at(value, "time_utc"), MatchesRegex("20[0-9][0-9]-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+Z"));
  EXPECT_EQ(table.at("command_line"), Value(Value::Array{"onmanifold", "run", "quick"}));
  for (const char* library : {"eigen", "hdf5", "fmt", "openssl", "boost", "armadillo", "nlohmann_json"}) {
    EXPECT_THAT(text_at(table.at("libraries"), library), MatchesRegex("[0-9]+\\.[0-9]+.*")) << library;
  }
  const auto& machine = *table.at("machine").get_if<Value::Table>();
  EXPECT_GE(*machine.at("cores").get_if<std::int64_t>(), 1);
  EXPECT_GE(*machine.at("memory_bytes").get_if<std::int64_t>(), std::int64_t{1} << 26);
  EXPECT_EQ(machine.at("load").get_if<Value::Array>()->size(), 3U);
  EXPECT_EQ(to_json(parse_json(to_json(value), "provenance")), to_json(value));
}

TEST(Provenance, PeakMemoryGrowsAndCanBeReset) {
  reset_peak_memory();
  const double before = peak_memory_bytes();
  EXPECT_GT(before, 1e6);
  constexpr std::size_t bytes = std::size_t{64} << 20U;
  {
    std::vector<char> memory(bytes);
    for (std::size_t i = 0; i < bytes; i += 1024) *static_cast<volatile char*>(&memory[i]) = 1;
  }
  // Sanitizers keep freed memory, so only the growth is sure; 60 MiB of the 64 allow for pages counted late.
  EXPECT_GT(peak_memory_bytes(), before + 6.0e7);
  if (sanitized) return;
  reset_peak_memory();
  EXPECT_LT(peak_memory_bytes(), before + 6.0e7);
}

TEST(Provenance, TheSpeedProbeTakesAMomentAndSaysHowLong) {
  const double before = cpu_seconds();
  const double probe = speed_probe_seconds();
  const double all = cpu_seconds() - before;
  EXPECT_GT(probe, 0);
  // The best of three is no more than a third of them all; 1 ms is the grain of some CPU clocks.
  EXPECT_LE(probe, all / 3 + 0.001);
}

TEST(Provenance, CpuTimeGrowsWithWorkOnly) {
  const double start = cpu_seconds();
  ::usleep(50000);
  const double asleep = cpu_seconds();
  EXPECT_LT(asleep - start, 0.03);
  volatile double sum = 0;
  while (cpu_seconds() - asleep < 0.02) sum = sum + 1;
  EXPECT_GT(cpu_seconds(), start);
}

// The script that asks for the commit, on trees of its own.
class BuildCommit : public testing::Test {
 protected:
  BuildCommit() : directory_(fs::temp_directory_path() / ("build_commit_test." + std::to_string(::getpid()))) {
    fs::remove_all(directory_);
    fs::create_directories(directory_ / "tree");
  }
  ~BuildCommit() override { fs::remove_all(directory_); }
  // Runs a shell command in the tree; standard error and output are dropped.
  [[nodiscard]] bool shell(const std::string& command) const {
    return std::system(
               ("cd '" + (directory_ / "tree").string() + "' && { " + command + "; } >/dev/null 2>&1").c_str()) == 0;
  }
  [[nodiscard]] std::string ask(const std::string& source) const {
    const std::string output = (directory_ / "commit.inc").string();
    if (!shell("cmake -DSOURCE='" + source + "' -DOUTPUT='" + output +
               "' -P '" ONMANIFOLD_SOURCE_DIR "/cmake/build_commit.cmake'")) {
      return "the script failed";
    }
    return read_file(output);
  }
  [[nodiscard]] std::string tree() const { return (directory_ / "tree").string(); }

  fs::path directory_;
};

TEST_F(BuildCommit, IsUnknownWithoutACheckout) {
  EXPECT_EQ(ask(tree()), "#define ONMANIFOLD_COMMIT \"unknown\"\n#define ONMANIFOLD_DIRTY \"unknown\"\n");
}

TEST_F(BuildCommit, FollowsTheCheckout) {
  const std::string git = "git -c user.name=t -c user.email=t@t ";
  if (!shell(git + "init && echo 1 > a && git add a && " + git + "commit -m m")) GTEST_SKIP() << "no git";
  const std::string clean = ask(tree());
  EXPECT_THAT(clean, testing::ContainsRegex("COMMIT \"[0-9a-f]+\""));
  EXPECT_THAT(clean, testing::HasSubstr("DIRTY \"no\""));
  const auto written = fs::last_write_time(directory_ / "commit.inc");
  EXPECT_EQ(ask(tree()), clean);
  EXPECT_EQ(fs::last_write_time(directory_ / "commit.inc"), written);  // or everything would be built again
  ASSERT_TRUE(shell("echo untracked > b"));
  EXPECT_EQ(ask(tree()), clean);
  ASSERT_TRUE(shell("echo 2 > a"));
  EXPECT_THAT(ask(tree()), testing::HasSubstr("DIRTY \"yes\""));
  ASSERT_TRUE(shell(git + "commit -a -m m2"));
  EXPECT_NE(ask(tree()), clean);
  // An archive that was unpacked inside a checkout of something else is not that checkout.
  ASSERT_TRUE(shell("mkdir inner"));
  EXPECT_THAT(ask(tree() + "/inner"), testing::HasSubstr("COMMIT \"unknown\""));
}

}  // namespace
}  // namespace onmanifold
