// SPDX-License-Identifier: Apache-2.0
#include "reports/compare.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/math/statistics.hpp"
#include "core/suggestion.hpp"
#include "reports/compare_cells.hpp"

namespace onmanifold {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double log_time_margin = 0.09531017980432493;  // log 1.1
constexpr double shortest_time = 0.05;                   // seconds; below, a clock measures the machine
/// Share of alpha at which controls are tested, beside the learners' alpha.
constexpr double control_share = 0.02;

/// What a line is corrected with. Controls cost the learners no power.
enum class Family { none, gated, shown, time, controls };

/// What is known of a line before the size of its family is.
struct Line {
  Change change;
  Vector base, candidate;   ///< badness by replicate; in equal order where the line is paired
  double floor = 1;         ///< smallest p of the exact test
  bool ranks_only = false;  ///< infinite values: their place in the order is all that counts
  bool null_band = false;   ///< both means are values that a perfect model shows
  Family family = Family::none;
  double p_worse = 1, p_better = 1;
};

Vector to_vector(const std::vector<double>& values) {
  return Eigen::Map<const Vector>(values.data(), static_cast<Index>(values.size()));
}

/// A value turned so that more is worse.
double badness(const MetricRecord& record, double value) {
  if (record.direction == Direction::higher) return -value;
  if (record.direction == Direction::target) return std::abs(value - record.target);
  return value;
}

// --- values into a line ----------------------------------------------------------------------------------------------

/// Replicates whose value is infinite.
std::set<int> infinite(const Values& values) {
  std::set<int> found;
  for (const auto& [seed, value] : values) {
    if (std::isinf(value)) found.insert(seed);
  }
  return found;
}

/// Finite numbers in the order of \p values, ties included.
void use_order(Vector& a, Vector& b) {
  double largest = 0;
  for (const Vector* side : {&a, &b}) {
    for (const double value : *side) {
      if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
    }
  }
  const double beyond = 2 * largest + 1;
  for (Vector* side : {&a, &b}) {
    for (double& value : *side) {
      if (std::isinf(value)) value = std::copysign(beyond, value);
    }
  }
}

/// Of a line with infinite values: what the shares of infinitely bad (less infinitely good) replicates say, and only
/// where they are equal, the finite ones.
double infinite_worsening(const Vector& base, const Vector& candidate) {
  const auto share = [](const Vector& side) {
    double sum = 0;
    for (const double value : side) sum += std::isinf(value) ? std::copysign(1.0, value) : 0.0;
    return sum / double(side.size());
  };
  const auto finite_mean = [](const Vector& side) {
    std::vector<double> finite;
    std::copy_if(side.begin(), side.end(), std::back_inserter(finite),
                 [](double value) { return std::isfinite(value); });
    return finite.empty() ? 0.0 : mean(to_vector(finite));
  };
  const double difference = share(candidate) - share(base);
  if (difference != 0) return std::copysign(infinity, difference);
  return finite_mean(candidate) - finite_mean(base);
}

/// Takes the values over: in pairs where one side's replicates are all among the other's and \p pairs_allowed.
void set_values(Line& line, Values base, Values candidate, bool pairs_allowed,
                const std::function<double(double)>& turn) {
  Change& change = line.change;
  std::set<int> common;
  for (const auto& [seed, value] : base) {
    if (candidate.count(seed) > 0) common.insert(seed);
  }
  change.paired = pairs_allowed && !common.empty() && common.size() == std::min(base.size(), candidate.size());
  if (change.paired) {
    // Pairs of equal infinities are equal and say nothing of the others.
    const auto drop = [&](const auto& entry) {
      return common.count(entry.first) == 0 ||
             (std::isinf(entry.second) && base.at(entry.first) == candidate.at(entry.first));
    };
    std::set<int> out;
    for (const auto* side : {&base, &candidate}) {
      for (const auto& entry : *side) {
        if (drop(entry)) out.insert(entry.first);
      }
    }
    if (out.size() < base.size() || out.size() < candidate.size()) {
      for (const int seed : out) {
        base.erase(seed);
        candidate.erase(seed);
      }
    }
  }
  std::vector<double> first, second;
  for (const auto& [seed, value] : base) first.push_back(value);
  for (const auto& [seed, value] : candidate) second.push_back(value);
  change.n_base = static_cast<int>(first.size());
  change.n_candidate = static_cast<int>(second.size());
  change.base = mean(to_vector(first));
  change.candidate = mean(to_vector(second));
  std::transform(first.begin(), first.end(), first.begin(), turn);
  std::transform(second.begin(), second.end(), second.begin(), turn);
  line.base = to_vector(first);
  line.candidate = to_vector(second);
  line.ranks_only = !line.base.allFinite() || !line.candidate.allFinite();
  if (line.ranks_only) {
    change.paired = false;
    change.worsening = infinite_worsening(line.base, line.candidate);
    use_order(line.base, line.candidate);
  } else {
    change.worsening = mean(line.candidate) - mean(line.base);
  }
  if (change.paired) {
    line.floor = std::pow(0.5, change.n_base);
    return;
  }
  double arrangements = 1;
  for (int i = 1; i <= change.n_base; ++i) arrangements *= double(change.n_candidate + i) / i;
  line.floor = 1 / arrangements;
}

// --- the statistics of one line --------------------------------------------------------------------------------------

/// Standard error of the worsening from the spread over replicates; NaN where a side has one replicate.
double standard_error_of(const Line& line) {
  if (line.change.paired) {
    return line.base.size() < 2 ? MetricRecord::unknown : standard_error(line.candidate - line.base);
  }
  if (line.base.size() < 2 || line.candidate.size() < 2) return MetricRecord::unknown;
  return std::hypot(standard_error(line.base), standard_error(line.candidate));
}

/// Exact where its smallest p can pass Holm's first step, else Student's. Decided by the sizes alone, before a value is
/// looked at, so that the choice costs no error. Infinite values have an order and no mean: always exact.
void test(Line& line, double level) {
  const bool exact = line.floor <= level || line.ranks_only;
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
  line.change.basis = Basis::test;
  line.change.test = worse.method;
  if (line.ranks_only) return;
  // Planning formula of the t test; the rank test needs pi/3 times the replicates on normal data.
  const double degrees =
      double(line.change.paired ? line.base.size() - 1 : line.base.size() + line.candidate.size() - 2);
  const double efficiency = exact && !line.change.paired ? std::sqrt(std::numbers::pi / 3) : 1.0;
  line.change.detectable =
      std::max(line.change.margin,
               efficiency * standard_error_of(line) * (t_quantile(1 - level, degrees) + t_quantile(0.8, degrees)));
}

/// What rounding alone may move a value of this unit by, on data of \p scale.
double rounding_of(const std::string& unit, double scale) {
  const double length = std::isfinite(scale) ? scale : 1;
  const double size = unit.empty() ? 1 : unit.ends_with("^2") ? length * length : length;
  return 64 * std::numeric_limits<double>::epsilon() * size;
}

/// The practical margin of a metric: docs/compare.md.
double margin_of(const MetricValues& base, const MetricInfo& info, const ConfigurationCells& side, const Change& change,
                 double relative) {
  const MetricRecord& record = *base.record;
  double margin = std::max(std::isnan(base.null_sd) ? 0 : base.null_sd, rounding_of(record.unit, side.detail("scale")));
  const double tolerance = side.detail("constraint_tolerance");
  if (info.constraint && tolerance > 0) margin = std::max(margin, tolerance);
  // Three counts of a share.
  if (info.lowest == 0 && info.highest == 1 && record.n_samples > 0)
    margin = std::max(margin, 3.0 / double(record.n_samples));
  const double size =
      record.direction == Direction::target ? std::abs(change.base - record.target) : std::abs(change.base);
  const bool around_zero = change.base * change.candidate < 0;
  return around_zero || !std::isfinite(size) ? margin : std::max(margin, relative * size);
}

bool in_null_band(const MetricValues& values, double mean_value) {
  return std::abs(mean_value - values.null) <= 3 * values.null_sd;  // false where either is NaN
}

// --- families --------------------------------------------------------------------------------------------------------

/// Too few replicates for any test. Their spread, where there is one, is the best there is against chance.
void judge_by_threshold(Line& line) {
  Change& change = line.change;
  const double spread = line.ranks_only ? MetricRecord::unknown : standard_error_of(line);
  if (spread > 0) change.margin = std::max(change.margin, 3 * spread);
  change.basis = Basis::threshold;
  change.test = "threshold only";
  if (line.null_band) {
    change.note = "both within the null band";
  } else if (std::abs(change.worsening) > change.margin) {
    change.mark = change.worsening > 0 ? Mark::worse : Mark::better;
  }
}

/// \return the number of its tests. Lines are tested at \p alpha; where \p smallest_level is above their floor.
int judge_family(std::vector<Line>& lines, Family family, double alpha, double smallest_level) {
  std::vector<Line*> members;
  for (Line& line : lines) {
    if (line.family != family) continue;
    if (line.floor <= smallest_level) {
      members.push_back(&line);
    } else {
      judge_by_threshold(line);
    }
  }
  if (members.empty()) return 0;
  Vector worse(static_cast<Index>(members.size()));
  Vector better(worse.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    test(*members[i], alpha / double(members.size()));
    worse(static_cast<Index>(i)) = members[i]->p_worse;
    better(static_cast<Index>(i)) = members[i]->p_better;
  }
  const Vector worse_adjusted = holm_adjusted(worse);
  const Vector better_adjusted = holm_adjusted(better);
  for (std::size_t i = 0; i < members.size(); ++i) {
    Change& change = members[i]->change;
    const bool worsened = change.worsening > 0;
    change.p = worsened ? members[i]->p_worse : members[i]->p_better;
    change.adjusted_p = (worsened ? worse_adjusted : better_adjusted)(static_cast<Index>(i));
    if (std::abs(change.worsening) > change.margin && change.adjusted_p <= alpha) {
      change.mark = worsened ? Mark::worse : Mark::better;
    }
  }
  return static_cast<int>(members.size());
}

// --- what is gated ---------------------------------------------------------------------------------------------------

const MetricInfo& info_of(const ResultSet& results, const std::string& metric) {
  static const MetricInfo unknown;
  const auto found = results.metrics.find(metric);
  return found == results.metrics.end() ? unknown : found->second;
}

/// Names of --metrics, with the samples that each is judged on.
class Gate {
 public:
  Gate(const std::vector<std::string>& texts, const ResultSet& results) : results_(results) {
    for (const std::string& text : texts) {
      const std::size_t open = text.find('(');
      if (open == std::string::npos) {
        asked_.push_back({text, std::nullopt});
        continue;
      }
      if (text.back() != ')') throw InvalidInput(fmt::format("--metrics '{}': no closing bracket", text));
      asked_.push_back({text.substr(0, open), parse_named<SampleKind>(text.substr(open + 1, text.size() - open - 2))});
    }
  }

