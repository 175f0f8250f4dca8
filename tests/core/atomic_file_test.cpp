// SPDX-License-Identifier: Apache-2.0
#include "core/files/atomic_file.hpp"

#include <filesystem>
#include <fstream>
#include <functional>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

class AtomicFiles : public testing::Test {
 protected:
  AtomicFiles() : directory_(fs::temp_directory_path() / ("atomic_file_test." + std::to_string(::getpid()))) {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  ~AtomicFiles() override { fs::remove_all(directory_); }
  [[nodiscard]] std::string path(const std::string& name) const { return (directory_ / name).string(); }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }

  fs::path directory_;
};

std::string io_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const IoError& error) {
    return error.what();
  }
  return "no IoError";
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

TEST_F(AtomicFiles, WritesReplacesAndMakesDirectories) {
  const std::string file = path("a/b/x.txt");
  write_file(file, "first");
  EXPECT_EQ(read_file(file), "first");
  write_file(file, std::string_view("sec\0nd", 6));
  EXPECT_EQ(read_file(file), std::string("sec\0nd", 6));
  write_file(file, "");
  EXPECT_EQ(read_file(file), "");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicFiles, WritesBesideTheWorkingDirectory) {
  const fs::path before = fs::current_path();
  fs::current_path(directory_);
  write_file("x.txt", "here");
  fs::current_path(before);
  EXPECT_EQ(read_file(path("x.txt")), "here");
}

TEST_F(AtomicFiles, AnotherProgramMayFillTheTemporaryFile) {
  AtomicFile file(path("x.txt"));
  EXPECT_EQ(fs::path(file.temporary_path()).parent_path(), directory_);
  EXPECT_FALSE(fs::exists(path("x.txt")));
  const int descriptor = ::open(file.temporary_path().c_str(), O_WRONLY);
  ASSERT_EQ(::write(descriptor, "theirs", 6), 6);
  ::close(descriptor);
  file.commit();
  EXPECT_EQ(read_file(path("x.txt")), "theirs");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicFiles, AnExceptionLeavesWhatWasThere) {
  write_file(path("x.txt"), "old");
  const std::size_t before = open_descriptors();
  try {
    AtomicFile file(path("x.txt"));
    file.write("half of the n");
    AtomicFile other(path("y.txt"));
    throw NumericalFailure("in the middle");
  } catch (const NumericalFailure&) {
  }
  EXPECT_EQ(read_file(path("x.txt")), "old");
  EXPECT_EQ(entries(), 1U);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(AtomicFiles, UnwritablePlacesAreNamed) {
  EXPECT_EQ(io_error([] { write_file("/proc/onmanifold/x.txt", "x"); }),
            "/proc/onmanifold: cannot create the directory: No such file or directory");
  write_file(path("file"), "x");
  EXPECT_EQ(io_error([&] { write_file(path("file/x.txt"), "x"); }),
            path("file") + ": cannot create the directory: Not a directory");
  EXPECT_EQ(io_error([&] { write_file(directory_.string(), "x"); }),
            directory_.string() + ": cannot write: Is a directory");
  EXPECT_EQ(io_error([&] { write_file(path(""), "x"); }), path("") + ": not the name of a file");
  EXPECT_EQ(read_file(path("file")), "x");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicFiles, AReadOnlyDirectoryIsRefused) {
  fs::permissions(directory_,
                  fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
  const pid_t child = ::fork();
  if (child == 0) {
    // root may write anywhere
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(77);
    const std::string message = io_error([&] { write_file(path("x.txt"), "x"); });
    ::_exit(message == path("x.txt") + ": cannot create: Permission denied" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  fs::permissions(directory_, fs::perms::owner_all);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(entries(), 0U);
}

TEST_F(AtomicFiles, ALimitInTheMiddleOfAWriteLeavesNothing) {
  write_file(path("x.txt"), "old");
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(::sigaction(SIGXFSZ, &ignore, &before), 0);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  rlimit small = limit;
  small.rlim_cur = 10000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message = io_error([&] { write_file(path("x.txt"), std::string(20000, 'x')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  ASSERT_EQ(::sigaction(SIGXFSZ, &before, nullptr), 0);
  EXPECT_EQ(message, path("x.txt") + ": cannot write: File too large");
  EXPECT_EQ(read_file(path("x.txt")), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicFiles, AFullDiskIsAnOrdinaryError) {
  // A file system of 64 KiB in a name space of a child's own; not every machine grants that to ordinary
  // users.
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  const pid_t child = ::fork();
  if (child == 0) try {
      if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(77);
      std::ofstream("/proc/self/setgroups") << "deny";
      std::ofstream("/proc/self/uid_map") << "0 " + user + " 1";
      std::ofstream("/proc/self/gid_map") << "0 " + group + " 1";
      if (::mount("tmpfs", directory_.c_str(), "tmpfs", 0, "size=64k") != 0) ::_exit(77);
      write_file(path("x.txt"), "old");
      const std::string message = io_error([&] { write_file(path("x.txt"), std::string(1 << 20, 'x')); });
      if (message != path("x.txt") + ": cannot write: No space left on device") ::_exit(1);
      ::_exit(read_file(path("x.txt")) == "old" && entries() == 1 ? 0 : 2);
    } catch (...) {
      ::_exit(3);
    }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no private mounts on this machine";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(AtomicFiles, AKilledWriterLeavesATemporaryFileThatIsKnownForOne) {
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(path("x.txt"));
    file.write("half");
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  AtomicFile alive(path("y.txt"));
  EXPECT_FALSE(is_stale_temporary(fs::path(alive.temporary_path()).filename().string()));
  EXPECT_FALSE(fs::exists(path("x.txt")));
  EXPECT_EQ(entries(), 2U);
  EXPECT_EQ(remove_stale_temporaries(directory_.string()), 1);
  EXPECT_EQ(entries(), 1U);
  EXPECT_TRUE(fs::exists(alive.temporary_path()));
  EXPECT_EQ(remove_stale_temporaries(path("none")), 0);
}

TEST_F(AtomicFiles, OtherNamesAreNotStale) {
  for (const char* name : {"", ".", ".tmp", ".x.tmp", "x.tmp", ".x.h5.tmp", ".x.h5.elsewhere0host-999999999-0.tmp",
                           ".x.h5.a-b-c.tmp", ".lock", "seed-0.h5", ".x.--.tmp"}) {
    EXPECT_FALSE(is_stale_temporary(name)) << name;
  }
}

TEST_F(AtomicFiles, ReadingSaysWhatIsWrong) {
  EXPECT_THROW(
      {
        try {
          static_cast<void>(read_file(path("none")));
        } catch (const InvalidInput& error) {
          EXPECT_EQ(std::string(error.what()), path("none") + ": no such file");
          throw;
        }
      },
      InvalidInput);
  EXPECT_THROW(static_cast<void>(read_file(directory_.string())), InvalidInput);
  EXPECT_FALSE(read_file("/proc/self/status").empty());  // a file that claims to be empty
}

}  // namespace
}  // namespace onmanifold
