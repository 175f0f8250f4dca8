// SPDX-License-Identifier: Apache-2.0
#include "models/supervised_program.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kept_head = std::size_t{16} << 10U;
constexpr std::size_t kept_tail = std::size_t{64} << 10U;

// What the supervisor tells: once about the folder, once about the end of the program (with `bytes` bytes of output).
struct Report {
  int error = 0;  // errno, 0 if all went well
  int status = 0;
  int timed_out = 0;
  std::uint32_t bytes = 0;
};

bool send_all(int channel, const void* data, std::size_t bytes) {
  const char* position = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t sent = send(channel, position, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    position += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int channel, void* data, std::size_t bytes) {
  char* position = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t got = recv(channel, position, bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    position += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

// Also what has lost its permissions on the way.
void remove_folder(const std::string& path) {
  std::error_code error;
  fs::permissions(path, fs::perms::owner_all, error);
  fs::remove_all(path, error);
  if (!error) return;
  for (fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, error), end;
       !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored) && !it->is_symlink(ignored))
      fs::permissions(it->path(), fs::perms::owner_all, ignored);
  }
  fs::remove_all(path, error);
}

// ---------------------------------------------------------------- in the supervisor

// All processes below this one, read from /proc.
std::vector<pid_t> descendants() {
  std::multimap<pid_t, pid_t> children;
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(it->path() / "stat");
    std::string text;
    std::getline(file, text, '\0');  // an iterator over the buffer would throw where the process has just ended
    const std::size_t after_name = text.rfind(')');  // "pid (name) state parent …", and the name may be anything
    if (after_name == std::string::npos || after_name + 4 >= text.size()) continue;
    children.emplace(std::atoi(text.c_str() + after_name + 4), std::atoi(name.c_str()));
  }
  std::vector<pid_t> found = {getpid()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto [first, last] = children.equal_range(found[i]);
    for (auto child = first; child != last; ++child) found.push_back(child->second);
  }
  found.erase(found.begin());
  return found;
}

// Kills all descendants and takes note of their deaths. Orphans come to this process, so nothing is out of reach.
void end_tree() {
  const auto give_up = Clock::now() + std::chrono::seconds(10);  // a process may hang in the kernel
  while (Clock::now() < give_up) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    const std::vector<pid_t> left = descendants();
    if (left.empty()) return;
    for (const pid_t process : left) kill(process, SIGKILL);
    usleep(1000);
  }
}

// The start and the end of what a program prints.
class Excerpt {
 public:
  void add(const char* data, std::size_t size) {
    const std::size_t first = std::min(size, kept_head - head_.size());
    head_.append(data, first);
    tail_.append(data + first, size - first);
    if (tail_.size() <= 2 * kept_tail) return;
    omitted_ += tail_.size() - kept_tail;
    tail_.erase(0, tail_.size() - kept_tail);
  }
  [[nodiscard]] std::string text() const {
    const std::size_t more = tail_.size() > kept_tail ? tail_.size() - kept_tail : 0;
    if (omitted_ + more == 0) return head_ + tail_;
    return fmt::format("{}\n[{} bytes left out]\n{}", head_, omitted_ + more, tail_.substr(more));
  }

 private:
  std::string head_;
  std::string tail_;
  std::size_t omitted_ = 0;
};

// In the program's process before it is one.
[[noreturn]] void become(const ProgramRequest& request, int output, pid_t supervisor) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(127);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD}) std::signal(signal, SIG_DFL);
  if (dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(127);
  if (request.memory_bytes > 0) {
    struct rlimit limit {};
    getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = std::min<rlim_t>(static_cast<rlim_t>(request.memory_bytes), limit.rlim_max);
    setrlimit(RLIMIT_DATA, &limit);
  }
  const std::string threads = std::to_string(request.threads);
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) {
    setenv(name, threads.c_str(), 1);
  }
  std::vector<char*> arguments;
  for (const std::string& argument : request.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  dprintf(2, "%s: %s\n", arguments[0], std::strerror(errno));
  _exit(127);
}

// Reads what is there.
void drain(int pipe, Excerpt& output) {
  std::array<char, 65536> buffer;
  for (ssize_t got = 0; (got = read(pipe, buffer.data(), buffer.size())) > 0;) {
    output.add(buffer.data(), static_cast<std::size_t>(got));
    if (static_cast<std::size_t>(got) < buffer.size()) return;  // and look at the clock now and then
  }
}