  [[nodiscard]] bool all_primary() const { return asked_.empty(); }
  [[nodiscard]] bool asks_for(const std::string& metric, SampleKind kind) const {
    return std::any_of(asked_.begin(), asked_.end(), [&](const Asked& one) {
      return one.metric == metric && kind == one.samples.value_or(info_of(results_, metric).samples);
    });
  }
  /// A name that no cell has and that was meant to be another.
  void check(const std::vector<Line>& lines) const {
    std::set<std::string> known;
    for (const Line& line : lines) known.insert(line.change.metric);
    known.erase("");
    for (const Asked& one : asked_) {
      if (known.count(one.metric) > 0) continue;
      const std::string meant = nearest_name(one.metric, {known.begin(), known.end()});
      if (!meant.empty())
        throw InvalidInput(
            fmt::format("--metrics '{}': no cell of both results has it; did you mean '{}'?", one.metric, meant));
    }
  }

 private:
  struct Asked {
    std::string metric;
    std::optional<SampleKind> samples;
  };
  const ResultSet& results_;
  std::vector<Asked> asked_;
};

// --- one configuration -----------------------------------------------------------------------------------------------

class ConfigurationComparison {
 public:
  ConfigurationComparison(const ConfigurationKey& key, const ConfigurationCells& base,
                          const ConfigurationCells& candidate, const ResultSet& results, const Gate& gate,
                          const CompareOptions& options)
      : key_(key),
        base_(base),
        candidate_(candidate),
        results_(results),
        gate_(gate),
        options_(options),
        same_seed_(same_seed(base, candidate)) {
    const CellResult* known = base.first_ok();
    control_ = known != nullptr && known->head.method.info.role != MethodRole::learner;
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
    const std::string primary = primary_name();
    for (const SampleKind kind : {SampleKind::projected, SampleKind::raw}) compare_metrics(kind, primary);
    if (options_.time) compare_timings();
    if (options_.exact) compare_bits();
  }

