// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <filesystem>
#include <set>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "suite/score.hpp"

namespace onmanifold {
namespace {

std::string number(double value) {
  return std::isnan(value) ? std::string("—") : fmt::format("{:.6g}", value);
}

/// "0.0612 ± 0.0009", or a dash.
std::string null_text(const MetricRecord& record) {
  if (std::isnan(record.null)) return "—";
  return std::isnan(record.null_sd) ? fmt::format("{:.4g}", record.null)
                                    : fmt::format("{:.4g} ± {:.2g}", record.null, record.null_sd);
}

std::string arrow(const MetricRecord& record) {
  if (record.direction == Direction::lower) return "↓";
  if (record.direction == Direction::higher) return "↑";
  return "→" + number(record.target);
}

/// Before hours of work. \throw InvalidInput
void check_writable(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) throw InvalidInput(fmt::format("--json {}: is a directory", path));
  const fs::path directory = fs::absolute(path, ignored).parent_path();
  if (!fs::is_directory(directory, ignored)) {
    throw InvalidInput(fmt::format("--json {}: no directory {}", path, directory.string()));
  }
  if (access(directory.c_str(), W_OK) != 0) {
    throw InvalidInput(fmt::format("--json {}: cannot write in {}", path, directory.string()));
  }
}

}  // namespace

int score_command(const ScoreArguments& arguments) {
  if (!arguments.json.empty() && arguments.json != "-") check_writable(arguments.json);
  const Score score = score_samples(arguments.request);
  if (!arguments.json.empty()) {
    const std::string text = to_pretty_json(to_value(score)) + "\n";
    if (arguments.json == "-") {
      fmt::print("{}", text);
      return exit_ok;
    }
    write_file(arguments.json, text);
  }
  fmt::print("{} samples in R^{}, {} reference points\n", score.n_samples, score.dimension, score.n_reference);
  fmt::print("{:<24} {:<10} {:>6} {:>14}  {:<24} {}\n", "metric", "samples", "", "value", "a perfect model shows", "");
  for (const ScoredMetric& metric : score.metrics) {
    const MetricRecord& record = metric.record;
    fmt::print("{:<24} {:<10} {:>6} {:>14}  {:<24} {}\n", record.name, metric.samples, arrow(record),
               number(record.value), null_text(record), record.status.ok() ? "" : record.status.text());
  }
  // Feature distances mean nothing without the features.
  std::set<std::string> told;
  for (const ScoredMetric& metric : score.metrics) {
    const Value parameters = parse_json(metric.record.parameters, metric.record.name);
    const auto& table = *parameters.get_if<Value::Table>();
    const auto features = table.find("features");
    const auto* name = features == table.end() ? nullptr : features->second.get_if<std::string>();
    if (name == nullptr || *name == "coordinates" || !told.insert(*name).second) continue;
    const auto accuracy = table.find("accuracy");
    const auto* share = accuracy == table.end() ? nullptr : accuracy->second.get_if<double>();
    fmt::print("{}: features {}{}\n", metric.record.name, *name,
               share == nullptr ? "" : fmt::format(", test accuracy {:.2f} %", 100 * *share));
  }
  return exit_ok;
}

}  // namespace onmanifold
