// SPDX-License-Identifier: Apache-2.0
// What happens to a results directory when things go wrong: kills at random points, two runners, damaged
// files, a full disk, a directory that cannot be written to, clocks that jump.

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/files/temporary_directory.hpp"
#include "core/random/stream.hpp"
#include "suite/scheduler.hpp"
#include "suite/toml_file.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/same_results.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int replicates = 8;  // ten times slower
constexpr int wanted_kills = 8;
#else
constexpr int replicates = 40;
constexpr int wanted_kills = 50;
#endif

/// Directories of these tests are in memory where that is possible: a kill leaves the same there, and most of
/// the time would be spent waiting for a disk.
class Faults : public testing::Test {
 protected:
  Faults() {
    if (access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 1);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
};

/// Waits for all workers whose parents were killed.
void reap_orphans() {
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

/// Oracle draws that leave a byte in a file each time they are asked for: how often was a cell computed?
std::string tally_file;  // NOLINT: read by the workers

class Tallied final : public GenerativeModel {
 private:
  void do_fit(const FitContext& context) override {
    sampler_ = context.sampler;
    const int file = open(tally_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (file < 0 || write(file, "x", 1) != 1) throw IoError("no tally");
    close(file);
  }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override { return sampler_->sample(n, stream); }

  const Sampler* sampler_ = nullptr;
};

const MethodRegistry& methods() {
  static const MethodRegistry registry = [] {
    MethodRegistry all("method");
    for (const auto& entry : method_registry().entries()) all.add(entry.name, entry.description, entry.factory);
    all.add("tallied", "", [](Settings&) -> std::unique_ptr<GenerativeModel> { return std::make_unique<Tallied>(); });
    return all;
  }();
  return registry;
}

/// Many cells of a millisecond.
SuiteSpec suite(int seeds, const std::string& method = "oracle") {
  return parse_suite(parse_toml(fmt::format(R"(
[suite]
name = "faults"
seeds = "0..{}"
n_train = 20
n_samples = 30
n_reference = 40
[[task]]
name = "plane-gmm9"
metrics = "constraint_mean,w1"
[[task]]
name = "sphere-vmf6"
metrics = "constraint_mean,w1"
[[method]]
name = "gaussian"
[[method]]
name = "other"
type = "{}"
)",
                                            seeds - 1, method),
                                "faults.toml"),
                     "faults.toml", methods());
}

RunOptions options(const std::string& directory, int workers = 1) {
  RunOptions result;
  result.directory = directory;
  result.workers = workers;
  return result;
}

/// Identity of every file under a final name: a file that is written again is another inode or has another
/// time.
using Files = std::map<std::string, std::array<std::int64_t, 3>>;

Files final_files(const std::string& directory) {
  Files files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || name.starts_with('.')) continue;
    struct stat status {};
    if (stat(entry.path().c_str(), &status) != 0) continue;
    files[entry.path().string()] = {static_cast<std::int64_t>(status.st_ino), status.st_mtim.tv_sec,
                                    status.st_mtim.tv_nsec};
  }
  return files;
}

/// Kills a run of \p spec after so many cells and microseconds. \return false if it ended before.
bool run_and_kill(const SuiteSpec& spec, const std::string& directory, int cells, int microseconds) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    close(ends[0]);
    RunOptions run = options(directory, 2);
    run.on_cell = [&](const CellKey&, const CellStatus&) {
      if (write(ends[1], "x", 1) != 1) _exit(2);
    };
    try {
      run_suite(spec, run);
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  close(ends[1]);
  char byte = 0;
  for (int i = 0; i < cells && read(ends[0], &byte, 1) == 1; ++i) {
  }
  usleep(static_cast<useconds_t>(microseconds));
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  close(ends[0]);
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) throw std::runtime_error("the run failed");
  return WIFSIGNALED(status);
}

/// The rest of a run.
void finish(const SuiteSpec& spec, const std::string& directory) {
  reap_orphans();  // workers may live a moment longer than their parent, and hold a cell
  EXPECT_EQ(run_suite(spec, options(directory, 2)).busy, 0);
}

/// Files under a final name that are not whole, of those that are not in \p known.
std::vector<std::string> incomplete(const Files& files, const Files& known) {
  std::vector<std::string> bad;
  for (const auto& [path, identity] : files) {
    const auto before = known.find(path);
    if (before != known.end() && before->second == identity) continue;
    const std::string damage = check_file_digest(path);
    if (!damage.empty()) bad.push_back(damage);
  }
  return bad;
}