 private:
  Line& add(Mark mark, const std::string& reason, bool gated = false) {
    Line& line = lines.emplace_back();
    line.change.task = key_.task;
    line.change.method = key_.method;
    line.change.lift = key_.lift;
    line.change.mark = mark;
    line.change.reason = reason;
    line.change.gated = gated;
    line.change.control = control_;
    return line;
  }
  Line& add(const MetricRecord& record, SampleKind kind, Mark mark, const std::string& reason, bool gated = false) {
    Line& line = add(mark, reason, gated);
    line.change.metric = record.name;
    line.change.samples = kind;
    line.change.parameters = record.parameters;
    line.change.direction = record.direction;
    line.change.unit = record.unit;
    return line;
  }

  [[nodiscard]] std::string cell_name(int seed) const { return fmt::format("{}/seed-{}", key_.text(), seed); }

  // Cells that failed. The baseline's own failures excuse equal ones.
  void compare_states() {
    const auto failed = [](const ConfigurationCells& side) {
      return static_cast<int>(side.cells.size()) - side.n_ok();
    };
    const int before = failed(base_);
    const int now = failed(candidate_);
    if (now > before) {
      const auto first = std::find_if(candidate_.cells.begin(), candidate_.cells.end(),
                                      [](const CellResult* cell) { return !cell->problem.empty(); });
      add(Mark::failed,
          fmt::format("{} of {} replicates failed, {} before; seed-{}: {}", now, candidate_.cells.size(), before,
                      (*first)->key.seed, (*first)->problem),
          true);
    } else if (now < before) {
      add(Mark::better, fmt::format("{} replicates failed, {} before", now, before));
    }
  }

