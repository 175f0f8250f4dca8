// SPDX-License-Identifier: Apache-2.0
// What very many small cells cost: makes a suite of a null method that takes a millisecond, runs it, runs it
// again with nothing left to do, and reports on it.
//   scale [CELLS] [DIRECTORY] [WORKERS]     default: 2000 cells in a temporary directory of /dev/shm, 1
//   worker
// docs/scaling.md has the numbers of 100,000. DIRECTORY must not exist and is removed at the end; in
// /dev/shm, flushing a file costs nothing, and the numbers are those without fsync.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/report.hpp"
#include "reports/terminal_report.hpp"
#include "results/provenance.hpp"
#include "results/verify.hpp"
#include "suite/scheduler.hpp"
#include "suite/toml_file.hpp"

namespace {

using namespace onmanifold;
namespace fs = std::filesystem;

/// Works for a millisecond and draws true samples.
class NullMethod final : public GenerativeModel {
 private:
  void do_fit(const FitContext& context) override {
    sampler_ = context.sampler;
    const double end = onmanifold::cpu_seconds() + 1e-3;
    while (onmanifold::cpu_seconds() < end) {
    }
  }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override { return sampler_->sample(n, stream); }

  const Sampler* sampler_ = nullptr;
};

SuiteSpec make_suite(int cells) {
  static const MethodRegistry methods = [] {
    MethodRegistry all("method");
    all.add("null", "", [](Settings&) -> std::unique_ptr<GenerativeModel> { return std::make_unique<NullMethod>(); });
    return all;
  }();
  // 4 tasks × 5 methods = 20 arms.
  std::string text =
      fmt::format("[suite]\nname = \"scale\"\nseeds = \"0..{}\"\nn_train = 10\nn_samples = 10\nn_reference = 10\n",
                  std::max(cells / 20, 1) - 1);
  for (const char* task : {"plane-gmm9", "sphere-vmf6", "two-points", "circle-vm"}) {
    text += fmt::format("[[task]]\nname = \"{}\"\nmetrics = \"constraint_mean,projection_distance\"\n", task);
  }
  for (const char* method : {"a", "b", "c", "d", "e"}) {
    text += fmt::format("[[method]]\nname = \"{}\"\ntype = \"null\"\n", method);
  }
  return parse_suite(parse_toml(text, "scale.toml"), "scale.toml", methods);
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double cpu_of(const rusage& used) {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Runs \p work in a process of its own and prints its wall and CPU time and its peak memory.
void measure(const char* what, const std::function<void()>& work) {
  std::fflush(stdout);
  rusage used{};
  const double seconds = seconds_of([&] {
    const pid_t child = fork();
    if (child == 0) {
      try {
        work();
        _exit(0);
      } catch (const std::exception& error) {
        fmt::print(stderr, "{}: {}\n", what, error.what());
      }
      _exit(1);
    }
    int status = 0;
    if (wait4(child, &status, 0, &used) != child || status != 0)
      throw std::runtime_error(std::string(what) + " failed");
  });
  fmt::print("{:24} {:8.2f} s {:8.2f} s CPU {:8.0f} MB\n", what, seconds, cpu_of(used),
             static_cast<double>(used.ru_maxrss) / 1e3);
}

int run(int cells, const std::string& directory, int workers) {
  const SuiteSpec suite = make_suite(cells);
  RunOptions options;
  options.directory = directory;
  options.workers = workers;
  cells = static_cast<int>(expand(suite).size());
  fmt::print("{} cells, {} workers, {}\n", cells, workers, directory);

  double seconds = 0;
  measure("run", [&] {
    seconds = seconds_of([&] {
      const RunSummary summary = run_suite(suite, options);
      if (summary.computed != cells) throw std::runtime_error("not every cell was computed");
    });
    rusage self{};
    rusage children{};
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    fmt::print("{:24} {:8.2f} ms a cell by the clock, {:.2f} ms of CPU, beyond the method's own\n", "overhead",
               1e3 * seconds * workers / cells - 1, 1e3 * (cpu_of(self) + cpu_of(children)) / cells - 1);
    std::fflush(stdout);
  });
  measure("run again", [&] {
    if (run_suite(suite, options).skipped != cells) throw std::runtime_error("not every cell was found");
  });
  measure("report", [&] {
    const ResultSet results = load_results(directory);
    const Analysis analysis = analyse(results);
    const Report report(analysis);
    write_reports(report, directory + "/report", report_format_registry().names());
    if (terminal_report(report, false).empty()) throw std::runtime_error("an empty report");
  });
  measure("verify", [&] {
    if (!verify_directory(directory).problems.empty()) throw std::runtime_error("problems");
  });
  double bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file() && entry.path().extension() == ".h5") bytes += static_cast<double>(entry.file_size());
  }
  fmt::print("{:24} {:8.1f} kB a cell\n", "files", bytes / 1e3 / cells);
  fs::remove_all(directory);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, int fallback) {
    int value = 0;
    if (argc <= i) return fallback;
    const char* end = argv[i] + std::strlen(argv[i]);
    return std::from_chars(argv[i], end, value).ptr == end && value > 0 ? value : -1;
  };
  const int cells = number(1, 2000);
  const int workers = number(3, 1);
  const std::string directory = argc > 2 ? argv[2] : fmt::format("/dev/shm/onmanifold-scale-{}", getpid());
  if (cells < 1 || workers < 1 || argc > 4 || fs::exists(directory)) {
    fmt::print(stderr, "usage: scale [CELLS] [DIRECTORY that does not exist] [WORKERS]\n");
    return 2;
  }
  try {
    return run(cells, directory, workers);
  } catch (const std::exception& error) {
    fmt::print(stderr, "scale: {}\n", error.what());
    return 1;
  }
}
