// SPDX-License-Identifier: Apache-2.0
#include "suite/worker_pool.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold {
namespace {

using Kind = JobOutcome::Kind;

struct Results {
  bool complete = false;
  std::map<Index, JobOutcome> outcomes;
  std::vector<Index> order;
};

Results run(Index jobs, const WorkerPoolOptions& options, const std::function<std::string(Index)>& work) {
  Results result;
  result.complete = run_jobs(jobs, options, work, [&](const JobOutcome& outcome) {
    EXPECT_TRUE(result.outcomes.emplace(outcome.job, outcome).second) << "job " << outcome.job << " twice";
    result.order.push_back(outcome.job);
    return true;
  });
  return result;
}

double seconds_of(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::size_t open_descriptors() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

// Every test leaves no process, no descriptor and no blocked signal behind.
class WorkerPool : public testing::Test {
 protected:
  void SetUp() override {
    descriptors_ = open_descriptors();
    ::sigprocmask(SIG_BLOCK, nullptr, &mask_);
  }
  void TearDown() override {
    EXPECT_EQ(open_descriptors(), descriptors_);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
    sigset_t mask;
    ::sigprocmask(SIG_BLOCK, nullptr, &mask);
    for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) {
      EXPECT_EQ(::sigismember(&mask, signal), ::sigismember(&mask_, signal));
    }
  }

  std::size_t descriptors_ = 0;
  sigset_t mask_{};
};

/// How many of 12 jobs met another of their kind (even, odd), four workers at work, and the order of the answers.
std::pair<int, Results> meetings(const WorkerPoolOptions& options) {
  const TemporaryDirectory directory;
  const auto work = [&](Index job) -> std::string {
    const std::string mark = directory.file(job % 2 == 0 ? "even" : "odd");
    const int file = ::open(mark.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600);
    ::usleep(50000);
    if (file < 0) return "met";
    ::close(file);
    ::unlink(mark.c_str());
    return "alone";
  };
  Results results = run(12, options, work);
  int met = 0;
  for (const auto& [job, outcome] : results.outcomes) met += outcome.message == "met" ? 1 : 0;
  return {met, results};
}

TEST_F(WorkerPool, AGroupRunsNoMoreJobsAtOnceThanItMay) {
  WorkerPoolOptions options{.workers = 4};
  EXPECT_GT(meetings(options).first, 0);  // without groups
  options.groups.assign(12, -1);
  options.most_at_once = {1};
  for (std::size_t job = 0; job < 12; job += 2) options.groups[job] = 0;
  // The odd ones do not wait for the even ones: the last odd job is done before the last even one begins.
  const auto [met, results] = meetings(options);
  EXPECT_TRUE(results.complete);
  EXPECT_EQ(results.outcomes.size(), 12U);
  EXPECT_EQ(results.order.back(), 10);
  for (const auto& [job, outcome] : results.outcomes) {
    if (job % 2 == 0) {
      EXPECT_EQ(outcome.message, "alone") << job;
    }
  }
  EXPECT_GT(met, 0);  // of the odd ones
  options.most_at_once = {0};
  EXPECT_THROW(meetings(options), InvalidInput);
  options.most_at_once = {};
  EXPECT_THROW(meetings(options), InvalidInput);
  options.groups = {0};
  EXPECT_THROW(meetings(options), InvalidInput);
}

TEST_F(WorkerPool, AnswersEveryJobInOtherProcesses) {
  for (const int workers : {1, 2, 7}) {
    const Results result = run(20, {.workers = workers},
                               [](Index job) { return std::to_string(job * job) + " " + std::to_string(::getpid()); });
    EXPECT_TRUE(result.complete);
    ASSERT_EQ(result.outcomes.size(), 20U);
    std::set<std::string> processes;
    for (const auto& [job, outcome] : result.outcomes) {
      EXPECT_EQ(outcome.kind, Kind::finished);
      const std::size_t blank = outcome.message.find(' ');
      EXPECT_EQ(outcome.message.substr(0, blank), std::to_string(job * job));
      processes.insert(outcome.message.substr(blank + 1));
      EXPECT_GE(outcome.seconds, 0);
    }
    EXPECT_EQ(processes.count(std::to_string(::getpid())), 0U);
    EXPECT_LE(processes.size(), static_cast<std::size_t>(workers));
    if (workers == 1) {
      for (Index job = 0; job < 20; ++job) EXPECT_EQ(result.order[static_cast<std::size_t>(job)], job);
    }
  }
}

TEST_F(WorkerPool, NothingToDoIsDone) {
  const Results result = run(0, {.workers = 2}, [](Index) { return ""; });
  EXPECT_TRUE(result.complete);
  EXPECT_TRUE(result.outcomes.empty());
}

TEST_F(WorkerPool, RefusesNonsense) {
  const auto work = [](Index) { return std::string(); };
  EXPECT_THROW(run(-1, {}, work), InvalidInput);
  EXPECT_THROW(run(1, {.workers = 0}, work), InvalidInput);
  EXPECT_THROW(run(1, {.workers = 1, .timeout_s = -1}, work), InvalidInput);
}

volatile bool keep_going = true;

TEST_F(WorkerPool, EveryKindOfDeathIsRecordedAndTheRestGoesOn) {
  for (const int workers : {1, 2}) {
    const Results result = run(12, {.workers = workers, .timeout_s = 0.5}, [](Index job) -> std::string {
      switch (job) {
        case 1:
          throw std::runtime_error("two\nlines");
        case 2:
          throw 3;
        case 3:
          throw std::bad_alloc();
        case 4:
          std::abort();
        case 5:
          std::_Exit(3);
        case 6:
          ::raise(SIGKILL);
          break;
        case 7:
          ::signal(SIGSEGV, SIG_DFL);
          ::raise(SIGSEGV);
          break;
        case 8:
          ::_exit(0);
        case 9:
          while (keep_going) {
          }
          break;
        case 10:
          for (int descriptor = 3; descriptor < 64; ++descriptor) ::close(descriptor);
          break;
        default:
          break;
      }
      return "fine";
    });
    EXPECT_TRUE(result.complete);
    ASSERT_EQ(result.outcomes.size(), 12U);
    const auto expect = [&](Index job, Kind kind, const std::string& message) {
      EXPECT_EQ(result.outcomes.at(job).kind, kind) << job;
      EXPECT_EQ(result.outcomes.at(job).message, message) << job;
    };
    expect(0, Kind::finished, "fine");
    expect(1, Kind::exception, "two lines");
    expect(2, Kind::exception, "unknown exception");
    expect(3, Kind::exception, "out of memory");
    expect(4, Kind::crashed, "killed by signal 6 (Aborted)");
    expect(5, Kind::crashed, "exited with code 3");
    expect(6, Kind::crashed, "killed by signal 9 (Killed); the machine may have run out of memory");
    expect(7, Kind::crashed, "killed by signal 11 (Segmentation fault)");
    expect(8, Kind::crashed, "exited with code 0");
    expect(9, Kind::timeout, "timeout after 0.5 s");
    EXPECT_EQ(result.outcomes.at(10).kind, Kind::crashed);
    expect(11, Kind::finished, "fine");
    EXPECT_GE(result.outcomes.at(9).seconds, 0.5);
    // 4 s: a loaded machine may wake us late; an endless loop would not end at all.
    EXPECT_LT(result.outcomes.at(9).seconds, 4);
  }
}

TEST_F(WorkerPool, TooMuchMemoryIsAFailedJobOnly) {
  if (sanitized) GTEST_SKIP() << "no memory limit under sanitizers";
  WorkerPoolOptions options{.workers = 2};
  options.memory_bytes = std::size_t{256} << 20U;
  const Results result = run(6, options, [](Index job) -> std::string {
    if (job == 1) return std::to_string(std::vector<double>(std::size_t{1} << 27U, 1.0).back());  // 1 GiB at once
    if (job == 2) {  // and little by little
      std::vector<std::vector<char>> pieces;
      for (int i = 0; i < 1000; ++i) pieces.emplace_back(std::size_t{1} << 20U, 'x');
      return std::to_string(pieces.size());
    }
    if (job == 3) return std::to_string(Eigen::MatrixXd(Eigen::MatrixXd::Constant(20000, 20000, 1))(job, job));
    return std::to_string(std::vector<double>(std::size_t{1} << 23U, 1.0).size());  // 64 MiB are allowed
  });
  EXPECT_TRUE(result.complete);
  for (const Index job : {1, 2, 3}) {
    EXPECT_EQ(result.outcomes.at(job).kind, Kind::exception) << job;
    EXPECT_EQ(result.outcomes.at(job).message, "out of memory") << job;
  }
  for (const Index job : {0, 4, 5}) EXPECT_EQ(result.outcomes.at(job).message, "8388608") << job;
}

TEST_F(WorkerPool, AFailedWorkerIsReplacedAndAHealthyOneKept) {
  // A static variable lives as long as its worker.
  const Results result = run(6, {.workers = 1}, [](Index job) {
    static int served = 0;
    ++served;
    if (job == 2) throw std::runtime_error("no");
    return std::to_string(served);
  });
  EXPECT_EQ(result.outcomes.at(1).message, "2");
  EXPECT_EQ(result.outcomes.at(2).message, "no");
  EXPECT_EQ(result.outcomes.at(3).message, "1");
  EXPECT_EQ(result.outcomes.at(5).message, "3");
}

TEST_F(WorkerPool, ATimeoutEndsWhatTheJobHasStartedToo) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const Results result = run(1, {.workers = 1, .timeout_s = 0.3}, [&](Index) -> std::string {
    if (::fork() == 0) {
      ::pause();
      ::_exit(0);
    }
    ::pause();
    return "";
  });
  EXPECT_EQ(result.outcomes.at(0).kind, Kind::timeout);
  ::close(ends[1]);
  pollfd end{ends[0], POLLIN, 0};
  // Only the end of every process that holds the other side wakes this; 5 s are for a loaded machine.
  EXPECT_EQ(::poll(&end, 1, 5000), 1);
  EXPECT_NE(end.revents & POLLHUP, 0);
  ::close(ends[0]);
}