// False: nobody waits for the answer any more.
bool run_program(const ProgramRequest& request, int channel, Report& report, Excerpt& output) {
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) {
    report.error = errno;
    return true;
  }
  const pid_t self = getpid();
  const pid_t program = fork();
  if (program == 0) become(request, pipe[1], self);
  if (program < 0) {
    report.error = errno;
    return true;
  }
  close(pipe[1]);
  fcntl(pipe[0], F_SETFL, O_NONBLOCK);
  const auto start = Clock::now();
  bool closed = false;
  int pause = 1;
  bool wanted = true;
  for (bool running = true; running;) {
    std::array<pollfd, 2> watched = {{{channel, POLLIN, 0}, {closed ? -1 : pipe[0], POLLIN, 0}}};
    poll(watched.data(), watched.size(), pause);
    pause = std::min(2 * pause, 50);
    if (watched[1].revents != 0) drain(pipe[0], output);
    closed = closed || (watched[1].revents & (POLLHUP | POLLIN)) == POLLHUP;
    wanted = watched[0].revents == 0;  // nothing is ever said to a running program
    running = wanted;
    int status = 0;
    for (pid_t ended = 0; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended != program) continue;
      report.status = status;
      running = false;
    }
    if (running && std::chrono::duration<double>(Clock::now() - start).count() > request.timeout_s) {
      report.timed_out = 1;
      running = false;
    }
  }
  end_tree();
  drain(pipe[0], output);
  close(pipe[0]);
  return wanted;
}

[[noreturn]] void supervise(const ProgramRequest& request, int channel) {
  setsid();  // Ctrl-C and whoever ends the group of the parent do not reach this process
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) std::signal(signal, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  // Nothing of the parent stays open: its locks, its sockets, its output.
  const int nothing = open("/dev/null", O_RDWR);
  for (const int standard : {0, 1, 2}) dup2(nothing, standard);
  constexpr int kept = 3;
  if (channel != kept) dup2(channel, kept);
  fcntl(kept, F_SETFD, FD_CLOEXEC);
  close_range(kept + 1, ~0U, 0);

  Report report;
  if (mkdir(request.directory.c_str(), 0700) != 0) report.error = errno;
  if (!send_all(kept, &report, sizeof(report)) || report.error != 0) {
    if (report.error == 0) remove_folder(request.directory);
    _exit(0);
  }
  char start = 0;
  Excerpt output;
  if (receive_all(kept, &start, 1) && run_program(request, kept, report, output)) {
    const std::string text = output.text();
    report.bytes = static_cast<std::uint32_t>(text.size());
    if (send_all(kept, &report, sizeof(report)) && send_all(kept, text.data(), text.size())) {
      receive_all(kept, &start, 1);  // until the parent has read the samples, or is gone
    }
  }
  remove_folder(request.directory);
  _exit(0);
}

}  // namespace

std::string unused_directory_name() {
  std::error_code none;
  const fs::path base = fs::temp_directory_path(none);
  if (none) throw IoError(fmt::format("the directory for temporary files (TMPDIR): {}", none.message()));
  std::random_device random;
  return (base / fmt::format("onmanifold-{}-{:08x}{:08x}", getpid(), random(), random())).string();
}

SupervisedProgram::SupervisedProgram(const ProgramRequest& request) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw IoError(fmt::format("no socket can be made: {}", std::strerror(errno)));
  }
  supervisor_ = fork();
  if (supervisor_ == 0) {
    close(ends[0]);
    supervise(request, ends[1]);
  }
  const int error = errno;
  close(ends[1]);
  channel_ = ends[0];
  if (supervisor_ < 0) {
    close(channel_);
    throw IoError(fmt::format("no process can be made: {}", std::strerror(error)));
  }
  Report report;
  if (receive_all(channel_, &report, sizeof(report)) && report.error == 0) return;
  close(channel_);
  waitpid(supervisor_, nullptr, 0);
  throw IoError(fmt::format("{}: cannot create a temporary directory: {}", request.directory,
                            report.error != 0 ? std::strerror(report.error) : "its supervisor was killed"));
}

SupervisedProgram::~SupervisedProgram() {
  close(channel_);
  while (waitpid(supervisor_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

ProgramEnd SupervisedProgram::run() {
  const char start = 1;
  Report report;
  ProgramEnd end;
  bool complete = send_all(channel_, &start, 1) && receive_all(channel_, &report, sizeof(report));
  if (complete) {
    end.output.resize(report.bytes);
    complete = receive_all(channel_, end.output.data(), end.output.size());
  }
  if (!complete) throw IoError("the supervisor of the program was killed");
  if (report.error != 0) throw IoError(fmt::format("no process can be made: {}", std::strerror(report.error)));
  end.timed_out = report.timed_out != 0;
  end.status = report.status;
  return end;
}

}  // namespace onmanifold
