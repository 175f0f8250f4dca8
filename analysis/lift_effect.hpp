// SPDX-License-Identifier: Apache-2.0
#pragma once
// When does a lift help? Every lifted arm of a results directory against the same method without a lift, over all
// tasks.

#include <limits>
#include <string>
#include <vector>

#include "analysis/summary.hpp"
#include "core/math/statistics.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// One method of one task at one lift against no lift, by the primary metric.
struct LiftEffect {
  std::string task;
  std::string method;
  std::string lift;
  std::string metric;
  bool isotropic = false;                                         ///< the control
  double sigma = std::numeric_limits<double>::quiet_NaN();        ///< data units
  double reach = std::numeric_limits<double>::quiet_NaN();        ///< of M; inf where it is flat, NaN where unknown
  double codimension = std::numeric_limits<double>::quiet_NaN();  ///< NaN in results that do not tell
  int n = 0;                                                      ///< seeds that have both arms
  double change = 0;  ///< exp(mean log(lifted/unlifted)) - 1 over seeds: negative is a smaller value
  double spread = std::numeric_limits<double>::quiet_NaN();  ///< sd over seeds of lifted/unlifted - 1; NaN for one
  Interval interval;  ///< 95 %, t over the logarithms of the seeds' ratios; NaN for one seed
  double p = std::numeric_limits<double>::quiet_NaN();  ///< two-sided, of the same t; NaN for one seed
  bool helps = false;                                   ///< the whole interval is on the side of the better values
  bool harms = false;
};

/// By task, method, then the order of arms. Left out: metrics without a direction, and pairs of which a value is not
/// positive. \p summaries are those of the tasks, in order. Never throws on missing, failed or NaN data.
[[nodiscard]] std::vector<LiftEffect> lift_effects(const ResultSet& results, const std::vector<TaskSummary>& summaries);

}  // namespace onmanifold
