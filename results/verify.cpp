// SPDX-License-Identifier: Apache-2.0
#include "results/verify.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>

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
    for (const CellKey& key : find_cells(directory_)) {
      check_cell(key);
      tasks.insert(key.task);
    }
    for (const std::string& task : tasks) {
      const std::string path = (fs::path(directory_) / task / "task.h5").string();
      if (!fs::exists(path)) add(path, "missing");
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
    if (!fs::exists(metrics_path)) {
      if (digest && complete) add(path, "has no metrics file");
      return;
    }
    readable(metrics_path, [&] {
      const MetricsCell metrics = read_metrics_cell(metrics_path);
      if (digest && metrics.raw_digest != *digest) add(metrics_path, "was computed from other samples");
    });
  }

  // Everything that find_cells() does not name: task files, metrics without a cell, leftovers.
  void walk() {
    std::error_code error;
    for (fs::recursive_directory_iterator it(directory_, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      const std::string path = it->path().string();
      if (is_stale_temporary(name)) {
        add(path, "a leftover of an interrupted write; it may be removed");
      } else if (name == "task.h5" && it.depth() == 1) {
        ++result_.task_files;
        readable(path, [&] { static_cast<void>(read_task_file(path)); });
      } else if (name.starts_with("seed-") && name.ends_with(metrics_suffix) && it.depth() == 3) {
        ++result_.metrics_files;
        const std::string raw = path.substr(0, path.size() - metrics_suffix.size()) + ".h5";
        if (!fs::exists(raw)) add(path, "has no raw file");
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