  void compare_finiteness() {
    const auto nonfinite = [](const ConfigurationCells& side) {
      Index most = 0;
      for (const CellResult* cell : side.cells) {
        for (const MetricRecord& record : cell->raw) most = std::max(most, record.n_nonfinite);
      }
      return most;
    };
    const Index before = nonfinite(base_);
    const Index now = nonfinite(candidate_);
    if (before == 0 && now > 0)
      add(Mark::worse, fmt::format("up to {} samples are not finite, none before", now), true);
  }

  [[nodiscard]] std::string primary_name() const {
    for (const CellResult* cell : base_.cells) {
      for (const MetricRecord& record : cell->projected) {
        if (record.direction && !std::isnan(record.value)) return record.name;
      }
    }
    return "";
  }

  void compare_metrics(SampleKind kind, const std::string& primary) {
    std::set<std::pair<std::string, std::string>> seen;
    for (const CellResult* cell : base_.cells) {
      for (const MetricRecord& record : records_of(*cell, kind)) {
        if (!seen.insert({record.name, record.parameters}).second) continue;
        const bool gated = gate_.all_primary() ? kind == SampleKind::projected && record.name == primary
                                               : gate_.asks_for(record.name, kind);
        compare_metric(kind, record, gated);
      }
    }
  }

  void compare_metric(SampleKind kind, const MetricRecord& record, bool gated) {
    const MetricValues base = metric_values(base_, kind, record.name, record.parameters);
    const MetricValues candidate = metric_values(candidate_, kind, record.name, record.parameters);
    const MetricInfo& info = info_of(results_, record.name);
    if (base.values.empty()) return;  // nothing to lose
    if (candidate.record == nullptr) {
      add(record, kind, Mark::not_comparable,
          has_metric(candidate_, kind, record.name) ? fmt::format("no record with the parameters {}", record.parameters)
                                                    : std::string("only the baseline has it"));
      return;
    }
    if (base.mixed || candidate.mixed || !same_protocol(*base.record, *candidate.record)) {
      add(record, kind, Mark::not_comparable, "version, direction, target or sizes differ");
      return;
    }
    if (base.nan.empty() && !candidate.nan.empty()) {
      add(record, kind, Mark::worse,
          fmt::format("no value in {} replicates, the first {}", candidate.nan.size(),
                      cell_name(*candidate.nan.begin())),
          true);
      return;
    }
    if (candidate.values.empty()) return;
    if (kind == SampleKind::projected && info.constraint && !record.unit.empty()) {
      compare_constraint(record, base, candidate);
      return;
    }
    if (!record.direction) return;
    // The values of one side share their reference: over another one they are no independent replicates. What M alone
    // decides, and what is measured against exact masses, needs no reference.
    if (record.n_reference > 0 && !info.constraint && !same_reference(base_, candidate_)) {
      add(record, kind, Mark::not_comparable,
          "the references differ (suites of different seeds), and the replicates of one side share theirs");
      return;
    }
    compare_values(kind, record, base, candidate, info, gated);
  }

