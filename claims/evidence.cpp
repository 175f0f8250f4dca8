// SPDX-License-Identifier: Apache-2.0
#include "claims/evidence.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "claims/experiments.hpp"

namespace onmanifold {
namespace {

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

/// sqrt(value^2 - E0 value^2) with its sign: what a distance is above sampling noise.
double corrected(const MetricRecord& record) {
  if (std::isnan(record.null)) return record.value;
  const double spread = std::isnan(record.null_sd) ? 0 : record.null_sd;
  const double square = record.value * record.value - record.null * record.null - spread * spread;
  return std::copysign(std::sqrt(std::abs(square)), square);
}

/// Smaller is better.
double distance(const MetricRecord& record) {
  if (record.direction == Direction::higher) return -record.value;
  if (record.direction == Direction::target && std::isfinite(record.target))
    return std::abs(record.value - record.target);
  return record.value;
}

}  // namespace

Series operator-(const Series& a, const Series& b) {
  Series differences;
  for (const auto& [seed, value] : a) {
    const auto place = b.find(seed);
    if (place != b.end()) differences[seed] = value - place->second;
  }
  return differences;
}

Vector to_vector(const std::vector<double>& values) {
  return Eigen::Map<const Vector>(values.data(), static_cast<Index>(values.size()));
}

Vector mean_over_tasks(const std::vector<Series>& tasks) {
  std::map<int, std::vector<double>> by_seed;
  for (const Series& task : tasks) {
    for (const auto& [seed, value] : task) by_seed[seed].push_back(value);
  }
  std::vector<double> means;
  for (const auto& [seed, values] : by_seed) {
    if (values.size() == tasks.size()) means.push_back(mean(to_vector(values)));
  }
  return to_vector(means);
}

const TaskResult* find_task(const ResultSet& results, const std::string& name) {
  const auto found = std::find_if(results.tasks.begin(), results.tasks.end(),
                                  [&](const TaskResult& task) { return task.name == name; });
  return found == results.tasks.end() ? nullptr : &*found;
}

Vector values_of(const Series& series) {
  std::vector<double> values;
  for (const auto& [seed, value] : series) values.push_back(value);
  return to_vector(values);
}

std::string Configuration::text() const {
  return lift == "none" ? method : method + " " + lift;
}

void Evidence::miss(const std::string& what) {
  add_once(missing, what);
}

void Evidence::block(const std::string& why) {
  add_once(blocked, why);
}

std::vector<const CellResult*> Evidence::cells(const std::string& task, const Configuration& configuration) const {
  std::vector<const CellResult*> found;
  const TaskResult* one = find_task(results, task);
  if (one == nullptr) return found;
  for (const CellResult& cell : one->cells) {
    if (cell.key.method == configuration.method && cell.key.lift == configuration.lift) found.push_back(&cell);
  }
  return found;
}

std::vector<const CellResult*> Evidence::cells_or_miss(const std::string& task, const Configuration& configuration,
                                                       bool optional) {
  std::vector<const CellResult*> found = cells(task, configuration);
  if (found.empty() && !optional) miss(fmt::format("cells {} {}", task, configuration.text()));
  return found;
}

std::map<int, MetricRecord> Evidence::metric(const Endpoint& end, const Configuration& configuration) {
  std::map<int, MetricRecord> found;
  const std::vector<const CellResult*> all = cells_or_miss(end.task, configuration);
  if (all.empty()) return found;
  for (const CellResult* cell : all) {
    for (const MetricRecord& record : end.samples == SampleKind::raw ? cell->raw : cell->projected) {
      if (record.name != end.metric || !std::isfinite(record.value)) continue;
      found.emplace(cell->key.seed, record);
      break;
    }
  }
  if (found.empty()) miss(fmt::format("metric {} of {} {}", end.metric, end.task, configuration.text()));
  // Samples of the target alone do not begin a comparison of models.
  touched = touched || (!found.empty() && configuration.method != oracle.method);
  return found;
}

std::map<int, Vector> Evidence::series(const std::string& task, const Configuration& configuration,
                                       const std::string& label, const std::string& name, bool optional) {
  const std::vector<const CellResult*> all = cells_or_miss(task, configuration, optional);
  if (all.empty()) return {};
  std::map<int, Vector> found =
      diagnostic_series(*find_task(results, task), configuration.method, configuration.lift, label, name);
  if (found.empty() && !optional) {
    std::string status = ": not asked";
    for (const CellResult* cell : all) {
      const auto place = cell->head.diagnostics.find(label);
      if (place != cell->head.diagnostics.end())
        status = place->second.status.ok() ? "" : ": " + place->second.status.text();
    }
    miss(fmt::format("diagnostic {} ({}) of {} {}{}", label, name, task, configuration.text(), status));
  }
  touched = touched || !found.empty();
  return found;
}

Series Evidence::number(const std::string& task, const Configuration& configuration, const std::string& label,
                        const std::string& name) {
  Series found;
  for (const auto& [seed, values] : series(task, configuration, label, name)) {
    if (std::isfinite(values[0])) found.emplace(seed, values[0]);
  }
  if (found.empty()) miss(fmt::format("diagnostic {} ({}) of {} {}", label, name, task, configuration.text()));
  return found;
}

void Evidence::check_visible(const std::string& task, const Configuration& configuration) {
  const std::vector<const CellResult*> found = cells(task, configuration);
  const TaskResult* one = find_task(results, task);
  if (found.empty() || !one->file) return;
  const double sigma = find_number(found.front()->head.config, "lift.sigma");
  // s_min is in standardised units: the scale of the task brings it to data units.
  const double s_min = find_number(one->file->details, "s_min") * find_number(one->file->details, "scale");
  if (std::isfinite(s_min) && sigma > 0 && sigma < s_min) {
    block(fmt::format("lift invisible: {} {}", task, configuration.text()));
  }
}

void Evidence::check_copies(const std::string& task, const Configuration& configuration) {
  const auto rate = [&](const Configuration& of) {
    std::vector<double> values;
    for (const CellResult* cell : cells(task, of)) {
      for (const MetricRecord& record : cell->raw) {
        if (record.name == "train_copy_rate" && std::isfinite(record.value)) values.push_back(record.value);
      }
    }
    return values.empty() ? MetricRecord::unknown : mean(to_vector(values));
  };
  const double copies = rate(configuration);
  if (copies > rate(oracle) + 0.1) {
    block(fmt::format("copies of training points: {:.0f} % of {} {}", 100 * copies, task, configuration.text()));
  }
}

double Evidence::check_oracle(const Endpoint& end) {
  const std::map<int, MetricRecord> records = metric(end, oracle);
  if (records.empty()) return MetricRecord::unknown;
  std::vector<double> values;
  double z = 0;
  int known = 0;
  for (const auto& [seed, record] : records) {
    values.push_back(record.value);
    if (record.null_sd > 0 && std::isfinite(record.null) && record.name != "fd" && record.name != "fid_lenet") {
      z += (record.value - record.null) / record.null_sd;
      ++known;
    }
  }
  if (known > 0 && std::abs(z) > 4 * std::sqrt(known)) {
    block(fmt::format("failed oracle check: {} of {}", end.metric, end.task));
  }
  for (const CellResult* cell : cells(end.task, oracle)) {
    if (!cell->head.status.ok()) block(fmt::format("failed oracle check: {}", cell->key.text()));
  }
  return mean(to_vector(values));
}

double Evidence::margin(const Endpoint& end, const Configuration& reference) {
  const std::map<int, MetricRecord> records = metric(end, reference);
  const double floor = check_oracle(end);
  if (records.empty()) return MetricRecord::unknown;
  std::vector<double> distances;
  double null_sd = 0;
  for (const auto& [seed, record] : records) {
    distances.push_back(end.metric == "tvd" ? corrected(record) : record.value);
    if (std::isfinite(record.null_sd)) null_sd = std::max(null_sd, record.null_sd);
  }
  const double value = mean(to_vector(distances));
  if (end.metric == "tvd") return std::max(0.1 * value, 0.002);
  const double effect = std::max(0.1 * std::abs(value - floor), null_sd);
  return effect > 0 ? effect : MetricRecord::unknown;
}

Vector Evidence::paired(const std::vector<Endpoint>& ends, const Configuration& better, const Configuration& other,
                        const Configuration& reference, const Interval& accepted) {
  std::vector<Series> in_effects;
  for (const Endpoint& end : ends) {
    check_visible(end.task, better);
    check_visible(end.task, other);
    check_copies(end.task, better);
    const std::map<int, MetricRecord> good = metric(end, better);
    const std::map<int, MetricRecord> bad = metric(end, other);
    const double unit = margin(end, reference);
    if (good.empty() || bad.empty()) continue;
    if (!(unit > 0)) {
      miss(fmt::format("margin of {} on {}", end.metric, end.task));
      continue;
    }
    Series& effects = in_effects.emplace_back();
    std::vector<double> found;
    for (const auto& [seed, record] : bad) {
      const auto place = good.find(seed);
      if (place == good.end()) {
        failed_favoured.push_back(fmt::format("{} {} seed {}", end.task, better.text(), seed));
        continue;
      }
      found.push_back(distance(record) - distance(place->second));
      effects[seed] = found.back() / unit;
    }
    if (found.empty()) continue;
    show(end.task, fmt::format("{}: {} over {}", end.metric, better.text(), other.text()), to_vector(found), accepted,
         unit);
  }
  return mean_over_tasks(in_effects);
}

void Evidence::note(const std::string& task, const std::string& quantity, const Series& values,
                    const Interval& accepted) {
  if (!values.empty()) show(task, quantity, values_of(values), accepted);
}

void Evidence::show(const std::string& task, const std::string& quantity, const Vector& values,
                    const Interval& accepted, double unit) {
  tasks.push_back({task, quantity, static_cast<int>(values.size()), mean(values), unit, values, accepted});
}

void Evidence::add(const Vector& differences, ClaimTest (*rule)(const Vector&)) {
  if (differences.size() > 0) tests.push_back(rule(differences));
}

void Evidence::within(const std::string& task, const std::string& quantity, const Series& values, double center,
                      double margin) {
  if (values.empty()) return;
  note(task, quantity, values, {center - margin, center + margin});
  tests.push_back(within_margin(values_of(values), center, margin));
}

void Evidence::beyond(const std::string& task, const std::string& quantity, const Series& values, double bound,
                      bool above) {
  if (values.empty()) return;
  note(task, quantity, values, above ? at_least(bound) : at_most(bound));
  tests.push_back(beyond_bound(values_of(values), bound, above));
}

void Evidence::number_within(const std::string& task, const Configuration& configuration, const std::string& label,
                             const std::string& name, double center, double margin) {
  within(task, fmt::format("{} {} of {}", label, name, configuration.text()), number(task, configuration, label, name),
         center, margin);
}

void Evidence::number_beyond(const std::string& task, const Configuration& configuration, const std::string& label,
                             const std::string& name, double bound, bool above) {
  beyond(task, fmt::format("{} {} of {}", label, name, configuration.text()), number(task, configuration, label, name),
         bound, above);
}

void Evidence::need_tests(std::size_t parts) {
  if (tests.size() < parts) tests.clear();
}

}  // namespace onmanifold