TEST_F(Faults, FiftyKillsAndResumesChangeNothing) {
  const SuiteSpec spec = suite(replicates);
  const TemporaryDirectory whole;
  run_suite(spec, options(whole.path(), 2));
  const Stream stream(1, "fault_test/kills");
  int kills = 0;
  int rounds = 0;
  std::uint64_t draw = 0;
  while (kills < wanted_kills) {
    ASSERT_LT(++rounds, 50) << "too few kills hit a run: " << kills;
    const TemporaryDirectory killed;
    Files known;
    bool hit = true;
    while (hit && kills < wanted_kills) {
      const Vector point = stream.at(draw++).uniform(2, 1).col(0);
      hit = run_and_kill(spec, killed.path(), static_cast<int>(4 * point(0)), static_cast<int>(4000 * point(1)));
      kills += hit ? 1 : 0;
      const Files now = final_files(killed.path());
      EXPECT_EQ(incomplete(now, known), std::vector<std::string>());
      // A cell with samples and metrics is never touched again. (Metrics without which a kill left a raw file
      // come later, and task.h5 is written at every start.)
      for (const auto& [path, identity] : known) {
        if (path.ends_with("task.h5")) continue;
        const auto place = now.find(path);
        ASSERT_TRUE(place != now.end()) << path << " was lost";
        EXPECT_EQ(place->second, identity) << path << " was written twice";
      }
      known = now;
    }
    finish(spec, killed.path());
    EXPECT_TRUE(same_results(whole.path(), killed.path()));
    EXPECT_EQ(remove_stale_temporaries(killed.path()), 0);
  }

  // The check can fail: a file that ends early, as a kill in the middle of writing in place would leave it.
  const std::string victim = whole.file("plane-gmm9/other/none/seed-0.h5");
  fs::resize_file(victim, fs::file_size(victim) - 100);
  EXPECT_EQ(incomplete(final_files(whole.path()), {}).size(), 1U);
}