  void compare_values(SampleKind kind, const MetricRecord& record, const MetricValues& base,
                      const MetricValues& candidate, const MetricInfo& info, bool gated) {
    Line& line = add(record, kind, Mark::same, "");
    line.family = !gated ? Family::shown : control_ ? Family::controls : Family::gated;
    line.change.gated = gated;
    set_values(line, base.values, candidate.values, same_seed_,
               [&](double value) { return badness(*base.record, value); });
    line.change.margin = margin_of(base, info, base_, line.change, options_.relative);
    line.null_band = in_null_band(base, line.change.base) && in_null_band(base, line.change.candidate);
    const std::set<int> before = infinite(base.values);
    const std::set<int> now = infinite(candidate.values);
    if (before.empty() && now.empty()) return;
    line.change.note = fmt::format("infinite in {} of {} replicates, {} of {} before, the first {}", now.size(),
                                   candidate.values.size(), before.size(), base.values.size(),
                                   cell_name(now.empty() ? *before.begin() : *now.begin()));
    const auto bad = [&](const Values& values) {
      return std::any_of(values.begin(), values.end(),
                         [&](const auto& entry) { return badness(*base.record, entry.second) == infinity; });
    };
    if (!bad(base.values) && bad(candidate.values)) {
      line.family = Family::none;
      line.change.mark = Mark::worse;
      line.change.reason = line.change.note;
    } else if (before == now && line.change.worsening == 0) {
      line.change.reason = line.change.note;
    }
  }

  // What is projected must lie on the manifold, whatever the baseline did; below the tolerance all is rounding.
  void compare_constraint(const MetricRecord& record, const MetricValues& base, const MetricValues& candidate) {
    const auto largest = [](const Values& values) {
      return std::max_element(values.begin(), values.end(),
                              [](const auto& a, const auto& b) { return a.second < b.second; })
          ->second;
    };
    const double tolerance = base_.detail("constraint_tolerance");
    const double now = largest(candidate.values);
    if (!(now > tolerance)) return;
    Change& change =
        add(record, SampleKind::projected, Mark::worse,
            fmt::format("projected samples miss the manifold: {:.3g} above the tolerance {:.3g}", now, tolerance), true)
            .change;
    change.base = largest(base.values);
    change.candidate = now;
    change.worsening = now - change.base;
    change.n_base = static_cast<int>(base.values.size());
    change.n_candidate = static_cast<int>(candidate.values.size());
  }

