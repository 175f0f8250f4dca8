// SPDX-License-Identifier: Apache-2.0
#include "models/external.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/point_files.hpp"
#include "core/files/temporary_directory.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// The last 64 KiB of what the program printed: enough for any traceback, bounded for any program.
std::string tail_of(const std::string& path) {
  constexpr std::streamoff most = 65536;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : 0;
  file.seekg(size > most ? size - most : 0);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// ": " and the last line of \p text that is not empty, cut to a readable length; nothing if there is none.
std::string last_line(const std::string& text) {
  constexpr std::size_t most = 200;
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return {};
  const std::size_t start = text.find_last_of("\r\n", end);
  const std::string line = text.substr(start == std::string::npos ? 0 : start + 1, end - start);
  return ": " + (line.size() > most ? line.substr(0, most) + "…" : line);
}

/// In the child between fork and exec: only functions that are safe there.
[[noreturn]] void become(const char* command, int log, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a killed worker must not leave the program behind
  if (getppid() != parent) _exit(127);
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) _exit(127);
  execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
  _exit(127);
}

/// Runs \p command; its output goes to the file \p log. \return the status of waitpid, or nothing after \p timeout_s.
std::optional<int> run(const std::string& command, const std::string& log, double timeout_s) {
  const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (output < 0) throw IoError(fmt::format("{}: {}", log, std::strerror(errno)));
  const pid_t self = getpid();
  const pid_t child = fork();
  if (child == 0) become(command.c_str(), output, self);
  close(output);
  if (child < 0) throw IoError(fmt::format("external: no process can be made: {}", std::strerror(errno)));
  setpgid(child, child);  // whoever comes first
  const auto start = std::chrono::steady_clock::now();
  auto pause = std::chrono::milliseconds(1);
  int status = 0;
  for (;;) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) {
      kill(-child, SIGKILL);  // what it started in the background
      return status;
    }
    if (ended < 0 && errno != EINTR) throw IoError(fmt::format("external: waitpid: {}", std::strerror(errno)));
    if (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > timeout_s) {
      kill(-child, SIGKILL);
      waitpid(child, &status, 0);
      return std::nullopt;
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, std::chrono::milliseconds(50));
  }
}

class External final : public GenerativeModel {
 public:
  explicit External(Settings& settings)
      : command_(settings.text("command", "", "command line with {train} {samples} {n} {seed}, run once a cell")),
        timeout_s_(settings.number("timeout_s", 600, 0.001, 1e9, "seconds that a run of the program may take")) {
    if (command_.empty()) throw InvalidInput(settings.locate("command") + ": an external method needs a command");
    if (command_.find("{samples}") == std::string::npos) {
      throw InvalidInput(settings.locate("command") + ": the command has no place {samples}");
    }
  }

  [[nodiscard]] std::string log() const override { return log_; }

 private:
  void do_fit(const FitContext& context) override {
    train_ = context.training->epoch(0);
    check_finite(train_, "training points");
  }
  void do_load(const ModelState&, const FitContext& context) override { do_fit(context); }

  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    const TemporaryDirectory directory;
    const std::string samples = directory.file("samples.npy");
    const std::string output = directory.file("output.txt");
    write_points(directory.file("train.npy"), train_);
    Stream draws = stream;
    std::string command = command_;
    replace_all(command, "{train}", directory.file("train.npy"));
    replace_all(command, "{samples}", samples);
    replace_all(command, "{n}", std::to_string(n));
    replace_all(command, "{seed}", std::to_string(draws.integer(std::uint64_t{1} << 31U)));
    replace_all(command, "{dim}", std::to_string(train_.rows()));
    // One thread, like the other workers; the child inherits the environment of this process.
    for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) setenv(name, "1", 1);
    const std::optional<int> status = run(command, output, timeout_s_);
    log_ = tail_of(output);
    if (!status) throw TimeLimitExceeded(fmt::format("external: not done after {} s", timeout_s_));
    // The shell says 128 + signal of a program that was killed.
    const int code = WIFEXITED(*status) ? WEXITSTATUS(*status) : 0;
    const int signal = WIFSIGNALED(*status) ? WTERMSIG(*status) : code > 128 && code <= 128 + SIGRTMAX ? code - 128 : 0;
    if (signal != 0) {
      throw IoError(fmt::format("external: killed by signal {} ({}){}", signal, strsignal(signal), last_line(log_)));
    }
    if (code != 0) throw IoError(fmt::format("external: exit code {}{}", code, last_line(log_)));
    if (!fs::exists(samples)) throw IoError("external: the program wrote no samples");
    Points result;
    try {
      result = read_points(samples);
    } catch (const InvalidInput& error) {
      throw IoError(fmt::format("external: {}", error.what()));
    }
    if (result.rows() != train_.rows() || result.cols() != n) {
      throw IoError(fmt::format("external: the samples are {}×{}, expected {}×{}", result.cols(), result.rows(), n,
                                train_.rows()));
    }
    const Index bad = result.size() - result.array().isFinite().count();
    if (bad > 0) throw IoError(fmt::format("external: {} of {} numbers are not finite", bad, result.size()));
    return result;
  }

  std::string command_;
  double timeout_s_;
  Points train_;
  mutable std::string log_;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_external(Settings& settings) {
  return std::make_unique<External>(settings);
}

}  // namespace onmanifold
