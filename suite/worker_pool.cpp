// SPDX-License-Identifier: Apache-2.0
#include "suite/worker_pool.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <list>
#include <new>
#include <system_error>
#include <vector>

#include <dlfcn.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

using Clock = std::chrono::steady_clock;

// Sanitizers reserve terabytes of address space and their allocators do not throw: no limit there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
#else
constexpr bool sanitized = false;
#endif

// What a worker answers: this header, then `bytes` bytes of text.
struct Answer {
  std::int64_t job = 0;
  std::uint32_t failed = 0;
  std::uint32_t bytes = 0;
};

constexpr std::size_t longest_text = 1U << 20U;
// Workers that die before they take a job, one after the other: a fault of the machine, not of a job.
constexpr int most_idle_deaths = 3;

[[noreturn]] void fail(std::string_view operation) {
  throw IoError(fmt::format("worker processes: cannot {}: {}", operation, std::system_category().message(errno)));
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

void flush_output() {
  std::cout.flush();
  std::cerr.flush();
  std::clog.flush();
  std::fflush(stdout);
  std::fflush(stderr);
}

// ---------------------------------------------------------------- in the worker

bool send_all(int descriptor, const void* data, std::size_t bytes) {
  const char* position = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t sent = ::send(descriptor, position, bytes, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    position += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int descriptor, void* data, std::size_t bytes) {
  char* position = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t got = ::recv(descriptor, position, bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    position += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

// One core a worker. The environment reaches libraries that start later and commands that a job runs; the
// calls reach libraries that are loaded already. Looked up by name, because core links none of them.
void use_one_thread() {
  for (const char* name :
       {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "DNNL_NUM_THREADS"}) {
    ::setenv(name, "1", 1);
  }
  for (const char* name : {"openblas_set_num_threads", "omp_set_num_threads"}) {
    using SetThreads = void (*)(int);
    if (void* symbol = ::dlsym(RTLD_DEFAULT, name)) reinterpret_cast<SetThreads>(symbol)(1);
  }
}

void limit_memory(std::size_t bytes) {
  if (bytes == 0 || sanitized) return;
  // RLIMIT_DATA counts the heap and private anonymous mappings, hence every large `new`; unlike RLIMIT_AS it
  // does not count the libraries' own mappings and reservations.
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(bytes, limit.rlim_max);
  ::setrlimit(RLIMIT_DATA, &limit);
}

// Never returns. A worker leaves after its first failed job, so that no half-changed state reaches the next
// one.
[[noreturn]] void serve(int descriptor, const std::function<std::string(Index)>& work) {
  while (true) {
    std::int64_t job = 0;
    if (!receive_all(descriptor, &job, sizeof(job))) ::_exit(0);
    Answer answer{.job = job};
    std::string text;
    try {
      text = work(static_cast<Index>(job));
    } catch (const std::bad_alloc&) {
      answer.failed = 1;
      text = "out of memory";
    } catch (const std::exception& error) {
      answer.failed = 1;
      text = one_line(error.what());
    } catch (...) {
      answer.failed = 1;
      text = "unknown exception";
    }
    flush_output();
    if (text.size() > longest_text) text.resize(longest_text);
    answer.bytes = static_cast<std::uint32_t>(text.size());
    if (!send_all(descriptor, &answer, sizeof(answer)) || !send_all(descriptor, text.data(), text.size())) ::_exit(0);
    if (answer.failed != 0) ::_exit(0);
  }
}

// ---------------------------------------------------------------- in the parent

struct Worker {
  pid_t process = -1;
  int descriptor = -1;
  Index job = -1;  // -1: idle
  Clock::time_point start;
  std::string received;  // bytes of the answer so far

  [[nodiscard]] bool alive() const { return process > 0; }
};

// Blocks the three signals that the loop wants to read from a descriptor; restores the mask at the end.
class Signals {
 public:
  Signals() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&wanted, signal);
    if (::pthread_sigmask(SIG_BLOCK, &wanted, &before_) != 0) fail("block signals");
    descriptor_ = ::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    if (descriptor_ < 0) {
      ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
      fail("read signals");
    }
  }
  ~Signals() {
    ::close(descriptor_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  void restore_in_child() const { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  // Takes what is pending; true if it was a request to stop.
  [[nodiscard]] bool stop_requested() const {
    bool stop = false;
    signalfd_siginfo info{};
    while (::read(descriptor_, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
      stop = stop || info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM;
    }
    return stop;
  }

 private:
  int descriptor_ = -1;
  sigset_t before_{};
};

std::string death(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    const char* name = ::sigdescr_np(signal);
    return fmt::format("killed by signal {} ({}){}", signal, name == nullptr ? "unknown" : name,
                       signal == SIGKILL ? "; the machine may have run out of memory" : "");
  }
  return fmt::format("exited with code {}", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

class Pool {
 public:
  Pool(Index jobs, const WorkerPoolOptions& options, const std::function<std::string(Index)>& work,
       const std::function<bool(const JobOutcome&)>& done)
      : jobs_(jobs), options_(options), work_(work), done_(done) {
    workers_.resize(static_cast<std::size_t>(std::min<Index>(options.workers, jobs)));
    for (Index job = 0; job < jobs; ++job) waiting_.push_back(job);
    running_.resize(options.most_at_once.size());
  }
  ~Pool() {
    for (Worker& worker : workers_) end(worker);
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  bool run() {
    while (true) {
      if (signals_.stop_requested()) return false;
      hand_out();
      if (busy() == 0) return answered_ == jobs_;
      wait();
      if (signals_.stop_requested()) return false;
      for (Worker& worker : workers_) attend(worker);
    }
  }

 private:
  [[nodiscard]] Index busy() const {
    return std::count_if(workers_.begin(), workers_.end(), [](const Worker& w) { return w.job >= 0; });
  }

  /// Running jobs of the group of \p job; null where it has none.
  int* running_with(Index job) {
    const int group = options_.groups.empty() ? -1 : options_.groups[static_cast<std::size_t>(job)];
    return group < 0 ? nullptr : &running_[static_cast<std::size_t>(group)];
  }

  /// The first waiting job whose group has room.
  std::list<Index>::iterator next_job() {
    return std::find_if(waiting_.begin(), waiting_.end(), [&](Index job) {
      const int* running = running_with(job);
      return running == nullptr ||
             *running < options_.most_at_once[static_cast<std::size_t>(running - running_.data())];
    });
  }

  void hand_out() {
    for (Worker& worker : workers_) {
      while (!stopped_ && worker.job < 0) {
        const auto next = next_job();
        if (next == waiting_.end()) return;
        if (!worker.alive() && !start(worker)) {
          if (busy() == 0) fail("start a worker process");
          return;  // go on with fewer; try again after the next answer
        }
        const std::int64_t job = *next;
        if (!send_all(worker.descriptor, &job, sizeof(job))) {
          const int status = end(worker);
          if (++idle_deaths_ >= most_idle_deaths) {
            throw IoError(fmt::format("worker processes die before they take a job: {}", death(status)));
          }
          continue;
        }
        idle_deaths_ = 0;
        worker.job = *next;
        if (int* running = running_with(*next)) ++*running;
        waiting_.erase(next);
        worker.start = Clock::now();
        worker.received.clear();
      }
    }
  }

  bool start(Worker& worker) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return false;
    flush_output();  // or the child would hold a copy of what is buffered
    const pid_t parent = ::getpid();
    const pid_t process = ::fork();
    if (process < 0) {
      const int error = errno;
      ::close(ends[0]);
      ::close(ends[1]);
      errno = error;
      return false;
    }
    if (process == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);  // the parent died before prctl
      // A group of its own: Ctrl-C reaches the parent alone, and a timeout also ends what the job has
      // started.
      ::setpgid(0, 0);
      ::close(ends[0]);
      ::close(signals_.descriptor());
      for (const Worker& other : workers_) {
        if (other.descriptor >= 0) ::close(other.descriptor);
      }
      signals_.restore_in_child();
      use_one_thread();
      limit_memory(options_.memory_bytes);
      serve(ends[1], work_);
    }
    ::setpgid(process, process);  // in both, so that neither has to wait for the other
    ::close(ends[1]);
    worker = Worker{};
    worker.process = process;
    worker.descriptor = ends[0];
    return true;
  }

  // Kills the worker and what it has started, and waits for it. Returns its wait status.
  int end(Worker& worker) {
    int status = 0;
    if (worker.alive()) {
      ::kill(-worker.process, SIGKILL);
      ::kill(worker.process, SIGKILL);
      while (::waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
      }
    }
    if (worker.descriptor >= 0) ::close(worker.descriptor);
    worker = Worker{};
    return status;
  }

  // Sleeps until an answer, a signal or the next time limit.
  void wait() {
    descriptors_.clear();
    descriptors_.push_back({signals_.descriptor(), POLLIN, 0});
    int timeout = -1;
    for (const Worker& worker : workers_) {
      if (worker.job < 0) continue;
      descriptors_.push_back({worker.descriptor, POLLIN, 0});
      if (options_.timeout_s > 0) {
        const double left = std::clamp(options_.timeout_s - seconds(worker), 0.0, 1e6);
        const int milliseconds = static_cast<int>(left * 1e3) + 1;
        timeout = timeout < 0 ? milliseconds : std::min(timeout, milliseconds);
      }
    }
    if (::poll(descriptors_.data(), descriptors_.size(), timeout) < 0 && errno != EINTR) fail("wait for an answer");
  }

  // Looks without reaping: end() alone reaps.
  static bool is_dead(const Worker& worker) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(worker.process), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == worker.process;
  }

  void attend(Worker& worker) {
    if (worker.job < 0) return;
    // Death first, then the socket: whatever a dead worker has sent is there to be read. Its death counts and
    // not only the end of the stream, since a process that the job left behind may hold the socket open.
    const bool dead = is_dead(worker);
    const bool closed = drain(worker);
    JobOutcome outcome;
    outcome.job = worker.job;
    outcome.seconds = seconds(worker);
    Answer answer;
    bool complete = false;
    if (worker.received.size() >= sizeof(answer)) {
      std::memcpy(&answer, worker.received.data(), sizeof(answer));
      complete = worker.received.size() >= sizeof(answer) + answer.bytes;
    }
    if (complete) {
      outcome.kind = answer.failed == 0 ? JobOutcome::Kind::finished : JobOutcome::Kind::exception;
      outcome.message = worker.received.substr(sizeof(answer), answer.bytes);
      worker.job = -1;
      if (answer.failed != 0) end(worker);
    } else if (dead || closed) {
      outcome.kind = JobOutcome::Kind::crashed;
      // The socket closes a moment before the process can be waited for.
      for (int i = 0; i < 1000 && !is_dead(worker); ++i) ::usleep(1000);
      const bool vanished = is_dead(worker);
      const int status = end(worker);
      outcome.message = vanished ? death(status) : "closed its connection";
    } else if (options_.timeout_s > 0 && outcome.seconds >= options_.timeout_s) {
      outcome.kind = JobOutcome::Kind::timeout;
      outcome.message = fmt::format("timeout after {} s", options_.timeout_s);
      end(worker);
    } else {
      return;
    }
    ++answered_;
    if (int* running = running_with(outcome.job)) --*running;
    if (!done_(outcome)) stopped_ = true;
  }

  // Reads what is there; true at the end of the stream.
  static bool drain(Worker& worker) {
    std::array<char, 4096> buffer{};
    while (true) {
      const ssize_t got = ::recv(worker.descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got > 0) {
        worker.received.append(buffer.data(), static_cast<std::size_t>(got));
      } else if (got == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)) {
        return true;
      } else if (errno != EINTR) {
        return false;
      }
    }
  }

  static double seconds(const Worker& worker) {
    return std::chrono::duration<double>(Clock::now() - worker.start).count();
  }

  Index jobs_ = 0;
  const WorkerPoolOptions& options_;
  const std::function<std::string(Index)>& work_;
  const std::function<bool(const JobOutcome&)>& done_;
  Signals signals_;
  std::vector<Worker> workers_;
  std::vector<pollfd> descriptors_;
  std::list<Index> waiting_;  // in order
  std::vector<int> running_;  // by group
  Index answered_ = 0;
  int idle_deaths_ = 0;
  bool stopped_ = false;
};

}  // namespace

bool run_jobs(Index jobs, const WorkerPoolOptions& options, const std::function<std::string(Index)>& work,
              const std::function<bool(const JobOutcome&)>& done) {
  if (jobs < 0) throw InvalidInput(fmt::format("{} jobs", jobs));
  if (options.workers < 1) throw InvalidInput(fmt::format("{} worker processes, expected at least 1", options.workers));
  if (!(options.timeout_s >= 0)) throw InvalidInput(fmt::format("a time limit of {} s", options.timeout_s));
  if (!options.groups.empty() && static_cast<Index>(options.groups.size()) != jobs) {
    throw InvalidInput(fmt::format("{} groups of {} jobs", options.groups.size(), jobs));
  }
  for (const int group : options.groups) {
    const auto known = static_cast<int>(options.most_at_once.size());
    if (group >= known || (group >= 0 && options.most_at_once[static_cast<std::size_t>(group)] < 1)) {
      throw InvalidInput(fmt::format("group {} of jobs has no limit of at least 1", group));
    }
  }
  if (jobs == 0) return true;
  return Pool(jobs, options, work, done).run();
}

}  // namespace onmanifold