TEST_F(WorkerPool, ACrashIsSeenEvenIfTheJobLeftAProcessBehind) {
  const double seconds = seconds_of([&] {
    const Results result = run(1, {.workers = 1}, [&](Index) -> std::string {
      if (::fork() == 0) {
        ::pause();  // holds the worker's end of the connection open
        ::_exit(0);
      }
      ::_exit(5);
    });
    EXPECT_EQ(result.outcomes.at(0).message, "exited with code 5");
  });
  EXPECT_LT(seconds, 5);
}

TEST_F(WorkerPool, LongAnswersArrive) {
  const Results result =
      run(4, {.workers = 2}, [](Index job) { return std::string(300000, static_cast<char>('a' + job)); });
  for (const auto& [job, outcome] : result.outcomes) {
    EXPECT_TRUE(outcome.message == std::string(300000, static_cast<char>('a' + job))) << job;
  }
}

TEST_F(WorkerPool, DoneMayStopTheHandingOut) {
  Index answered = 0;
  const bool complete = run_jobs(
      100, {.workers = 2}, [](Index) { return std::string(); }, [&](const JobOutcome&) { return ++answered < 5; });
  EXPECT_FALSE(complete);
  EXPECT_GE(answered, 5);
  EXPECT_LE(answered, 6);  // what was under way is reported
}

