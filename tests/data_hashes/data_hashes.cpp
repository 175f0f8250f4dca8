// SPDX-License-Identifier: Apache-2.0
// Hashes of the data of every task that needs no download: data_hashes prints them, data_hashes FILE compares with
// those of a file (exit code 1 if one differs), data_hashes --broken prints the hash of a sampler that calls std::exp.
#include <cmath>
#include <exception>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/files/points_hash.hpp"
#include "core/files/sha256.hpp"
#include "datasets/readers/missing_data.hpp"
#include "datasets/task.hpp"

namespace onmanifold {
namespace {

constexpr Index points = 500;

constexpr std::string_view heading =
    "# SHA-256 of the first 500 reference and training points of every task (seed 0), of its exact masses and of the\n"
    "# settings that enter hashes. The same on every machine. A line that changes is a change of the task: raise its\n"
    "# version, write CHANGELOG.md, then: build/release/tests/data_hashes/data_hashes > tests/data_hashes/tasks.txt\n";

/// "task version part hash" lines of one task.
std::string lines_of(std::string_view name, const Task& task) {
  std::string text;
  const auto add = [&](std::string_view part, const std::string& hash) {
    text += fmt::format("{} v{} {} {}\n", name, task.version, part, hash);
  };
  add("reference", points_hash(sample_reference(task, points, reference_stream(task, 0))));
  add("training", points_hash(sample_training(task, points, training_stream(task, 0, 0))));
  if (task.masses.size() > 0) add("masses", points_hash(task.masses));
  add("settings",
      to_hex(sha256(fmt::format("{} {} {} {} {} {}", task.data_hash, task.smallest_noise, task.preregistered_sigma,
                                fmt::join(task.sigma_grid, " "), task.metrics, task.image_total))));
  return text;
}

std::string all_lines() {
  std::string text;
  for (const auto& name : task_registry().names()) {
    Settings settings(Value(Value::Table{}), name);
    try {
      text += lines_of(name, task_registry().get(name).factory(settings));
    } catch (const MissingData&) {  // a file of the user or a download
    } catch (const InvalidInput& error) {
      if (std::string_view(error.what()).find("path") == std::string_view::npos) throw;  // a mesh of the user
    }
  }
  return text;
}

int compare(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw IoError(fmt::format("{}: cannot open", path));
  const auto split = [](std::istream& in) {
    std::map<std::string, std::string> result;
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      const std::size_t end = line.rfind(' ');
      result[line.substr(0, end)] = line.substr(end + 1);
    }
    return result;
  };
  const std::map<std::string, std::string> expected = split(file);
  std::istringstream text(all_lines());
  const std::map<std::string, std::string> found = split(text);
  int different = 0;
  for (const auto& [key, hash] : expected) {
    const auto entry = found.find(key);
    if (entry != found.end() && entry->second == hash) continue;
    fmt::print("{}: {} expected, {} found\n", key, hash, entry == found.end() ? "nothing" : entry->second);
    ++different;
  }
  for (const auto& [key, hash] : found) {
    if (expected.count(key) != 0) continue;
    fmt::print("{}: {} is not in {}\n", key, hash, path);
    ++different;
  }
  fmt::print("{} hashes, {} differ\n", found.size(), different);
  return different == 0 && !found.empty() ? 0 : 1;
}

/// What the comparison must notice: log-normal draws by the C library.
std::string broken_lines() {
  Points draws = Stream(0, "broken/reference/v1").normal(3, points);
  for (double& value : draws.reshaped()) value = std::exp(value);
  return fmt::format("broken v1 reference {}\n", points_hash(draws));
}

}  // namespace
}  // namespace onmanifold

int main(int argc, char** argv) {
  try {
    const std::string_view argument = argc > 1 ? argv[1] : "";
    if (argument.empty()) {
      fmt::print("{}{}", onmanifold::heading, onmanifold::all_lines());
      return 0;
    }
    if (argument == "--broken") {
      fmt::print("{}", onmanifold::broken_lines());
      return 0;
    }
    return onmanifold::compare(std::string(argument));
  } catch (const std::exception& error) {
    fmt::print(stderr, "data_hashes: {}\n", error.what());
    return 2;
  }
}
