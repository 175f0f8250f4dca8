// SPDX-License-Identifier: Apache-2.0
#include "results/verify.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/hdf5_file.hpp"
#include "results/cell_files.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view metrics_suffix = ".metrics.h5";

class Verifier {
 public:
  explicit Verifier(std::string directory) : directory_(std::move(directory)) {}

  Verification run() {
    std::set<std::string> tasks;
    const std::vector<CellKey> cells = find_cells(directory_);
    for (const CellKey& key : cells) {
      check_cell(key);
      tasks.insert(key.task);
    }
    check_plans(cells);
    for (const std::string& task : tasks) {
      const std::string path = (fs::path(directory_) / task / "task.h5").string();
      if (!is_there(path)) add(path, "missing");
    }
    walk();
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [path, text] : problems_) result_.problems.push_back(std::move(text));
    return std::move(result_);
  }

 private:
  void add(const std::string& path, std::string_view what) {
    problems_.emplace_back(path, fmt::format("{}: {}", path, what));
  }

  // Digest, then content. A damaged file is one problem: what follows from the damage is not told as well.
  bool readable(const std::string& path, const std::function<void()>& read) {
    try {
      const std::string damage = check_file_digest(path);
      if (damage.empty()) {
        read();
        return true;
      }
      problems_.emplace_back(path, damage);
    } catch (const InvalidInput& error) {
      problems_.emplace_back(path, error.what());
    } catch (const IoError& error) {
      problems_.emplace_back(path, error.what());
    }
    return false;
  }

  void check_cell(const CellKey& key) {
    const std::string path = key.raw_path(directory_);
    const std::string metrics_path = key.metrics_path(directory_);
    ++result_.cells;
    std::optional<std::string> digest;
    bool complete = true;
    readable(path, [&] {
      const CellHead head = read_cell_head(path);
      digest = raw_digest(read_raw_cell(path));
      if (*digest != head.raw_digest) add(path, "its samples do not match the digest beside them");
      if (head.status.ok()) return;
      ++result_.failed;
      complete = false;  // nothing to measure
    });
    if (!is_there(metrics_path)) {
      if (digest && complete) add(path, "has no metrics file");
      return;
    }
    readable(metrics_path, [&] {
      const MetricsCell metrics = read_metrics_cell(metrics_path);
      if (digest && metrics.raw_digest != *digest) add(metrics_path, "was computed from other samples");
    });
  }

  // Whether all is there that runs were asked for. \p cells are sorted.
  void check_plans(const std::vector<CellKey>& cells) {
    const std::vector<std::string> plans = find_cell_plans(directory_);
    std::set<CellKey> missing;
    for (const std::string& path : plans) {
      readable(path, [&] {
        for (CellKey& key : read_cell_plan(path).cells) {
          if (!std::binary_search(cells.begin(), cells.end(), key)) missing.insert(std::move(key));
        }
      });
    }
    for (const CellKey& key : missing) add(key.raw_path(directory_), "missing; a run was asked for it");
    if (!plans.empty()) return;
    if (cells.empty()) {
      add(directory_, "no results here");
    } else {
      result_.notes.push_back(fmt::format(
          "{}: nothing says what was asked for, so cells may be missing; 'onmanifold run' of the same suite "
          "makes up for it",
          directory_));
    }
  }

  // Everything that find_cells() does not name: task files, metrics without a cell, leftovers.
  void walk() {
    std::error_code error;
    for (fs::recursive_directory_iterator it(directory_, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      const std::string path = it->path().string();
      if (is_stale_temporary(name)) {
        result_.notes.push_back(fmt::format("{}: a leftover of an interrupted write; the next run removes it", path));
      } else if (name == "task.h5" && it.depth() == 1) {
        ++result_.task_files;
        readable(path, [&] { static_cast<void>(read_task_file(path)); });
      } else if (name.starts_with("seed-") && name.ends_with(metrics_suffix) && it.depth() == 3) {
        ++result_.metrics_files;
        const std::string raw = path.substr(0, path.size() - metrics_suffix.size()) + ".h5";
        if (!is_there(raw)) add(path, "has no raw file");
      }
    }
    if (error) throw IoError(fmt::format("{}: cannot list: {}", directory_, error.message()));
  }

  std::string directory_;
  Verification result_;
  std::vector<std::pair<std::string, std::string>> problems_;  // path, line
};

}  // namespace

Verification verify_directory(const std::string& directory) {
  return Verifier(directory).run();
}

}  // namespace onmanifold