TEST_F(WorkerPool, AnExceptionOfDoneReachesTheCaller) {
  EXPECT_THROW(run_jobs(
                   100, {.workers = 2}, [](Index) { return std::string(); },
                   [](const JobOutcome&) -> bool { throw InvalidInput("from done"); }),
               InvalidInput);
}

TEST_F(WorkerPool, WorkersUseOneThread) {
  const char* before = std::getenv("OPENBLAS_NUM_THREADS");
  const std::string kept = before == nullptr ? "(unset)" : before;
  const Results result = run(
      1, {}, [](Index) { return std::string(std::getenv("OMP_NUM_THREADS")) + std::getenv("OPENBLAS_NUM_THREADS"); });
  EXPECT_EQ(result.outcomes.at(0).message, "11");
  const char* after = std::getenv("OPENBLAS_NUM_THREADS");
  EXPECT_EQ(after == nullptr ? "(unset)" : after, kept);
}

TEST_F(WorkerPool, BufferedOutputIsWrittenOnce) {
  testing::internal::CaptureStdout();
  std::printf("parent ");
  run(3, {.workers = 2}, [](Index job) {
    std::printf("child ");
    if (job == 1) throw std::runtime_error("x");
    return std::string();
  });
  std::fflush(stdout);
  const std::string output = testing::internal::GetCapturedStdout();
  EXPECT_EQ(output.find("parent "), 0U);
  EXPECT_EQ(output.find("parent", 1), std::string::npos);
  EXPECT_EQ(output.size(), std::string("parent child child child ").size());
}

