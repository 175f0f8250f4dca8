// SPDX-License-Identifier: Apache-2.0
#include "reports/compare.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "reports/table.hpp"
#include "reports/text_format.hpp"

namespace onmanifold {
namespace {

constexpr double log_time_margin = 0.09531017980432493;  // log 1.1
constexpr double shortest_time = 0.05;                   // seconds; below, a clock measures the machine

using ArmKey = std::tuple<std::string, std::string, std::string>;  // task, method, lift
using Values = std::map<int, double>;                              // by replicate

struct ArmCells {
  const TaskResult* task = nullptr;
  std::vector<const CellResult*> cells;

  [[nodiscard]] const CellResult* first_ok() const {
    const auto found = std::find_if(cells.begin(), cells.end(), [](const CellResult* c) { return c->problem.empty(); });
    return found == cells.end() ? nullptr : *found;
  }
  [[nodiscard]] int n_ok() const {
    return static_cast<int>(
        std::count_if(cells.begin(), cells.end(), [](const CellResult* c) { return c->problem.empty(); }));
  }
};

std::map<ArmKey, ArmCells> arms_of(const ResultSet& results) {
  std::map<ArmKey, ArmCells> arms;
  for (const TaskResult& task : results.tasks) {
    for (const CellResult& cell : task.cells) {
      ArmCells& arm = arms[{cell.key.task, cell.key.method, cell.key.lift}];
      arm.task = &task;
      arm.cells.push_back(&cell);
    }
  }
  return arms;
}

std::string text_at(const Value& config, const char* path) {
  const Value* value = find_value(config, path);
  return value == nullptr ? "" : to_json(*value);
}

/// Why two arms must not be compared, or "". The method's own settings may differ: they are what is compared.
std::string protocol_difference(const ArmCells& base, const ArmCells& candidate) {
  const CellResult* a = base.first_ok();
  const CellResult* b = candidate.first_ok();
  if (a == nullptr || b == nullptr) return "";
  for (const char* path : {"task.version", "task.data_hash", "task.s_min", "task.settings", "n_train", "n_samples",
                           "lift.type", "lift.sigma"}) {
    const std::string first = text_at(a->head.config, path);
    const std::string second = text_at(b->head.config, path);
    if (first != second) return fmt::format("{} is {} and {}", path, first, second);
  }
  return "";
}

// --- values of one metric
// -------------------------------------------------------------------------------------

struct Series {
  const MetricRecord* record = nullptr;  ///< the first one, for everything that all must share
  Values values;                         ///< finite or infinite
  std::set<int> nan;                     ///< replicates whose value is missing
  double null = 0, null_sd = 0;          ///< means over the records; NaN if one does not know it
  double largest = -std::numeric_limits<double>::infinity();
  bool mixed = false;  ///< records of different protocols
};

bool same_protocol(const MetricRecord& a, const MetricRecord& b) {
  const bool same_target = a.target == b.target || (std::isnan(a.target) && std::isnan(b.target));
  return a.version == b.version && a.direction == b.direction && same_target && a.n_samples == b.n_samples &&
         a.n_reference == b.n_reference;
}

const std::vector<MetricRecord>& records_of(const CellResult& cell, SampleKind kind) {
  return kind == SampleKind::raw ? cell.raw : cell.projected;
}

Series series_of(const ArmCells& arm, SampleKind kind, const std::string& name, const std::string& parameters) {
  Series series;
  int records = 0;
  for (const CellResult* cell : arm.cells) {
    for (const MetricRecord& record : records_of(*cell, kind)) {
      if (record.name != name || record.parameters != parameters) continue;
      if (series.record == nullptr) series.record = &record;
      series.mixed = series.mixed || !same_protocol(*series.record, record);
      if (std::isnan(record.value)) {
        series.nan.insert(cell->key.seed);
      } else {
        series.values[cell->key.seed] = record.value;
        series.largest = std::max(series.largest, record.value);
      }
      series.null += record.null;
      series.null_sd += record.null_sd;
      ++records;
    }
  }
  series.null /= records;
  series.null_sd /= records;
  return series;
}

/// A value turned so that more is worse.
double badness(const MetricRecord& record, double value) {
  if (record.direction == Direction::higher) return -value;
  if (record.direction == Direction::target) return std::abs(value - record.target);
  return value;
}

// --- the statistics of one line
// ------------------------------------------------------------------------------------

/// What is known of a line before the size of its family is.
struct Line {
  Change change;
  Vector base, candidate;  ///< badness by replicate; in equal order where the line is paired
  double floor = 1;        ///< smallest p of the exact test
  int family = 0;          ///< 0: not tested; 1 gated, 2 shown only, 3 time and memory
  double p_worse = 1, p_better = 1;
};

Vector to_vector(const std::vector<double>& values) {
  return Eigen::Map<const Vector>(values.data(), static_cast<Index>(values.size()));
}

/// Takes the values over: in pairs where one side's replicates are all among the other's and \p
/// pairs_allowed.
void set_values(Line& line, const Values& base, const Values& candidate, bool pairs_allowed,
                const std::function<double(double)>& turn) {
  std::vector<double> first, second;
  std::set<int> common;
  for (const auto& [seed, value] : base) {
    if (candidate.count(seed) > 0) common.insert(seed);
  }
  line.change.paired = pairs_allowed && !common.empty() && common.size() == std::min(base.size(), candidate.size());
  for (const auto& [seed, value] : base) {
    if (!line.change.paired || common.count(seed) > 0) first.push_back(value);
  }
  for (const auto& [seed, value] : candidate) {
    if (!line.change.paired || common.count(seed) > 0) second.push_back(value);
  }
  Change& change = line.change;
  change.n_base = static_cast<int>(first.size());
  change.n_candidate = static_cast<int>(second.size());
  change.base = mean(to_vector(first));
  change.candidate = mean(to_vector(second));
  std::transform(first.begin(), first.end(), first.begin(), turn);
  std::transform(second.begin(), second.end(), second.begin(), turn);
  line.base = to_vector(first);
  line.candidate = to_vector(second);
  change.worsening = mean(line.candidate) - mean(line.base);
  if (change.paired) {
    line.floor = std::pow(0.5, change.n_base);
  } else {
    double arrangements = 1;
    for (int i = 1; i <= change.n_base; ++i) arrangements *= double(change.n_candidate + i) / i;
    line.floor = 1 / arrangements;
  }
}

/// Standard error of the worsening from the spread over replicates; NaN where a side has one replicate.
double standard_error_of(const Line& line) {
  if (line.change.paired) {
    return line.base.size() < 2 ? MetricRecord::unknown : standard_error(line.candidate - line.base);
  }
  if (line.base.size() < 2 || line.candidate.size() < 2) return MetricRecord::unknown;
  return std::hypot(standard_error(line.base), standard_error(line.candidate));
}

/// Exact where its smallest p can pass Holm's first step, else Student's. Decided by the sizes alone, before
/// a value is looked at, so that the choice costs no error.
void test(Line& line, double level) {
  const bool exact = line.floor <= level;
  const auto run = [&](Alternative side) {
    if (line.change.paired) {
      const Vector differences = line.candidate - line.base;
      return exact ? sign_flip_test(differences, side) : paired_t_test(differences, side);
    }
    return exact ? mann_whitney_test(line.candidate, line.base, side) : welch_t_test(line.candidate, line.base, side);
  };
  const TestResult worse = run(Alternative::greater);
  line.p_worse = worse.p;
  line.p_better = run(Alternative::less).p;
  line.change.test = worse.method;
  // Planning formula of the t test; the rank test needs pi/3 times the replicates on normal data.
  const double degrees =
      double(line.change.paired ? line.base.size() - 1 : line.base.size() + line.candidate.size() - 2);
  const double efficiency = exact && !line.change.paired ? std::sqrt(std::numbers::pi / 3) : 1.0;
  line.change.detectable =
      std::max(line.change.margin,
               efficiency * standard_error_of(line) * (t_quantile(1 - level, degrees) + t_quantile(0.8, degrees)));
}

/// The practical margin of a metric: metrics.md calls it (a).
double margin_of(const Series& base, const Change& change, double relative) {
  const MetricRecord& record = *base.record;
  double margin = std::isnan(base.null_sd) ? 0 : base.null_sd;
  if (record.name.ends_with("_rate") && record.n_samples > 0) margin = std::max(margin, 3.0 / double(record.n_samples));
  const double size =
      record.direction == Direction::target ? std::abs(change.base - record.target) : std::abs(change.base);
  const bool around_zero = change.base * change.candidate < 0;
  return around_zero && margin > 0 ? margin : std::max(margin, relative * size);
}

bool in_null_band(const Series& series, double value) {
  return std::abs(value - series.null) <= 3 * series.null_sd;  // false where either is NaN
}

// --- families
// -------------------------------------------------------------------------------------------------

void judge_family(std::vector<Line>& lines, int family, double alpha, int* size) {
  std::vector<Line*> members;
  for (Line& line : lines) {
    if (line.family == family && line.floor <= alpha) members.push_back(&line);
  }
  if (size != nullptr) *size = static_cast<int>(members.size());
  Vector worse(static_cast<Index>(members.size()));
  Vector better(worse.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    test(*members[i], alpha / double(members.size()));
    worse(static_cast<Index>(i)) = members[i]->p_worse;
    better(static_cast<Index>(i)) = members[i]->p_better;
  }
  const Vector worse_adjusted = members.empty() ? worse : holm_adjusted(worse);
  const Vector better_adjusted = members.empty() ? better : holm_adjusted(better);
  for (std::size_t i = 0; i < members.size(); ++i) {
    Change& change = members[i]->change;
    const bool worsened = change.worsening > 0;
    change.p = worsened ? members[i]->p_worse : members[i]->p_better;
    change.adjusted_p = (worsened ? worse_adjusted : better_adjusted)(static_cast<Index>(i));
    if (std::abs(change.worsening) > change.margin && change.adjusted_p <= alpha) {
      change.mark = worsened ? Mark::worse : Mark::better;
    }
  }
  for (Line& line : lines) {
    if (line.family != family || line.floor <= alpha) continue;
    // Too few replicates for any test. Their spread, where there is one, is the best there is against chance.
    Change& change = line.change;
    const double spread = standard_error_of(line);
    if (spread > 0) change.margin = std::max(change.margin, 3 * spread);
    change.test = "threshold only";
    if (std::abs(change.worsening) > change.margin) change.mark = change.worsening > 0 ? Mark::worse : Mark::better;
  }
}

// --- one arm
// --------------------------------------------------------------------------------------------------

class ArmComparison {
 public:
  ArmComparison(const ArmKey& key, const ArmCells& base, const ArmCells& candidate, const CompareOptions& options)
      : key_(key), base_(base), candidate_(candidate), options_(options) {
    const CellResult* a = base.first_ok();
    const CellResult* b = candidate.first_ok();
    same_seed_ = a != nullptr && b != nullptr && text_at(a->head.config, "seed") == text_at(b->head.config, "seed");
  }

