// SPDX-License-Identifier: Apache-2.0
// Results directories that somebody has changed, and what verify, report and run --metrics-only make of them: an
// answer, InvalidInput or IoError, never a crash, a hang or another exception.
//   results_fuzz RUNS [FIRST [--control]]
// Each run has a number, from which everything follows; FIRST is that of the first (default 0). Each command sees a
// copy of its own, in a process of its own. With --control a reader that trusts its files stands in their place, and
// must be found out. Exit code 1 if anything was found, with the number of the run.

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/temporary_directory.hpp"
#include "reports/report.hpp"
#include "reports/terminal_report.hpp"
#include "results/cell_files.hpp"
#include "results/result_set.hpp"
#include "results/verify.hpp"
#include "suite/scheduler.hpp"
#include "suite/toml_file.hpp"
#include "tests/fuzz/made_cells.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;
using fuzz::Choices;

constexpr unsigned longest_seconds = 60;

SuiteSpec suite() {
  return parse_suite(parse_toml(R"(
[suite]
name = "changed"
seeds = "0..1"
n_train = 20
n_samples = 15
n_reference = 20
[[task]]
name = "sphere-vmf6"
metrics = "tvd,constraint_mean,train_copy_rate"
[[lift]]
name = "normal"
type = "normal"
[[method]]
name = "oracle"
[[method]]
name = "gaussian"
lifts = ["none", "normal"]
)",
                                "changed.toml"),
                     "changed.toml");
}

/// Bytes out of a number, for Choices.
std::string bytes_of(std::uint64_t number) {
  std::string bytes(2048, '\0');
  for (char& byte : bytes) {
    number += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = number;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    byte = static_cast<char>((z ^ (z >> 31U)) & 0xFFU);
  }
  return bytes;
}

template <class Items>
const auto& one_of(const Items& items, Choices& choices) {
  return items[static_cast<std::size_t>(choices.between(0, static_cast<std::int64_t>(items.size()) - 1))];
}

std::string odd_text(Choices& choices) {
  static const std::vector<std::string> texts = {
      "",           "ok",   "=1+1", "../../etc/passwd",       "\x1b[2J",  "\u202e", "<script>alert(1)</script>",
      "\\input{x}", "none", "nan",  std::string(100000, 'x'), "\xff\xfe", "a/b",    "a\nb",
      "{}",         "%s%n"};
  return one_of(texts, choices);
}

Value odd_value(Choices& choices) {
  switch (choices.between(0, 9)) {
    case 0:
      return Value::Array{};
    case 1:
      return Value::Table{};
    case 2:
      return Value();
    case 3:
      return choices.number();
    case 4:
      return choices.whole();
    case 5:
      return odd_text(choices);
    case 6:
      return choices.flip();
    case 7: {
      Value deep = 1;
      for (int i = 0; i < 80; ++i) deep = Value::Array{std::move(deep)};
      return deep;
    }
    case 8:
      return Value::Array{1, "x", Value()};
    default:
      return choices.between(-3, 3);
  }
}

/// Puts something else in the place of some part of \p value.
void change(Value& value, Choices& choices) {
  auto* table = value.get_if<Value::Table>();
  if (table == nullptr || table->empty() || choices.between(0, 3) == 0) {
    value = odd_value(choices);
    return;
  }
  auto place = table->begin();
  std::advance(place, choices.between(0, static_cast<std::int64_t>(table->size()) - 1));
  if (choices.between(0, 5) == 0) {
    table->erase(place);
  } else {
    change(place->second, choices);
  }
}

void change(MetricRecord& record, Choices& choices) {
  switch (choices.between(0, 8)) {
    case 0:
      record.name = odd_text(choices);
      break;
    case 1:
      record.value = choices.number();
      break;
    case 2:
      record.null = choices.number();
      break;
    case 3:
      record.null_sd = choices.number();
      break;
    case 4:
      record.parameters = odd_text(choices);
      break;
    case 5:
      record.unit = odd_text(choices);
      break;
    case 6:
      record.n_samples = choices.whole();
      break;
    case 7:
      record.direction.reset();
      break;
    default:
      record.status = {RecordState::failed, odd_text(choices)};
  }
}

