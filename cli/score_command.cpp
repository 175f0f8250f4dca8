// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "suite/score_scale.hpp"

namespace onmanifold {
namespace {

struct ScoreArguments {
  ScoreRequest request;
  std::string memory;  ///< "500M", "2G", empty for the default
  bool place = false;  ///< on the scale from a moment fit to a perfect model
  std::string json;    ///< file for the JSON, "-" for stdout instead of the table, empty for none
};

/// "500M", "2G", "1000000" in bytes; 0 for an empty text. \throw InvalidInput
std::uint64_t parse_size(const std::string& text) {
  if (text.empty()) return 0;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::string_view units = "kMGT";
  const std::size_t unit = suffix.size() == 1 ? units.find(suffix.front()) : std::string_view::npos;
  if (error != std::errc() || value == 0 || (!suffix.empty() && unit == std::string_view::npos)) {
    throw InvalidInput(fmt::format("--memory '{}' is not a size like 500M or 2G", text));
  }
  for (std::size_t i = 0; !suffix.empty() && i <= unit; ++i) value *= 1000;
  return value;
}

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

int score_command(const ScoreArguments& arguments) {
  if (!arguments.json.empty() && arguments.json != "-") check_writable(arguments.json);
  const Score score = score_samples(arguments.request);
  std::optional<ScoreScale> scale;
  if (arguments.place) scale = score_scale(arguments.request, score);
  if (!arguments.json.empty()) {
    const std::string text = to_pretty_json(scale ? to_value(score, *scale) : to_value(score)) + "\n";
    if (arguments.json == "-") {
      fmt::print("{}", text);
      return exit_ok;
    }
    write_file(arguments.json, text);
  }
  fmt::print("{} samples in R^{}, {} reference points\n", score.n_samples, score.dimension, score.n_reference);
  const std::string place_head = scale ? "place   " : "";
  fmt::print("{:<24} {:<10} {:>6} {:>14}  {:<24} {}\n", "metric", "samples", "", "value", "a perfect model shows",
             place_head);
  for (const ScoredMetric& metric : score.metrics) {
    const MetricRecord& record = metric.record;
    const std::string place = scale ? fmt::format("{:<8.3g}", place_on_scale(metric, *scale)) : "";
    fmt::print("{:<24} {:<10} {:>6} {:>14}  {:<24} {}{}\n", record.name, metric.samples, arrow(record),
               number(record.value), null_text(record), place, record.status.ok() ? "" : record.status.text());
  }
  if (scale) fmt::print("place: 0 as a Gaussian of the training points, 1 as a perfect model\n");
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

}  // namespace

void add_score_command(CommandLine& line) {
  const auto score = std::make_shared<ScoreArguments>();
  Command command = line.add("score", "Score samples of any origin with a task's metrics, or against a file");
  command.option("--samples", score->request.samples, "FILE: .npy, .csv or .h5[:dataset], one sample a row",
                 {.required = true});
  command.option("--task", score->request.task,
                 "Reference, manifold, metrics and settings of this task, or NAME(key=value,...)");
  command.option("--reference", score->request.reference, "FILE to compare with instead of a task");
  command.option("--manifold", score->request.manifold, "Manifold of --reference, e.g. sphere:dim=2,radius=1");
  command.option("--train", score->request.train, "FILE of the training points, for train_copy_rate");
  command.option("--metrics", score->request.metrics, "Comma-separated, e.g. 'coverage(k=5),tvd'");
  command.option("--reference-size", score->request.reference_size,
                 "Reference draws of the task, as n_reference of a suite", {.show_default = true});
  command.flag("--allow-nonfinite", score->request.allow_nonfinite,
               "Count rows that are not finite and leave them out, instead of refusing the file");
  command.option("--memory", score->memory,
                 "Limit for points and working memory, e.g. 500M or 2G; larger files are read in chunks");
  command.flag("--place", score->place,
               "Also say where each value lies between a Gaussian of the training points (0) and a perfect model (1)");
  command.option("--json", score->json, "Also write the result as JSON to FILE; '-' prints it instead of the table");
  command.option("--name", score->request.name, "Name of the method, for report --submission (default: the file's)");
  command.footer(
      "Rows of --samples are points as the model made them; with a manifold they are measured raw and projected.\n\n"
      "Examples:\n"
      "  onmanifold score --task sphere-vmf6 --samples mine.npy --train train.npy --json mine.json\n"
      "  onmanifold score --samples mine.csv --reference test.csv --manifold sphere:dim=2,radius=1\n"
      "  onmanifold score --samples mine.npy --reference test.npy --metrics 'coverage(k=5),tvd(bins=20)'");
  command.action([score] {
    score->request.memory_bytes = parse_size(score->memory);
    return score_command(*score);
  });
}

}  // namespace onmanifold