  std::vector<Line> lines;

  void run() {
    compare_states();
    const std::string difference = protocol_difference(base_, candidate_);
    if (!difference.empty()) {
      add(Mark::not_comparable, difference);
      return;
    }
    if (base_.n_ok() == 0 || candidate_.n_ok() == 0) return;
    compare_finiteness();
    const std::string primary = primary_metric();
    for (const SampleKind kind : {SampleKind::projected, SampleKind::raw}) compare_metrics(kind, primary);
    if (options_.time) compare_timings();
    if (options_.exact) compare_bits();
  }

 private:
  Line& add(Mark mark, const std::string& reason, bool gated = false) {
    Line line;
    std::tie(line.change.task, line.change.method, line.change.lift) = key_;
    line.change.mark = mark;
    line.change.reason = reason;
    line.change.gated = gated;
    lines.push_back(std::move(line));
    return lines.back();
  }

  // Cells that failed. The baseline's own failures excuse equal ones.
  void compare_states() {
    int failed_before = 0;
    for (const CellResult* cell : base_.cells) failed_before += cell->problem.empty() ? 0 : 1;
    int failed_now = 0;
    std::string first;
    for (const CellResult* cell : candidate_.cells) {
      if (cell->problem.empty()) continue;
      ++failed_now;
      if (first.empty()) first = fmt::format("seed-{}: {}", cell->key.seed, cell->problem);
    }
    if (failed_now > failed_before) {
      add(Mark::failed,
          fmt::format("{} of {} replicates failed, {} before; {}", failed_now, candidate_.cells.size(), failed_before,
                      first),
          true);
    } else if (failed_now < failed_before) {
      add(Mark::better, fmt::format("{} replicates failed, {} before", failed_now, failed_before));
    }
  }

