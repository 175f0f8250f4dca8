// SPDX-License-Identifier: Apache-2.0
#include "suite/run_estimate.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <optional>
#include <queue>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view columns = "task,method,lift,seconds,bytes,probe,cells";

double size_of(const std::string& path) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  return error ? 0.0 : static_cast<double>(bytes);
}

/// Of cells that ended well; nullopt otherwise.
std::optional<CellCost> cost_of(const std::string& directory, const CellKey& key) {
  try {
    const CellHead head = read_cell_head(key.raw_path(directory));
    if (!head.status.ok() || !is_there(key.metrics_path(directory))) return std::nullopt;
    CellCost cost;
    const auto add = [&](const std::map<std::string, double>& timing) {
      const auto entry = timing.find("cpu_s");
      if (entry != timing.end()) cost.seconds += entry->second;
    };
    add(head.timing);
    add(read_metrics_cell(key.metrics_path(directory)).timing);
    const auto probe = head.timing.find("probe_s");
    if (probe != head.timing.end()) cost.probe = probe->second;
    cost.bytes = size_of(key.raw_path(directory)) + size_of(key.metrics_path(directory));
    cost.cells = 1;
    return cost;
  } catch (const std::exception&) {
    return std::nullopt;  // an estimate must not fail where a run would go on
  }
}

CellCost mean(const CellCost& a, const CellCost& b) {
  const double share = static_cast<double>(b.cells) / static_cast<double>(a.cells + b.cells);
  return {.seconds = a.seconds + share * (b.seconds - a.seconds),
          .bytes = a.bytes + share * (b.bytes - a.bytes),
          .probe = a.probe + share * (b.probe - a.probe),
          .cells = a.cells + b.cells};
}

/// The arm itself, or else the mean over the lifts of its task and method.
std::optional<CellCost> find_cost(const CostTable& costs, const CellKey& key, bool& borrowed) {
  const auto own = costs.find({key.task, key.method, key.lift});
  borrowed = own == costs.end();
  if (!borrowed) return own->second;
  std::optional<CellCost> others;
  for (auto entry = costs.lower_bound({key.task, key.method, ""});
       entry != costs.end() && std::get<0>(entry->first) == key.task && std::get<1>(entry->first) == key.method;
       ++entry) {
    others = others ? mean(*others, entry->second) : entry->second;
  }
  return others;
}

}  // namespace

CostTable measured_costs(const std::string& directory) {
  CostTable costs;
  if (!fs::is_directory(directory)) return costs;
  for (const CellKey& key : find_cells(directory)) {
    const std::optional<CellCost> cost = cost_of(directory, key);
    if (!cost) continue;
    const auto [entry, is_new] = costs.try_emplace({key.task, key.method, key.lift}, *cost);
    if (!is_new) entry->second = mean(entry->second, *cost);
  }
  return costs;
}

void write_costs(const std::string& path, const CostTable& costs) {
  std::string text = fmt::format("{}\n", columns);
  for (const auto& [arm, cost] : costs) {
    const auto& [task, method, lift] = arm;
    text += fmt::format("{},{},{},{:.4g},{:.0f},{:.4g},{}\n", task, method, lift, cost.seconds, cost.bytes, cost.probe,
                        cost.cells);
  }
  write_file(path, text);
}

CostTable read_costs(const std::string& path) {
  std::istringstream file(read_file(path));
  CostTable costs;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (number == 1) {
      if (line != columns) throw InvalidInput(fmt::format("{}: line 1: the columns must be {}", path, columns));
      continue;
    }
    std::vector<std::string> fields;
    for (std::size_t start = 0; start <= line.size();) {
      const std::size_t end = std::min(line.find(',', start), line.size());
      fields.push_back(line.substr(start, end - start));
      start = end + 1;
    }
    if (fields.size() != 7) {
      throw InvalidInput(fmt::format("{}: line {}: {} fields instead of 7", path, number, fields.size()));
    }
    const auto read = [&](std::size_t field) {
      double value = -1;
      const std::string& text = fields[field];
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size() || !(value >= 0) || !(value < 1e18)) {
        throw InvalidInput(fmt::format("{}: line {}: '{}' is no number from 0 on", path, number, text));
      }
      return value;
    };
    const CellCost cost{.seconds = read(3), .bytes = read(4), .probe = read(5), .cells = static_cast<Index>(read(6))};
    if (cost.cells < 1) throw InvalidInput(fmt::format("{}: line {}: no cells", path, number));
    if (!costs.emplace(std::tuple(fields[0], fields[1], fields[2]), cost).second) {
      throw InvalidInput(
          fmt::format("{}: line {}: {}/{}/{} appears twice", path, number, fields[0], fields[1], fields[2]));
    }
  }
  return costs;
}

CostTable shipped_costs(const std::string& suite_file) {
  const std::string path = fs::path(suite_file).replace_extension(".costs.csv").string();
  return is_there(path) ? read_costs(path) : CostTable();
}

RunEstimate estimate_run(const std::vector<Cell>& todo, int workers, const CostTable& measured,
                         const CostTable& shipped, double probe) {
  if (workers < 1) throw InvalidInput(fmt::format("-j {}: at least one worker is needed", workers));
  RunEstimate estimate;
  estimate.cells = static_cast<Index>(todo.size());
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at;  // times at which a worker is free
  for (int i = 0; i < workers; ++i) free_at.push(0);
  for (const Cell& cell : todo) {
    bool borrowed = false;
    bool borrowed_shipped = false;
    std::optional<CellCost> cost = find_cost(measured, cell.key, borrowed);
    if (borrowed) {
      // A record of the arm itself says more than finished cells of another lift.
      const std::optional<CellCost> recorded = find_cost(shipped, cell.key, borrowed_shipped);
      if (recorded && (!cost || !borrowed_shipped)) {
        cost = recorded;
        borrowed = borrowed_shipped;
      }
    }
    if (!cost) {
      ++estimate.unknown;
      continue;
    }
    if (borrowed) ++estimate.borrowed;
    const double seconds = cost->seconds * (probe > 0 && cost->probe > 0 ? probe / cost->probe : 1);
    const double start = free_at.top();
    free_at.pop();
    free_at.push(start + seconds);
    estimate.wall_seconds = std::max(estimate.wall_seconds, start + seconds);
    estimate.worker_seconds += seconds;
    estimate.bytes += cost->bytes;
  }
  return estimate;
}

}  // namespace onmanifold
