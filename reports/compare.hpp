// SPDX-License-Identifier: Apache-2.0
#pragma once
// The gate: a candidate's results against a baseline's. A pure function of two result sets.
//
// Configurations are paired by task, method and lift, and compared where the protocol is the same: task version and
// data hash, sizes, lift level, reference, metric version and parameters. Every difference is signed so that positive
// is worse. A metric of a configuration regresses where the difference of the means exceeds a practical margin AND a
// one-sided test over the replicates rejects after Holm's correction over all gated metrics of learners. Gated is the
// primary metric of each task, the first that its cells hold on projected samples; every other metric is tested as a
// family of its own and shown without effect on the verdict. Controls (true draws, moment fits) take no part of the
// learners' error budget: they are tested by themselves at a fiftieth of alpha. Some things are hard: a cell that fails
// in the candidate only, samples that became NaN, a metric that became infinitely bad, and projected samples that miss
// the manifold.

#include <optional>
#include <string>
#include <vector>

#include "results/result_set.hpp"

namespace onmanifold {

struct CompareOptions {
  double alpha = 0.05;         ///< family-wise rate of false alarms, in (0, 1/2)
  double relative = 0.05;      ///< practical margin as a fraction of the baseline's mean
  bool time = false;           ///< gate seconds and memory too: 10 %, on one model of CPU only
  bool exact = false;          ///< samples and metrics must agree bit for bit
  bool allow_missing = false;  ///< judge what is there where the candidate lacks configurations or replicates
  /// The gated metrics: "name", on the samples that the metric is judged on (raw for constraints), "name(raw)" or
  /// "name(projected)"; empty: each task's primary.
  std::vector<std::string> gated = {};
};

/// What became of one line, in the order of a report.
enum class Mark { failed, worse, not_comparable, better, same };
template <>
struct EnumNames<Mark> {
  static constexpr const char* kind = "mark";
  static constexpr std::array<EnumName<Mark>, 5> names = {
      {{Mark::failed, "x"}, {Mark::worse, "-"}, {Mark::not_comparable, "!"}, {Mark::better, "+"}, {Mark::same, "~"}}};
};

/// What the verdict of a line rests on.
enum class Basis { none, test, threshold };

/// One metric of one configuration in both results.
struct Change {
  std::string task, method, lift;
  std::string metric;  ///< a metric's name; "fit_s", "sample_s", "peak_memory_bytes"; "" for a whole configuration
  std::optional<SampleKind> samples;  ///< none where neither applies
  std::string parameters;             ///< JSON
  std::optional<Direction> direction;
  std::string unit;
  Mark mark = Mark::same;
  bool gated = false;    ///< counts for the verdict
  bool control = false;  ///< of a method that learns nothing
  int n_base = 0;        ///< replicates with a value
  int n_candidate = 0;
  bool paired = false;                  ///< same replicates of the same seed on both sides
  double base = MetricRecord::unknown;  ///< mean over replicates
  double candidate = MetricRecord::unknown;
  double worsening = MetricRecord::unknown;   ///< positive is worse; of seconds and bytes: log of the ratio
  double margin = MetricRecord::unknown;      ///< what it must exceed
  double p = MetricRecord::unknown;           ///< one-sided, for the side it is on; not adjusted
  double adjusted_p = MetricRecord::unknown;  ///< Holm's, over its family
  double detectable = MetricRecord::unknown;  ///< worsening that these replicates find with probability .8
  Basis basis = Basis::none;
  std::string test;    ///< what p comes from, or "threshold only" where there are too few replicates for a test
  std::string reason;  ///< of a line that failed, cannot be compared, or is held by a rule of its own
  std::string note;    ///< beside the test: cells with infinite values
};

struct Comparison {
  std::string baseline, candidate;  ///< directories
  CompareOptions options;
  std::vector<Change> changes;        ///< by mark, gated first, then by size of the effect
  std::vector<std::string> missing;   ///< "<task>/<method>/<lift>" of configurations that only the baseline has
  std::vector<std::string> added;     ///< … only the candidate
  std::vector<std::string> warnings;  ///< gated lines that cannot tell: the baseline does not beat the moment fit
  int compared = 0;                   ///< metrics of configurations that could be compared
  int judged = 0;                     ///< of them gated: 0 means that nothing was measured
  int family = 0;                     ///< gated lines of learners with a test: what Holm corrects for
  bool regression = false;

  /// No regression, but the candidate lacks what the baseline has, and that was not allowed.
  [[nodiscard]] bool incomplete() const { return !regression && !options.allow_missing && !missing.empty(); }
};

/// \throw InvalidInput for an alpha outside (0, 1/2), or a gated metric that no cell has and whose name is nearly that
/// of one (another unknown name leaves nothing to judge).
[[nodiscard]] Comparison compare_results(const ResultSet& baseline, const ResultSet& candidate,
                                         const CompareOptions& options);

}  // namespace onmanifold