  void compare_finiteness() {
    const auto nonfinite = [](const ArmCells& arm) {
      Index most = 0;
      for (const CellResult* cell : arm.cells) {
        for (const MetricRecord& record : cell->raw) most = std::max(most, record.n_nonfinite);
      }
      return most;
    };
    const Index before = nonfinite(base_);
    const Index now = nonfinite(candidate_);
    if (before == 0 && now > 0)
      add(Mark::worse, fmt::format("up to {} samples are not finite, none before", now), true);
  }

  [[nodiscard]] std::string primary_metric() const {
    for (const CellResult* cell : base_.cells) {
      for (const MetricRecord& record : cell->projected) {
        if (record.direction && !std::isnan(record.value)) return record.name;
      }
    }
    return "";
  }

  [[nodiscard]] bool is_gated(const std::string& name, SampleKind kind, const std::string& primary) const {
    if (kind != SampleKind::projected) return false;
    if (options_.gated.empty()) return name == primary;
    return std::find(options_.gated.begin(), options_.gated.end(), name) != options_.gated.end();
  }

  void compare_metrics(SampleKind kind, const std::string& primary) {
    std::vector<std::pair<std::string, std::string>> seen;
    for (const CellResult* cell : base_.cells) {
      for (const MetricRecord& record : records_of(*cell, kind)) {
        const std::pair<std::string, std::string> identity{record.name, record.parameters};
        if (std::find(seen.begin(), seen.end(), identity) != seen.end()) continue;
        seen.push_back(identity);
        compare_metric(kind, record, is_gated(record.name, kind, primary));
      }
    }
  }

