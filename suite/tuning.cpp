// SPDX-License-Identifier: Apache-2.0
#include "suite/tuning.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/math/statistics.hpp"

namespace onmanifold {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string trial_name(const std::string& method, std::size_t rate) {
  return fmt::format("{}.rate-{}", method, rate + 1);
}

/// One configuration: a method with a lift on the task that stands for a family.
struct Configuration {
  const MethodSpec* method = nullptr;
  std::string lift;
  std::shared_ptr<const TaskSpec> task;
};

std::vector<Configuration> configurations(const SuiteSpec& suite) {
  std::vector<Configuration> result;
  for (const MethodSpec& method : suite.methods) {
    if (!is_tuned(method)) continue;
    std::set<std::pair<std::string, std::string>> seen;  // family, lift
    for (const std::shared_ptr<const TaskSpec>& task : suite.tasks) {
      const std::string& name = task->task.name;
      if (!runs_on(method, name)) continue;
      for (const std::string& lift : method.lifts) {
        if (is_excluded(suite, name, method.name, lift)) continue;
        if (seen.insert({family_of(task->task), lift}).second) result.push_back({&method, lift, task});
      }
    }
  }
  if (result.empty()) {
    throw InvalidInput(fmt::format("{}: nothing to tune: no learner leaves its learning_rate open", suite.source));
  }
  return result;
}

/// The task with its primary metric alone, and the validation split in place of the reference.
std::shared_ptr<const TaskSpec> trial_task(const TaskSpec& task, const std::string& source) {
  if (task.metrics.empty()) throw InvalidInput(fmt::format("{}: task {} has no metric", source, task.task.name));
  auto result = std::make_shared<TaskSpec>(task);
  result->metrics.resize(1);
  result->replicates.reset();
  if (result->task.splits) result->task.splits->reference = result->task.splits->validation;
  return result;
}

RateTrial read_trial(const std::string& directory, CellKey key, double rate, TunedConfiguration& found) {
  RateTrial trial{.rate = rate, .values = {}};
  for (int replicate = 0; replicate < tuning_replicates; ++replicate) {
    key.seed = replicate;
    if (!is_there(key.raw_path(directory))) {
      throw InvalidInput(fmt::format("{}: the trial {} is missing: run tune to its end first", directory, key.text()));
    }
    double value = MetricRecord::unknown;
    if (read_cell_stamp(key.raw_path(directory)).status.ok()) {
      const MetricsCell cell = read_metrics_cell(key.metrics_path(directory));
      const auto info = cell.metrics.find(found.metric);
      const bool raw = info != cell.metrics.end() && info->second.samples == SampleKind::raw;
      for (const MetricRecord& record : raw ? cell.raw : cell.projected) {
        if (record.name != found.metric) continue;
        value = record.value;
        if (record.direction) found.direction = *record.direction;
        if (std::isfinite(record.target)) found.target = record.target;
      }
    }
    if (std::isfinite(value)) {
      trial.values.push_back(value);
    } else {
      ++trial.lost;
    }
  }
  return trial;
}

std::string number_list(const std::vector<double>& values) {
  std::vector<std::string> words;
  // Numbers of TOML have a point or an exponent.
  for (const double value : values) words.push_back(std::isnan(value) ? "nan" : fmt::format("{:#.5g}", value));
  return fmt::format("[{}]", fmt::join(words, ", "));
}

}  // namespace

std::optional<std::size_t> choose_rate(const std::vector<RateTrial>& trials, Direction direction, double target) {
  if (trials.empty()) throw InvalidInput("tuning: no trial");
  std::vector<double> mean;
  std::vector<double> error;
  for (const RateTrial& trial : trials) {
    Vector losses(static_cast<Index>(trial.values.size()));
    for (Index i = 0; i < losses.size(); ++i) {
      losses[i] = loss(direction, target, trial.values[static_cast<std::size_t>(i)]);
    }
    const bool whole = trial.lost == 0 && losses.size() > 0;
    mean.push_back(whole ? losses.mean() : infinity);
    error.push_back(whole && losses.size() > 1 ? standard_error(losses) : 0);
  }
  const auto best = static_cast<std::size_t>(std::min_element(mean.begin(), mean.end()) - mean.begin());
  if (!std::isfinite(mean[best])) return std::nullopt;
  std::size_t chosen = best;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (mean[i] <= mean[best] + error[best] && trials[i].rate < trials[chosen].rate) chosen = i;
  }
  return chosen;
}