/// Writes \p path again with something changed that it may hold, checksums and all.
void change_content(const std::string& path, Choices& choices) {
  const std::string name = fs::path(path).filename().string();
  if (name.starts_with("task")) {
    TaskFile task = read_task_file(path);
    if (choices.flip()) change(task.details, choices);
    if (choices.between(0, 3) == 0) task.description = odd_text(choices);
    if (choices.between(0, 5) == 0) task.reference.resize(choices.between(0, 4), choices.between(0, 4));
    if (choices.between(0, 5) == 0) task.reference.setConstant(choices.number());
    if (choices.between(0, 5) == 0) task.manifold_spec = odd_text(choices);
    if (choices.between(0, 5) == 0) task.entropy = choices.number();
    write_task_file(path, task);
  } else if (name.starts_with("suite-")) {
    Hdf5Writer file(path);
    file.set_attribute("/", "schema_version", std::int64_t{schema_version});
    file.set_attribute("/", "kind", std::string_view("plan"));
    Value plan = Value::Table{{"suite", "s"}, {"cells", Value::Array{Value::Array{"t", "m", "l", 0, 1}}}};
    change(plan, choices);
    file.write_text("/plan", to_json(plan));
    file.commit();
  } else if (name.ends_with(".metrics.h5")) {
    MetricsCell cell = read_metrics_cell(path);
    for (std::vector<MetricRecord>* records : {&cell.raw, &cell.projected}) {
      if (records->empty()) continue;
      change((*records)[static_cast<std::size_t>(choices.between(0, static_cast<std::int64_t>(records->size()) - 1))],
             choices);
      if (choices.between(0, 3) == 0) records->push_back(records->front());
    }
    if (choices.flip()) change(cell.config, choices);
    if (choices.between(0, 3) == 0 && !cell.metrics.empty()) {
      cell.metrics.begin()->second.lowest = choices.number();
      cell.metrics.begin()->second.samples = SampleKind::raw;
    }
    write_metrics_cell(path, cell);
  } else {
    RawCell cell = read_raw_cell(path);
    if (choices.flip()) change(cell.config, choices);
    if (choices.between(0, 3) == 0) change(cell.provenance, choices);
    if (choices.between(0, 3) == 0) cell.status = {CellState::failed, odd_text(choices)};
    if (choices.between(0, 3) == 0) cell.raw.setConstant(choices.number());
    if (choices.between(0, 3) == 0) cell.raw.conservativeResize(choices.between(1, 4), choices.between(1, 4));
    if (choices.between(0, 3) == 0) cell.projected.resize(choices.between(0, 4), choices.between(0, 4));
    if (choices.between(0, 3) == 0) cell.projection_distance.resize(choices.between(0, 4));
    if (choices.between(0, 3) == 0) cell.training["loss"] = Vector::Constant(choices.between(0, 4), choices.number());
    if (choices.between(0, 3) == 0) cell.timing["fit_s"] = choices.number();
    if (choices.between(0, 3) == 0) cell.method.type = odd_text(choices);
    write_raw_cell(path, cell);
  }
}