  void compare_metric(SampleKind kind, const MetricRecord& record, bool gated) {
    const Series base = series_of(base_, kind, record.name, record.parameters);
    const Series candidate = series_of(candidate_, kind, record.name, record.parameters);
    if (base.values.empty()) return;  // nothing to lose
    const auto name = [&](Line& line) {
      line.change.metric = record.name;
      line.change.samples = to_string(kind);
      line.change.parameters = record.parameters;
      line.change.direction = record.direction;
      line.change.unit = record.unit;
    };
    if (candidate.record == nullptr) {
      name(add(Mark::not_comparable, has(candidate_, kind, record.name)
                                         ? fmt::format("no record with the parameters {}", record.parameters)
                                         : std::string("only the baseline has it")));
      return;
    }
    if (base.mixed || candidate.mixed || !same_protocol(*base.record, *candidate.record)) {
      name(add(Mark::not_comparable, "version, direction, target or sizes differ"));
      return;
    }
    if (base.nan.empty() && !candidate.nan.empty()) {
      name(
          add(Mark::worse,
              fmt::format("no value in {} replicates, the first seed-{}", candidate.nan.size(), *candidate.nan.begin()),
              true));
      return;
    }
    if (candidate.values.empty()) return;
    if (kind == SampleKind::projected && record.name.starts_with("constraint_")) {
      compare_constraint(base, candidate, name);
      return;
    }
    if (!record.direction) return;
    Line& line = add(Mark::same, "");
    name(line);
    line.family = gated ? 1 : 2;
    line.change.gated = gated;
    set_values(line, base.values, candidate.values, same_seed_,
               [&](double value) { return badness(*base.record, value); });
    line.change.margin = margin_of(base, line.change, options_.relative);
    if (in_null_band(base, line.change.base) && in_null_band(base, line.change.candidate)) {
      line.change.reason = "both within the null band";
      line.change.margin = std::numeric_limits<double>::infinity();
    }
  }