SuiteSpec tuning_suite(const SuiteSpec& suite) {
  if (suite.seed == tuning_seed) {
    throw InvalidInput(fmt::format("{}: seed = {} is the one that settings are chosen on: a suite needs another",
                                   suite.source, suite.seed));
  }
  SuiteSpec result = suite;
  result.name = suite.name + "-tuning";
  result.purpose = SuitePurpose::study;
  result.claims = false;
  result.seed = tuning_seed;
  result.first_replicate = 0;
  result.last_replicate = tuning_replicates - 1;
  result.tuning.reset();
  result.tasks.clear();
  result.methods.clear();
  result.diagnostics.clear();
  result.exclusions.clear();
  std::set<std::string> tasks;
  for (const Configuration& one : configurations(suite)) {
    if (tasks.insert(one.task->task.name).second) result.tasks.push_back(trial_task(*one.task, suite.source));
    for (std::size_t rate = 0; rate < tuning_rates.size(); ++rate) {
      MethodSpec method = with_learning_rate(*one.method, tuning_rates[rate]);
      method.name = trial_name(method.name, rate);
      method.lifts = {one.lift};
      method.tasks = {one.task->task.name};
      result.methods.push_back(std::move(method));
    }
  }
  return result;
}

Tuning collect_tuning(const SuiteSpec& suite, const std::string& directory) {
  Tuning tuning;
  tuning.suite = suite.name;
  tuning.seed = tuning_seed;
  tuning.replicates = tuning_replicates;
  tuning.rates.assign(tuning_rates.begin(), tuning_rates.end());
  for (const Configuration& one : configurations(suite)) {
    TunedConfiguration found;
    found.method = one.method->name;
    found.lift = one.lift;
    found.family = family_of(one.task->task);
    found.task = one.task->task.name;
    found.metric = one.task->metrics.front().name;
    found.settings = settings_digest(*one.method);
    std::vector<RateTrial> trials;
    for (std::size_t rate = 0; rate < tuning_rates.size(); ++rate) {
      const CellKey key{found.task, trial_name(found.method, rate), found.lift, 0};
      trials.push_back(read_trial(directory, key, tuning_rates[rate], found));
    }
    for (const RateTrial& trial : trials) {
      const auto n = static_cast<Index>(trial.values.size());
      const Vector values = Eigen::Map<const Vector>(trial.values.data(), n);
      found.mean.push_back(n > 0 ? values.mean() : MetricRecord::unknown);
      found.error.push_back(n > 1 ? standard_error(values) : MetricRecord::unknown);
      found.lost.push_back(trial.lost);
    }
    const std::optional<std::size_t> chosen = choose_rate(trials, found.direction, found.target);
    if (chosen) found.learning_rate = tuning_rates[*chosen];
    tuning.configurations.push_back(std::move(found));
  }
  return tuning;
}

std::string tuning_text(const Tuning& tuning) {
  std::string text = fmt::format(
      "# Learning rates of the suite {}: what was tried, what came out, what was chosen (docs/tuning.md).\n"
      "# Rule: best mean; within one standard error of the best, the smaller rate; a rate that lost a replicate is not\n"
      "# chosen. Written by: onmanifold tune {}\n\n"
      "[tuning]\nsuite = \"{}\"\nseed = {}\nreplicates = {}\nlearning_rates = {}\n",
      tuning.suite, tuning.suite, tuning.suite, tuning.seed, tuning.replicates, number_list(tuning.rates));
  for (const TunedConfiguration& one : tuning.configurations) {
    text += fmt::format("\n[[configuration]]\nmethod = \"{}\"\nlift = \"{}\"\nfamily = \"{}\"\ntask = \"{}\"\n",
                        one.method, one.lift, one.family, one.task);
    text += one.learning_rate ? fmt::format("learning_rate = {:#.5g}\n", *one.learning_rate)
                              : std::string("# Every rate lost a replicate: the method keeps its default.\n");
    text += fmt::format("metric = \"{}\"\nmean = {}\nerror = {}\nlost = [{}]\nsettings = \"{}\"\n", one.metric,
                        number_list(one.mean), number_list(one.error), fmt::join(one.lost, ", "), one.settings);
  }
  return text;
}

}  // namespace onmanifold
