// SPDX-License-Identifier: Apache-2.0
#pragma once
// The gate: a candidate's results against a baseline's. A pure function of two result sets.
//
// Arms are paired by task, method and lift, and compared where the protocol is the same: task version and
// data hash, sizes, lift level, metric version and parameters. Every difference is signed so that positive is
// worse. A metric of an arm regresses where the difference of the means exceeds a practical margin AND a
// one-sided test over the replicates rejects after Holm's correction over all gated metrics. Gated is the
// primary metric of each task, the first that its cells hold on projected samples; every other metric is
// tested as a family of its own and shown without effect on the verdict. Some things are hard: a cell that
// fails in the candidate only, samples that became NaN, and projected samples that miss the manifold.

#include <optional>
#include <string>
#include <vector>

#include "core/value.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

struct CompareOptions {
  double alpha = 0.05;     ///< family-wise rate of false alarms, in (0, 1/2)
  double relative = 0.05;  ///< practical margin as a fraction of the baseline's mean
  bool time = false;       ///< gate seconds and memory too: 10 %, on one model of CPU only
  bool exact = false;      ///< samples and metrics must agree bit for bit
  /// Names of the gated metrics (projected samples); empty: each task's primary.
  std::vector<std::string> gated = {};
};

/// What became of one line, in the order of a report.
enum class Mark { failed, worse, not_comparable, better, same };
/// "x", "-", "!", "+", "~".
[[nodiscard]] std::string to_string(Mark mark);

/// One metric of one arm in both results.
struct Change {
  std::string task, method, lift;
  std::string metric;      ///< a metric's name; "fit_s", "sample_s", "peak_memory_bytes"; "" for a whole arm
  std::string samples;     ///< "raw", "projected", or "" where neither applies
  std::string parameters;  ///< JSON
  std::optional<Direction> direction;
  std::string unit;
  Mark mark = Mark::same;
  bool gated = false;  ///< counts for the verdict
  int n_base = 0;      ///< replicates with a value
  int n_candidate = 0;
  bool paired = false;                  ///< same replicates of the same seed on both sides
  double base = MetricRecord::unknown;  ///< mean over replicates
  double candidate = MetricRecord::unknown;
  double worsening = MetricRecord::unknown;   ///< positive is worse; of seconds and bytes: log of the ratio
  double margin = MetricRecord::unknown;      ///< what it must exceed
  double p = MetricRecord::unknown;           ///< one-sided, for the side it is on; not adjusted
  double adjusted_p = MetricRecord::unknown;  ///< Holm's, over its family
  double detectable = MetricRecord::unknown;  ///< worsening that these replicates find with probability .8
  std::string test;    ///< what p comes from, or "threshold only" where there are too few replicates for a test
  std::string reason;  ///< of a line that failed, cannot be compared, or is held by a rule of its own
};

struct Comparison {
  std::string baseline, candidate;  ///< directories
  CompareOptions options;
  std::vector<Change> changes;       ///< by mark, gated first, then by size of the effect
  std::vector<std::string> missing;  ///< "<task>/<method>/<lift>" of arms that only the baseline has
  std::vector<std::string> added;    ///< … only the candidate
  int compared = 0;                  ///< metrics of arms that could be compared
  int family = 0;                    ///< gated lines with a test: what Holm corrects for
  bool regression = false;
};

/// \throw InvalidInput for an alpha outside (0, 1/2) or a gated metric that no cell has.
[[nodiscard]] Comparison compare_results(const ResultSet& baseline, const ResultSet& candidate,
                                         const CompareOptions& options);

/// For a terminal; lines that did not change are counted, not listed.
[[nodiscard]] std::string comparison_text(const Comparison& comparison);
/// For a pull-request comment: verdict first, GitHub's Markdown, at most 65,000 characters.
[[nodiscard]] std::string comparison_markdown(const Comparison& comparison);
/// Everything, lines without change too.
[[nodiscard]] Value comparison_json(const Comparison& comparison);

}  // namespace onmanifold