  // What is projected must lie on the manifold, whatever the baseline did; below the tolerance all is
  // rounding.
  template <class Name>
  void compare_constraint(const Series& base, const Series& candidate, const Name& name) {
    const double tolerance =
        base_.task->file ? find_number(base_.task->file->details, "constraint_tolerance") : MetricRecord::unknown;
    if (!(candidate.largest > tolerance)) return;
    Line& line = add(Mark::worse,
                     fmt::format("projected samples miss the manifold: {:.3g} above the tolerance {:.3g}",
                                 candidate.largest, tolerance),
                     true);
    name(line);
    line.change.base = base.largest;
    line.change.candidate = candidate.largest;
    line.change.worsening = candidate.largest - base.largest;
    line.change.n_base = static_cast<int>(base.values.size());
    line.change.n_candidate = static_cast<int>(candidate.values.size());
  }

  static bool has(const ArmCells& arm, SampleKind kind, const std::string& name) {
    return std::any_of(arm.cells.begin(), arm.cells.end(), [&](const CellResult* cell) {
      const auto& records = records_of(*cell, kind);
      return std::any_of(records.begin(), records.end(), [&](const MetricRecord& r) { return r.name == name; });
    });
  }

  // Logarithms of seconds, at equal speed of the machine as far as the probes tell it, and of bytes.
  void compare_timings() {
    const CellResult* a = base_.first_ok();
    const CellResult* b = candidate_.first_ok();
    const std::string cpu = find_text(*a->provenance, "machine.cpu");
    if (cpu.empty() || cpu != find_text(*b->provenance, "machine.cpu")) {
      add(Mark::not_comparable, "time and memory: not the same model of CPU").change.metric = "time";
      return;
    }
    for (const std::string stage : {"fit_s", "sample_s", "peak_memory_bytes"}) {
      Values base = timings(base_, stage);
      Values candidate = timings(candidate_, stage);
      if (base.empty() || candidate.empty()) continue;
      const Values base_probe = timings(base_, "probe_s");
      const Values candidate_probe = timings(candidate_, "probe_s");
      if (stage != "peak_memory_bytes" && !base_probe.empty() && !candidate_probe.empty()) {
        at_equal_speed(base, base_probe, base_probe);
        at_equal_speed(candidate, candidate_probe, base_probe);
      }
      Line& line = add(Mark::same, "");
      line.change.metric = stage;
      line.change.direction = Direction::lower;
      line.change.unit = stage == "peak_memory_bytes" ? "bytes" : "s";
      line.change.gated = true;
      line.family = 3;
      set_values(line, base, candidate, same_seed_, [](double value) { return std::log(value); });
      line.change.margin = log_time_margin;
      if (line.change.unit == "s" && std::max(line.change.base, line.change.candidate) < shortest_time)
        lines.pop_back();
    }
  }

  static Values timings(const ArmCells& arm, const std::string& stage) {
    Values values;
    for (const CellResult* cell : arm.cells) {
      const auto found = cell->head.timing.find(stage);
      if (cell->problem.empty() && found != cell->head.timing.end() && found->second > 0) {
        values[cell->key.seed] = found->second;
      }
    }
    return values;
  }

  /// Seconds as the machine of the baseline's probe would have taken them, where every cell has a probe.
  static void at_equal_speed(Values& seconds, const Values& probe, const Values& reference) {
    for (const auto& [seed, value] : seconds) {
      if (probe.count(seed) == 0) return;
    }
    double sum = 0;
    for (const auto& [seed, value] : reference) sum += value;
    for (auto& [seed, value] : seconds) value *= sum / double(reference.size()) / probe.at(seed);
  }