TEST_F(Faults, TwoRunnersOnOneDirectoryComputeEveryCellOnce) {
  const SuiteSpec spec = suite(replicates / 2, "tallied");
  const TemporaryDirectory scratch;
  tally_file = scratch.file("tally");
  const TemporaryDirectory shared;
  std::array<pid_t, 2> runners{};
  for (pid_t& runner : runners) {
    runner = fork();
    ASSERT_GE(runner, 0);
    if (runner == 0) {
      try {
        run_suite(spec, options(shared.path(), 2));
        _exit(0);
      } catch (...) {
        _exit(1);
      }
    }
  }
  for (const pid_t runner : runners) {
    int status = 0;
    waitpid(runner, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  // Whatever one runner left to the other was being computed there.
  EXPECT_EQ(run_suite(spec, options(shared.path())).skipped, 2 * replicates);
  EXPECT_EQ(fs::file_size(tally_file), static_cast<std::uintmax_t>(replicates));

  const TemporaryDirectory alone;
  run_suite(spec, options(alone.path()));
  EXPECT_TRUE(same_results(alone.path(), shared.path()));
  EXPECT_EQ(fs::file_size(tally_file), static_cast<std::uintmax_t>(2 * replicates));  // the tally counts
}

TEST_F(Faults, ADamagedCellIsNamedAndOnlyForceReplacesIt) {
  const SuiteSpec spec = suite(2);
  const TemporaryDirectory whole;
  run_suite(spec, options(whole.path()));
  const std::string relative = "plane-gmm9/gaussian/none/seed-1.h5";
  const auto damage = [](const std::string& path, int kind) {
    std::string bytes = read_file(path);
    switch (kind) {
      case 0:
        bytes.resize(bytes.size() / 2);
        break;
      case 1:
        bytes.clear();
        break;
      case 2:
        bytes[2] = 'X';
        break;  // of the signature
      default:
        bytes.assign(bytes.size(), '\0');  // what a power cut leaves on some file systems
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  };
  for (int kind = 0; kind < 4; ++kind) {
    const TemporaryDirectory directory;
    fs::copy(whole.path(), directory.path(), fs::copy_options::recursive);
    damage(directory.file(relative), kind);
    EXPECT_TRUE(
        throws_message<InvalidInput>([&] { run_suite(spec, options(directory.path())); }, {relative, "--force"}));
    RunOptions forced = options(directory.path());
    forced.force = true;
    const RunSummary summary = run_suite(spec, forced);
    EXPECT_EQ(summary.computed, 1);
    EXPECT_EQ(summary.skipped, 7);
    EXPECT_TRUE(same_results(whole.path(), directory.path()));
  }
}

TEST_F(Faults, DamagedMetricsAreComputedAgain) {
  const SuiteSpec spec = suite(2);
  const TemporaryDirectory whole;
  run_suite(spec, options(whole.path()));
  const TemporaryDirectory directory;
  fs::copy(whole.path(), directory.path(), fs::copy_options::recursive);
  const std::string truncated = directory.file("plane-gmm9/gaussian/none/seed-1.metrics.h5");
  fs::resize_file(truncated, fs::file_size(truncated) / 2);
  const std::string altered = directory.file("sphere-vmf6/other/none/seed-0.metrics.h5");
  std::string bytes = read_file(altered);
  const std::size_t place = bytes.find("constraint_mean");
  ASSERT_NE(place, std::string::npos);
  bytes[place + 17] = static_cast<char>(bytes[place + 17] ^ 4);  // the value itself: HDF5 does not see it
  std::ofstream(altered, std::ios::binary | std::ios::trunc) << bytes;
  const RunSummary summary = run_suite(spec, options(directory.path()));
  EXPECT_EQ(summary.measured, 2);
  EXPECT_EQ(summary.computed, 0);
  EXPECT_TRUE(same_results(whole.path(), directory.path()));
}

/// Runs \p body in a child that cannot harm this process. \return its exit code, -1 for a signal.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      _exit(body());
    } catch (...) {
      _exit(99);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(Faults, AFullDiskStopsTheRunAndTheNextOneGoesOn) {
  const SuiteSpec spec = suite(3);
  const TemporaryDirectory whole;
  run_suite(spec, options(whole.path()));
  const TemporaryDirectory directory;
  run_suite(suite(1), options(directory.path()));  // before the disk was full
  const Files before = final_files(directory.path());
  const int code = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{.rlim_cur = 6000, .rlim_max = 6000};
    if (setrlimit(RLIMIT_FSIZE, &small) != 0) return 77;
    try {
      run_suite(spec, options(directory.path(), 2));
      return 1;
    } catch (const IoError& error) {
      return std::string_view(error.what()).find(directory.path()) == std::string_view::npos ? 2 : 0;
    }
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(final_files(directory.path()), before);
  finish(spec, directory.path());
  EXPECT_TRUE(same_results(whole.path(), directory.path()));
}

TEST_F(Faults, AReadOnlyDirectoryIsSaidBeforeAnyWork) {
  const SuiteSpec spec = suite(1, "tallied");
  const TemporaryDirectory scratch;
  tally_file = scratch.file("tally");
  const TemporaryDirectory directory;
  fs::permissions(directory.path(),
                  fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
  const int code = in_child([&] {
    if (geteuid() == 0 && setuid(65534) != 0) return 77;  // root may write anywhere
    try {
      run_suite(spec, options(directory.path()));
      return 1;
    } catch (const IoError& error) {
      const std::string_view message = error.what();
      const bool named = message.find(directory.path()) != std::string_view::npos;
      return named && message.find("Permission denied") != std::string_view::npos ? 0 : 2;
    }
  });
  EXPECT_EQ(code, 0);
  EXPECT_FALSE(fs::exists(tally_file));
}

TEST_F(Faults, AFinishedRunNeedsNothingToBeWritten) {
  const SuiteSpec spec = suite(2);
  const TemporaryDirectory directory;
  run_suite(spec, options(directory.path()));
  const auto take_away = [&](const fs::path& path) {
    fs::permissions(path, fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write,
                    fs::perm_options::remove);
    fs::permissions(path,
                    fs::perms::group_read | fs::perms::group_exec | fs::perms::others_read | fs::perms::others_exec,
                    fs::perm_options::add);
  };
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory.path())) take_away(entry.path());
  take_away(directory.path());
  const auto run_as_somebody = [&](const SuiteSpec& wanted) {
    return in_child([&] {
      if (geteuid() == 0 && setuid(65534) != 0) return 77;  // root may write anywhere
      try {
        return static_cast<int>(run_suite(wanted, options(directory.path())).skipped);
      } catch (const IoError&) {
        return 1;
      }
    });
  };
  EXPECT_EQ(run_as_somebody(spec), 8);
  EXPECT_EQ(run_as_somebody(suite(1)), 4);
  EXPECT_EQ(run_as_somebody(suite(3)), 1) << "more cells need a place";
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory.path())) {
    fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
  }
}

TEST_F(Faults, ClocksMayJump) {
  const SuiteSpec spec = suite(3);
  const TemporaryDirectory directory;
  run_suite(spec, options(directory.path()));
  // Files of the future, of the past, metrics older than their samples: contents decide, not times.
  const auto now = fs::file_time_type::clock::now();
  int number = 0;
  for (const auto& [path, identity] : final_files(directory.path())) {
    fs::last_write_time(path, ++number % 2 == 0 ? now + std::chrono::hours(87600) : now - std::chrono::hours(87600));
  }
  const Files before = final_files(directory.path());
  EXPECT_EQ(run_suite(spec, options(directory.path())).skipped, 12);
  const SuiteSpec more = suite(4);
  const RunSummary summary = run_suite(more, options(directory.path()));
  EXPECT_EQ(summary.computed, 4);
  EXPECT_EQ(summary.skipped, 12);
  const Files after = final_files(directory.path());
  for (const auto& [path, identity] : before) {
    if (!path.ends_with("task.h5")) {
      EXPECT_EQ(after.at(path), identity) << path;
    }
  }
}

}  // namespace
}  // namespace onmanifold