  // Logarithms of seconds, at equal speed of the machine as far as the probes tell it, and of bytes.
  void compare_timings() {
    const std::string cpu = find_text(*base_.first_ok()->provenance, "machine.cpu");
    if (cpu.empty() || cpu != find_text(*candidate_.first_ok()->provenance, "machine.cpu")) {
      add(Mark::not_comparable, "time and memory: not the same model of CPU").change.metric = "time";
      return;
    }
    struct Stage {
      const char* name;
      bool seconds;
    };
    for (const auto& [stage, seconds] : {Stage{"fit_s", true}, {"sample_s", true}, {"peak_memory_bytes", false}}) {
      Values base = timings(base_, stage);
      Values candidate = timings(candidate_, stage);
      if (base.empty() || candidate.empty()) continue;
      const Values base_probe = timings(base_, "probe_s");
      const Values candidate_probe = timings(candidate_, "probe_s");
      if (seconds && !base_probe.empty() && !candidate_probe.empty()) {
        at_equal_speed(base, base_probe, base_probe);
        at_equal_speed(candidate, candidate_probe, base_probe);
      }
      Line& line = add(Mark::same, "", !control_);
      line.change.metric = stage;
      line.change.direction = Direction::lower;
      line.change.unit = seconds ? "s" : "bytes";
      line.family = control_ ? Family::shown : Family::time;
      set_values(line, base, candidate, same_seed_, [](double value) { return std::log(value); });
      line.change.margin = log_time_margin;
      if (seconds && std::max(line.change.base, line.change.candidate) < shortest_time) lines.pop_back();
    }
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

  const ConfigurationKey& key_;
  const ConfigurationCells& base_;
  const ConfigurationCells& candidate_;
  const ResultSet& results_;
  const Gate& gate_;
  const CompareOptions& options_;
  bool same_seed_;
  bool control_ = false;
};

// --- both results ----------------------------------------------------------------------------------------------------

/// Gated lines whose baseline is no better than a fit of mean and covariance: they would not see a model that breaks.
std::vector<std::string> blind_lines(const std::vector<Line>& lines,
                                     const std::map<ConfigurationKey, ConfigurationCells>& baseline) {
  std::vector<std::string> warnings;
  for (const Line& line : lines) {
    const Change& change = line.change;
    if (line.family != Family::gated || !std::isfinite(change.base)) continue;
    for (const auto& [key, side] : baseline) {
      const CellResult* cell = side.first_ok();
      if (key.task != change.task || cell == nullptr || !cell->head.method.info.floor) continue;
      const MetricValues floor = metric_values(side, *change.samples, change.metric, change.parameters);
      if (floor.values.empty()) continue;
      std::vector<double> values;
      for (const auto& [seed, value] : floor.values) values.push_back(value);
      const double at_floor = mean(to_vector(values));
      if (badness(*floor.record, at_floor) - badness(*floor.record, change.base) > change.margin) continue;
      warnings.push_back(fmt::format("{} {}: the baseline ({:.4g}) does not beat {} ({:.4g}): this line is blind",
                                     ConfigurationKey{change.task, change.method, change.lift}.text(), change.metric,
                                     change.base, key.method, at_floor));
    }
  }
  return warnings;
}

double effect(const Change& change) {
  if (std::isnan(change.worsening)) return infinity;
  return change.margin > 0 ? std::abs(change.worsening) / change.margin : std::abs(change.worsening);
}

void check(const CompareOptions& options) {
  if (!(options.alpha > 0 && options.alpha < 0.5)) {
    throw InvalidInput(fmt::format("--alpha {}: must lie between 0 and 0.5", options.alpha));
  }
  if (!(options.relative >= 0)) throw InvalidInput(fmt::format("--margin {}: must not be negative", options.relative));
}

}  // namespace

Comparison compare_results(const ResultSet& baseline, const ResultSet& candidate, const CompareOptions& options) {
  check(options);
  Comparison result;
  result.baseline = baseline.directory;
  result.candidate = candidate.directory;
  result.options = options;
  const Gate gate(options.gated, baseline);
  const std::map<ConfigurationKey, ConfigurationCells> before = configurations_of(baseline);
  const std::map<ConfigurationKey, ConfigurationCells> after = configurations_of(candidate);
  std::vector<Line> lines;
  for (const auto& [key, base] : before) {
    const auto found = after.find(key);
    if (found == after.end()) {
      result.missing.push_back(key.text());
      continue;
    }
    if (found->second.cells.size() < base.cells.size()) {
      result.missing.push_back(
          fmt::format("{}: {} of {} replicates", key.text(), found->second.cells.size(), base.cells.size()));
    }
    ConfigurationComparison one(key, base, found->second, baseline, gate, options);
    one.run();
    std::move(one.lines.begin(), one.lines.end(), std::back_inserter(lines));
  }
  for (const auto& [key, side] : after) {
    if (before.count(key) == 0) result.added.push_back(key.text());
  }
  gate.check(lines);
  result.family = judge_family(lines, Family::gated, options.alpha, options.alpha);
  judge_family(lines, Family::controls, control_share * options.alpha, options.alpha);
  judge_family(lines, Family::shown, options.alpha, options.alpha);
  judge_family(lines, Family::time, options.alpha, options.alpha);
  result.warnings = blind_lines(lines, before);
  for (Line& line : lines) {
    const Change& change = line.change;
    if (line.family != Family::none) ++result.compared;
    if (change.gated) ++result.judged;
    result.regression =
        result.regression || (change.gated && (change.mark == Mark::worse || change.mark == Mark::failed));
    result.changes.push_back(std::move(line.change));
  }
  std::stable_sort(result.changes.begin(), result.changes.end(), [](const Change& a, const Change& b) {
    return std::tuple(a.mark, !a.gated, -effect(a)) < std::tuple(b.mark, !b.gated, -effect(b));
  });
  return result;
}

}  // namespace onmanifold