  void compare_bits() {
    const auto same = [](double a, double b) {
      return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
    };
    const auto same_records = [&](const std::vector<MetricRecord>& a, const std::vector<MetricRecord>& b) {
      return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const MetricRecord& x, const MetricRecord& y) {
        return x.name == y.name && x.parameters == y.parameters && same(x.value, y.value) && same(x.null, y.null) &&
               same(x.null_sd, y.null_sd) && same(x.se, y.se) && same(x.p_value, y.p_value);
      });
    };
    for (const CellResult* a : base_.cells) {
      for (const CellResult* b : candidate_.cells) {
        if (a->key.seed != b->key.seed || !a->problem.empty() || !b->problem.empty()) continue;
        if (a->head.raw_digest != b->head.raw_digest) {
          add(Mark::worse, fmt::format("--exact: samples of seed-{} differ", a->key.seed), true);
        } else if (!same_records(a->raw, b->raw) || !same_records(a->projected, b->projected)) {
          add(Mark::worse, fmt::format("--exact: metrics of seed-{} differ", a->key.seed), true);
        }
      }
    }
  }

  const ArmKey& key_;
  const ArmCells& base_;
  const ArmCells& candidate_;
  const CompareOptions& options_;
  bool same_seed_ = false;
};

std::string arm_text(const ArmKey& key) {
  return fmt::format("{}/{}/{}", std::get<0>(key), std::get<1>(key), std::get<2>(key));
}

double effect(const Change& change) {
  if (std::isnan(change.worsening)) return std::numeric_limits<double>::infinity();
  return change.margin > 0 ? std::abs(change.worsening) / change.margin : std::abs(change.worsening);
}

void check(const CompareOptions& options, const std::vector<Line>& lines) {
  for (const std::string& name : options.gated) {
    if (std::none_of(lines.begin(), lines.end(), [&](const Line& line) { return line.change.metric == name; })) {
      throw InvalidInput(fmt::format("--metrics '{}': no cell of both results has it on projected samples", name));
    }
  }
}

}  // namespace

std::string to_string(Mark mark) {
  switch (mark) {
    case Mark::failed:
      return "x";
    case Mark::worse:
      return "-";
    case Mark::not_comparable:
      return "!";
    case Mark::better:
      return "+";
    case Mark::same:
      return "~";
  }
  throw InvalidInput("unknown mark");
}

Comparison compare_results(const ResultSet& baseline, const ResultSet& candidate, const CompareOptions& options) {
  if (!(options.alpha > 0 && options.alpha < 0.5)) {
    throw InvalidInput(fmt::format("--alpha {}: must lie between 0 and 0.5", options.alpha));
  }
  if (!(options.relative >= 0)) throw InvalidInput(fmt::format("--margin {}: must not be negative", options.relative));
  Comparison result;
  result.baseline = baseline.directory;
  result.candidate = candidate.directory;
  result.options = options;
  const std::map<ArmKey, ArmCells> base_arms = arms_of(baseline);
  const std::map<ArmKey, ArmCells> candidate_arms = arms_of(candidate);
  std::vector<Line> lines;
  for (const auto& [key, base] : base_arms) {
    const auto found = candidate_arms.find(key);
    if (found == candidate_arms.end()) {
      result.missing.push_back(arm_text(key));
      continue;
    }
    if (found->second.cells.size() < base.cells.size()) {
      result.missing.push_back(
          fmt::format("{}: {} of {} replicates", arm_text(key), found->second.cells.size(), base.cells.size()));
    }
    ArmComparison arm(key, base, found->second, options);
    arm.run();
    std::move(arm.lines.begin(), arm.lines.end(), std::back_inserter(lines));
  }
  for (const auto& [key, arm] : candidate_arms) {
    if (base_arms.count(key) == 0) result.added.push_back(arm_text(key));
  }
  check(options, lines);
  judge_family(lines, 1, options.alpha, &result.family);
  judge_family(lines, 2, options.alpha, nullptr);
  judge_family(lines, 3, options.alpha, nullptr);
  for (Line& line : lines) {
    const Change& change = line.change;
    if (line.family != 0) ++result.compared;
    result.regression =
        result.regression || (change.gated && (change.mark == Mark::worse || change.mark == Mark::failed));
    result.changes.push_back(std::move(line.change));
  }
  std::stable_sort(result.changes.begin(), result.changes.end(), [](const Change& a, const Change& b) {
    return std::tuple(a.mark, !a.gated, -effect(a)) < std::tuple(b.mark, !b.gated, -effect(b));
  });
  return result;
}

