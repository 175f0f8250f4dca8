// SPDX-License-Identifier: Apache-2.0
// Nothing that a suite has started outlives the runner, however the runner ends: a program that ignores signals, forks
// and makes sessions of its own, and its folder.

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/files/temporary_directory.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

/// Processes, zombies aside, whose command line has \p mark in it.
int processes_with(const std::string& mark) {
  int found = 0;
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    std::ifstream file(it->path() / "cmdline");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (text.find(mark) != std::string::npos) ++found;
  }
  return found;
}

template <class Condition>
bool comes_true(const Condition& condition, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

class InterruptedProgram : public testing::TestWithParam<const char*> {
 protected:
  /// Starts a suite of one stubborn program.
  pid_t start(const std::string& of_suite, const std::string& of_method) {
    fs::create_directory(place_);
    const std::string suite = directory_.file("stubborn.toml");
    std::ofstream(suite) << "[suite]\nname = \"stubborn\"\nseeds = \"0..0\"\nn_train = 20\nn_samples = 20\n"
                         << "n_reference = 20\n"
                         << of_suite << "[[task]]\nname = \"plane-gmm9\"\n"
                         << "[[method]]\nname = \"program\"\ntype = \"external\"\n"
                         << "command = \"" << ONMANIFOLD_EXTERNAL_PROGRAM
                         << " stubborn {train} {samples} {n} {seed}\"\n"
                         << of_method;
    const std::string binary = std::string(ONMANIFOLD_BINARY_DIR) + "/onmanifold";
    const std::string results = directory_.file("results");
    const pid_t runner = fork();
    if (runner == 0) {
      setenv("TMPDIR", place_.c_str(), 1);
      const int nothing = open("/dev/null", O_RDWR);
      for (const int standard : {0, 1, 2}) dup2(nothing, standard);
      execl(binary.c_str(), "onmanifold", "run", suite.c_str(), "-o", results.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    return runner;
  }

  void expect_nothing_left() {
    EXPECT_TRUE(comes_true([&] { return processes_with(directory_.path()) == 0; }, 5))
        << processes_with(directory_.path()) << " processes are left";
    EXPECT_TRUE(comes_true([&] { return fs::is_empty(place_); }, 5)) << "a folder is left in " << place_;
  }

  TemporaryDirectory directory_;
  std::string place_ = directory_.file("temporary files");
};

// The program, its child and its grandchild; their shell and two processes of the runner with its suite.
bool all_started(const std::string& place) {
  return processes_with(place) >= 3;
}

TEST_P(InterruptedProgram, EndsWithTheRunner) {
  const std::string how = GetParam();
  const int signal = how == "SIGINT" ? SIGINT : how == "SIGTERM" ? SIGTERM : SIGKILL;
  const pid_t runner = start("", "");
  ASSERT_TRUE(comes_true([&] { return all_started(place_); }, 60)) << "the program does not start";
  kill(runner, signal);
  waitpid(runner, nullptr, 0);
  expect_nothing_left();
}
INSTANTIATE_TEST_SUITE_P(Signals, InterruptedProgram, testing::Values("SIGINT", "SIGTERM", "SIGKILL"));

class LateProgram : public InterruptedProgram {};

TEST_P(LateProgram, EndsAtItsTimeLimit) {
  const bool of_suite = std::string(GetParam()) == "suite";
  const pid_t runner = start(of_suite ? "timeout_s = 3\n" : "", of_suite ? "" : "timeout_s = 3\n");
  EXPECT_TRUE(comes_true([&] { return all_started(place_); }, 60)) << "the program does not start";
  int status = 0;
  waitpid(runner, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 1) << "a failed cell";
  expect_nothing_left();
}
INSTANTIATE_TEST_SUITE_P(Limits, LateProgram, testing::Values("suite", "method"));

}  // namespace
}  // namespace onmanifold