TEST_F(WorkerPool, ALittleJobCostsLittle) {
  constexpr Index jobs = 1000;
  const double seconds =
      seconds_of([&] { EXPECT_TRUE(run(jobs, {.workers = 2}, [](Index) { return std::string("x"); }).complete); });
  std::printf("%.1f us a job\n", 1e6 * seconds / jobs);
  // Two messages and two changes of process take some 20 us; 5 ms is a machine under sanitizers and full
  // load.
  EXPECT_LT(seconds, 5);
}

TEST_F(WorkerPool, AWaitThatASignalInterruptsGoesOn) {
  // A signal with a handler interrupts the wait; the run must not notice.
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &action, &before);
  const itimerval every{{0, 2000}, {0, 2000}};
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &every, nullptr);
  const Results result = run(30, {.workers = 2}, [](Index) {
    ::usleep(3000);
    return std::string("x");
  });
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.outcomes.size(), 30U);
}

// A child that runs jobs which never end, with a pipe that stays open as long as it or one of its workers
// lives.
class Parent {
 public:
  Parent() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("pipe");
    process_ = ::fork();
    if (process_ == 0) {
      ::close(ends_[0]);
      const int out = ends_[1];
      const bool complete = run_jobs(
          5, {.workers = 2},
          [out](Index) {
            if (::write(out, "x", 1) == 1) ::pause();
            return std::string();
          },
          [](const JobOutcome&) { return true; });
      ::_exit(complete ? 0 : 42);
    }
    ::close(ends_[1]);
    for (int i = 0; i < 2; ++i) {  // both workers are at work
      char c = 0;
      if (::read(ends_[0], &c, 1) != 1) throw std::runtime_error("no worker");
    }
  }
  ~Parent() {
    ::kill(process_, SIGKILL);
    ::close(ends_[0]);
  }
  void send(int signal) const { ::kill(process_, signal); }
  [[nodiscard]] int wait() const {
    int status = 0;
    ::waitpid(process_, &status, 0);
    return status;
  }
  // True once every process that can write to the pipe is gone.
  [[nodiscard]] bool all_gone() const {
    pollfd end{ends_[0], POLLIN, 0};
    return ::poll(&end, 1, 5000) == 1 && (end.revents & POLLHUP) != 0 && (end.revents & POLLIN) == 0;
  }

 private:
  std::array<int, 2> ends_{};
  pid_t process_ = -1;
};

TEST_F(WorkerPool, WorkersDieWithTheirParent) {
  const Parent parent;
  parent.send(SIGKILL);
  EXPECT_TRUE(WIFSIGNALED(parent.wait()));
  EXPECT_TRUE(parent.all_gone());
}

TEST_F(WorkerPool, InterruptAndTerminationEndTheWorkersAndReturn) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Parent parent;
    parent.send(signal);
    const int status = parent.wait();
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 42);
    EXPECT_TRUE(parent.all_gone());
  }
}

TEST_F(WorkerPool, JobsMayRunJobs) {
  const Results result = run(2, {.workers = 2}, [](Index job) {
    Index sum = 0;
    run_jobs(
        3, {.workers = 1}, [job](Index inner) { return std::to_string(10 * job + inner); },
        [&](const JobOutcome& outcome) {
          sum += std::stol(outcome.message);
          return true;
        });
    return std::to_string(sum);
  });
  EXPECT_EQ(result.outcomes.at(0).message, "3");
  EXPECT_EQ(result.outcomes.at(1).message, "33");
}

}  // namespace
}  // namespace onmanifold