// --- renderings
// -----------------------------------------------------------------------------------------------

namespace {

std::string what(const Change& change) {
  std::string text = change.task + " " + arm_label(change.method, change.lift == "none" ? "" : change.lift);
  if (!change.metric.empty()) text += " " + change.metric;
  if (change.samples == "raw") text += " (raw)";
  return plain_text(text);
}

/// "0.1 → 0.2 (+0.1, +100 %)".
std::string numbers(const Change& change) {
  if (std::isnan(change.base)) return "";
  const double difference = change.candidate - change.base;
  std::string text = fmt::format("{:.4g} → {:.4g} ({:+.3g}", change.base, change.candidate, difference);
  if (change.base * change.candidate > 0) text += fmt::format(", {:+.1f} %", 100 * difference / std::abs(change.base));
  return text + ")";
}

std::string evidence(const Change& change) {
  if (!change.reason.empty()) return plain_text(change.reason);
  const std::string n = change.n_base == change.n_candidate
                            ? fmt::format("n = {}", change.n_base)
                            : fmt::format("n = {}, {}", change.n_base, change.n_candidate);
  if (std::isnan(change.p)) return fmt::format("{}, {}", change.test, n);
  return fmt::format("p = {:.2g} (Holm {:.2g}), {}{}", change.p, change.adjusted_p, n, change.paired ? " paired" : "");
}

int count(const Comparison& comparison, Mark mark, bool gated) {
  return static_cast<int>(
      std::count_if(comparison.changes.begin(), comparison.changes.end(),
                    [&](const Change& change) { return change.mark == mark && change.gated == gated; }));
}

int regressions(const Comparison& comparison) {
  return count(comparison, Mark::worse, true) + count(comparison, Mark::failed, true);
}

std::string verdict(const Comparison& comparison) {
  if (comparison.regression) {
    const int n = regressions(comparison);
    return fmt::format("{} regression{}", n, n == 1 ? "" : "s");
  }
  return comparison.compared > 0 ? "no regression detected" : "nothing comparable";
}

/// What the replicates at hand can and cannot show.
std::string power_line(const Comparison& comparison) {
  int threshold_only = 0;
  double worst = 0;
  const Change* hardest = nullptr;
  for (const Change& change : comparison.changes) {
    if (!change.gated || change.test.empty()) continue;
    if (change.test == "threshold only") ++threshold_only;
    const double ratio = change.detectable / std::abs(change.base);
    if (std::isfinite(ratio) && ratio > worst) {
      worst = ratio;
      hardest = &change;
    }
  }
  std::string text;
  if (threshold_only > 0) {
    text = fmt::format(
        "{} gated line{} judged by threshold only: too few replicates for a test (5 in pairs or 4 + 4 "
        "are the least). ",
        threshold_only, threshold_only == 1 ? " is" : "s are");
  }
  if (hardest != nullptr) {
    text += fmt::format(
        "With probability 0.8 these replicates find a worsening of {:.3g} in {} (the least sensitive "
        "gated line), {:.0f} % of its baseline.",
        hardest->detectable, what(*hardest), 100 * worst);
  }
  return text;
}

std::string scope_line(const Comparison& comparison) {
  return fmt::format(
      "{} gated lines with a test (Holm, α = {:g}), {} metrics of arms compared; not listed: {} without "
      "change.",
      comparison.family, comparison.options.alpha, comparison.compared,
      count(comparison, Mark::same, true) + count(comparison, Mark::same, false));
}

}  // namespace