void spill(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

/// Something that is no file under the name of one.
void replace_by_another_thing(const std::string& path, Choices& choices) {
  fs::remove(path);
  switch (choices.between(0, 4)) {
    case 0:
      fs::create_directory(path);
      break;
    case 1:
      if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("no pipe");
      break;
    case 2:
      fs::create_symlink(path, path);  // to itself
      break;
    case 3:
      fs::create_symlink("/dev/zero", path);
      break;
    default:
      spill(path, "");
  }
}

void add_an_odd_name(const std::string& directory, const std::string& file, Choices& choices) {
  static const std::vector<std::string> names = {"seed-99999999999999999999.h5",
                                                 "seed--1.h5",
                                                 "seed-007.h5",
                                                 "seed-5.metrics.h5",
                                                 "\x1b[31m.h5",
                                                 "suite-.h5",
                                                 "task.h5",
                                                 "\xff.h5"};
  const std::string& name = one_of(names, choices);
  const fs::path folder = choices.flip() ? fs::path(directory) : fs::path(directory) / "\x1b[1m t" / "m" / "none";
  fs::create_directories(folder);
  fs::copy_file(file, folder / name, fs::copy_options::overwrite_existing);
}

/// One to three changes of the directory. \p files: its own, relative.
void change_directory(const std::string& directory, const std::vector<std::string>& files, Choices& choices) {
  for (std::int64_t left = choices.between(1, 3); left > 0; --left) {
    const std::string path = directory + "/" + one_of(files, choices);
    if (!fs::is_regular_file(fs::symlink_status(path))) continue;
    const auto size = static_cast<std::int64_t>(fs::file_size(path));
    try {
      switch (choices.between(0, 11)) {
        case 0:
          fs::resize_file(path, static_cast<std::uintmax_t>(choices.between(0, size)));
          break;
        case 1: {
          std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
          for (std::int64_t flips = choices.between(1, 8); flips > 0; --flips) {
            file.seekp(choices.between(0, std::max<std::int64_t>(size - 1, 0)));
            file.put(static_cast<char>(choices.between(0, 255)));
          }
          break;
        }
        case 2:
          fs::remove(path);
          break;
        case 3:
          fs::copy_file(directory + "/" + one_of(files, choices), path, fs::copy_options::overwrite_existing);
          break;
        case 4:
          replace_by_another_thing(path, choices);
          break;
        case 5:
          add_an_odd_name(directory, path, choices);
          break;
        case 6:
          spill(path, odd_text(choices));
          break;
        case 7:
        case 8:
          fuzz::write_made_cell(path, bytes_of(static_cast<std::uint64_t>(choices.whole())));
          break;
        default:
          change_content(path, choices);
      }
    } catch (const InvalidInput&) {  // an earlier change left nothing to read, or HDF5 cannot hold it
    } catch (const IoError&) {
    } catch (const fs::filesystem_error&) {
    }
  }
}

void verify(const std::string& directory) {
  (void)verify_directory(directory);
}

void report(const std::string& directory) {
  const ResultSet results = load_results(directory);
  const Analysis analysis = analyse(results);
  const Report whole(analysis);
  (void)terminal_report(whole, true);
  (void)write_reports(whole, directory + "/pages", {"html", "md", "csv", "tex", "txt"});
}

void measure_again(const std::string& directory) {
  RunOptions options;
  options.directory = directory;
  options.metrics_only = true;
  options.on_cell = [](const CellKey&, const CellStatus& status) {
    // A worker that crashes is a failed cell to its parent.
    if (status.message.starts_with("killed by signal")) std::abort();
  };
  (void)run_suite(suite(), options);
}

/// The control: what run --metrics-only did before it looked at what it had read.
void trust(const std::string& directory) {
  for (const CellKey& key : find_cells(directory)) {
    try {
      const Hdf5Reader file(key.raw_path(directory));
      const Value config = parse_json(file.text("/config"), "config");
      const volatile bool found = config.get_if<Value::Table>()->contains("n_samples");
      (void)found;
    } catch (const InvalidInput&) {
    } catch (const IoError&) {
    }
  }
}

struct Command {
  const char* name;
  void (*run)(const std::string& directory);
};

/// "" or what is wrong with how \p command ended.
std::string complaint(const Command& command, const std::string& directory) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    ::alarm(longest_seconds);
    if (::setenv("PATH", "/nonexistent", 1) != 0) ::_exit(4);  // no gnuplot: pictures are not under test
    try {
      command.run(directory);
    } catch (const InvalidInput&) {
    } catch (const IoError&) {
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(3);
    }
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return signal == SIGALRM ? fmt::format("is still at work after {} s", longest_seconds)
                             : fmt::format("was killed by signal {}", signal);
  }
  return fmt::format("ended with code {}", WEXITSTATUS(status));
}

int fuzz_results(std::uint64_t runs, std::uint64_t first, bool control) {
  static constexpr std::array<Command, 3> commands = {
      {{"verify", verify}, {"report", report}, {"run --metrics-only", measure_again}}};
  static constexpr std::array<Command, 1> broken = {{{"a reader that trusts its files", trust}}};
  const TemporaryDirectory scratch("/dev/shm");
  const std::string whole = scratch.file("whole");
  RunOptions options;
  options.directory = whole;
  if (run_suite(suite(), options).computed != 6) throw std::runtime_error("the directory could not be made");
  if (!verify_directory(whole).problems.empty()) throw std::runtime_error("the directory is not whole");
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(whole)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), whole).string());
  }
  std::sort(files.begin(), files.end());
  std::uint64_t found = 0;
  for (std::uint64_t run = first; run < first + runs; ++run) {
    const auto try_command = [&](const Command& command) {
      const std::string directory = scratch.file("changed");
      fs::copy(whole, directory, fs::copy_options::recursive);
      const std::string bytes = bytes_of(run * 1'000'003);
      Choices choices(bytes);
      change_directory(directory, files, choices);
      if (const std::string what = complaint(command, directory); !what.empty()) {
        std::printf("run %llu: %s %s\n", static_cast<unsigned long long>(run), command.name, what.c_str());
        ++found;
      }
      fs::remove_all(directory);
    };
    for (const Command& command : commands) {
      if (!control) try_command(command);
    }
    for (const Command& command : broken) {
      if (control) try_command(command);
    }
  }
  std::printf("%llu changed directories, %llu complaints\n", static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(found));
  return found == 0 ? 0 : 1;
}

}  // namespace
}  // namespace onmanifold

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "results_fuzz RUNS [FIRST [--control]]\n");
    return 2;
  }
  const bool control = argc > 3 && std::string_view(argv[3]) == "--control";
  return onmanifold::fuzz_results(std::strtoull(argv[1], nullptr, 10),
                                  argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0, control);
}
