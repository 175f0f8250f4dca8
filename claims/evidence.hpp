// SPDX-License-Identifier: Apache-2.0
#pragma once
// What one claim reads of results and what it finds there. Whatever is missing is named and never an error.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "claims/claim_rules.hpp"
#include "contracts/unit_info.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// A number a seed.
using Series = std::map<int, double>;
/// The seeds that both have.
[[nodiscard]] Series operator-(const Series& a, const Series& b);
[[nodiscard]] Vector values_of(const Series& series);
[[nodiscard]] Vector to_vector(const std::vector<double>& values);
/// Per seed that all \p tasks have, the mean over them.
[[nodiscard]] Vector mean_over_tasks(const std::vector<Series>& tasks);

/// Null if there is none.
[[nodiscard]] const TaskResult* find_task(const ResultSet& results, const std::string& name);

/// A method with its lift, as the suite of an experiment calls them.
struct Configuration {
  std::string method;
  std::string lift = "none";
  /// "ddpm", "ddpm normal"
  [[nodiscard]] std::string text() const;
};
/// Where a claim about samples is decided.
struct Endpoint {
  std::string task;
  std::string metric = "tvd";
  SampleKind samples = SampleKind::projected;
};

inline constexpr Interval anywhere = {MetricRecord::unknown, MetricRecord::unknown};
[[nodiscard]] constexpr Interval at_least(double bound) {
  return {bound, std::numeric_limits<double>::infinity()};
}
[[nodiscard]] constexpr Interval at_most(double bound) {
  return {-std::numeric_limits<double>::infinity(), bound};
}

/// What one task says: descriptive, without a verdict.
struct TaskEvidence {
  std::string task;
  std::string quantity;
  int n = 0;
  double mean = std::numeric_limits<double>::quiet_NaN();
  double margin = std::numeric_limits<double>::quiet_NaN();  ///< smallest relevant effect, where there is one
  Vector values;                                             ///< n, one a seed; their mean is above
  Interval accepted;  ///< where the claim wants the mean, values over margin where there is one; NaN: nowhere
};

/// The evidence of one claim while it is collected: a claim reads through this, and adds tests that must all hold, or
/// decides without chance.
class Evidence {
 public:
  explicit Evidence(const ResultSet& all) : results(all) {}

  const ResultSet& results;
  std::vector<ClaimTest> tests;
  std::optional<CaseDecision> decision;
  std::vector<TaskEvidence> tasks;
  std::vector<std::string> missing;          ///< cells, metrics or diagnostics that are not there
  std::vector<std::string> blocked;          ///< why nothing may be concluded
  std::vector<std::string> failed_favoured;  ///< cells that the claim favours, failed where their pair did not
  bool touched = false;                      ///< some number of the claim is on disk

  void miss(const std::string& what);
  void block(const std::string& why);

  /// Records of a metric by seed. Values that are not finite are left out.
  std::map<int, MetricRecord> metric(const Endpoint& end, const Configuration& configuration);
  /// A series of a diagnostic by seed.
  std::map<int, Vector> series(const std::string& task, const Configuration& configuration, const std::string& label,
                               const std::string& name, bool optional = false);
  /// The first number of each series, where it is finite.
  Series number(const std::string& task, const Configuration& configuration, const std::string& label,
                const std::string& name);

  /// The lift must not drown in the smallest noise of the model.
  void check_visible(const std::string& task, const Configuration& configuration);
  /// Fresh draws of the target must look like it: mean standardised distance from the null value over the seeds of the
  /// oracle within 4 standard errors (two-sided 6e-5). Not for Fréchet distances, whose null value supposes normal
  /// features. The oracle's mean, or NaN.
  double check_oracle(const Endpoint& end);

  /// The smallest relevant effect, from the configuration that is to be bettered: of tvd a tenth of the corrected
  /// value, at least .002; else a tenth of the distance from the oracle, at least the null's spread.
  double margin(const Endpoint& end, const Configuration& reference);
  /// Per seed, the mean over tasks of (other - better)/margin, oriented so that positive is good for \p better; seeds
  /// that every task has on both sides. Missing or failed cells are named; a cell of \p better that failed where \p
  /// other did not is held against it.
  Vector paired(const std::vector<Endpoint>& ends, const Configuration& better, const Configuration& other,
                const Configuration& reference, const Interval& accepted = at_least(1));

  /// Notes what one task says of a number, and where the claim wants it.
  void note(const std::string& task, const std::string& quantity, const Series& values,
            const Interval& accepted = anywhere);
  /// Notes values, one a seed, and where the claim wants their mean, over \p unit where there is one.
  void show(const std::string& task, const std::string& quantity, const Vector& values, const Interval& accepted,
            double unit = MetricRecord::unknown);

  /// Adds \p rule of \p differences, if there are any.
  void add(const Vector& differences, ClaimTest (*rule)(const Vector&));
  /// Notes \p values and adds the test that their mean is center ± margin …
  void within(const std::string& task, const std::string& quantity, const Series& values, double center, double margin);
  /// … or above \p bound (below: \p above false).
  void beyond(const std::string& task, const std::string& quantity, const Series& values, double bound,
              bool above = true);
  /// The same of a number of a diagnostic.
  void number_within(const std::string& task, const Configuration& configuration, const std::string& label,
                     const std::string& name, double center, double margin);
  void number_beyond(const std::string& task, const Configuration& configuration, const std::string& label,
                     const std::string& name, double bound, bool above = true);
  /// A claim of \p parts tests says nothing with fewer.
  void need_tests(std::size_t parts);

 private:
  std::vector<const CellResult*> cells(const std::string& task, const Configuration& configuration) const;
  std::vector<const CellResult*> cells_or_miss(const std::string& task, const Configuration& configuration,
                                               bool optional = false);
  /// Copies of training points have the right distribution and show nothing: their share must not exceed the oracle's
  /// by more than .1. Where the metric is missing, nothing is said.
  void check_copies(const std::string& task, const Configuration& configuration);
};

}  // namespace onmanifold