std::string comparison_text(const Comparison& comparison) {
  std::string text = fmt::format("{}: {} against {}\n{}\n", verdict(comparison), comparison.candidate,
                                 comparison.baseline, scope_line(comparison));
  const std::string power = power_line(comparison);
  if (!power.empty()) text += wrap_text(power, 120, "") + "\n";
  for (const Change& change : comparison.changes) {
    if (change.mark == Mark::same) continue;
    const std::string values = numbers(change);
    text += fmt::format("{} {}{}{}  {}{}\n", to_string(change.mark), what(change), values.empty() ? "" : "  ", values,
                        evidence(change), change.gated || change.mark == Mark::not_comparable ? "" : "  [not gated]");
  }
  for (const std::string& arm : comparison.missing) text += "! missing in the candidate: " + plain_text(arm) + "\n";
  for (const std::string& arm : comparison.added) text += "  only in the candidate: " + plain_text(arm) + "\n";
  return text;
}

std::string comparison_markdown(const Comparison& comparison) {
  constexpr std::size_t limit = 64000;  // of a comment on GitHub, with room for the last lines
  std::string text = fmt::format("### OnManifold: {}\n\n{}\n", verdict(comparison), scope_line(comparison));
  const std::string power = power_line(comparison);
  if (!power.empty()) text += escape_markdown(power) + "\n";
  std::string rows;
  int left_out = 0;
  for (const Change& change : comparison.changes) {
    if (change.mark == Mark::same) continue;
    const std::string metric = change.metric + (change.samples == "raw" ? " (raw)" : "");
    const std::string row = fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} |\n", to_string(change.mark), escape_markdown(change.task),
        escape_markdown(arm_label(change.method, change.lift == "none" ? "" : change.lift)), escape_markdown(metric),
        numbers(change), escape_markdown(evidence(change)), change.gated ? "yes" : "no");
    if (text.size() + rows.size() + row.size() > limit) {
      ++left_out;
    } else {
      rows += row;
    }
  }
  if (!rows.empty()) {
    text +=
        "\n| | task | method | metric | baseline → candidate | evidence | gated "
        "|\n|---|---|---|---|---|---|---|\n" +
        rows;
    text += "\n`-` worse, `x` failed, `!` not comparable, `+` better\n";
  }
  if (left_out > 0) text += fmt::format("\n{} more lines: see `--json`.\n", left_out);
  for (const auto& [title, list] :
       {std::pair<const char*, const std::vector<std::string>&>("Missing in the candidate", comparison.missing),
        {"Only in the candidate", comparison.added}}) {
    if (list.empty()) continue;
    text += fmt::format("\n{} ({}): {}{}\n", title, list.size(), escape_markdown(list.front()),
                        list.size() > 1 ? ", …" : "");
  }
  return text;
}

Value comparison_json(const Comparison& comparison) {
  Value::Array changes;
  for (const Change& change : comparison.changes) {
    changes.push_back(
        Value::Table{{"mark", to_string(change.mark)},
                     {"task", change.task},
                     {"method", change.method},
                     {"lift", change.lift},
                     {"metric", change.metric},
                     {"samples", change.samples},
                     {"parameters", change.parameters.empty() ? Value() : parse_json(change.parameters, "parameters")},
                     {"direction", direction_text(change.direction)},
                     {"unit", change.unit},
                     {"gated", change.gated},
                     {"n_base", change.n_base},
                     {"n_candidate", change.n_candidate},
                     {"paired", change.paired},
                     {"base", change.base},
                     {"candidate", change.candidate},
                     {"worsening", change.worsening},
                     {"margin", change.margin},
                     {"p", change.p},
                     {"adjusted_p", change.adjusted_p},
                     {"detectable", change.detectable},
                     {"test", change.test},
                     {"reason", change.reason}});
  }
  const auto list = [](const std::vector<std::string>& texts) { return Value::Array(texts.begin(), texts.end()); };
  return Value::Table{{"baseline", comparison.baseline},   {"candidate", comparison.candidate},
                      {"verdict", verdict(comparison)},    {"regression", comparison.regression},
                      {"alpha", comparison.options.alpha}, {"family", comparison.family},
                      {"compared", comparison.compared},   {"missing", list(comparison.missing)},
                      {"added", list(comparison.added)},   {"changes", std::move(changes)}};
}

}  // namespace onmanifold
