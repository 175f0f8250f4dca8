// SPDX-License-Identifier: Apache-2.0
#include "analysis/lift_effect.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "core/call_count.hpp"

namespace onmanifold {
namespace {

/// Per-seed ratios of two arms, seeds that have both; empty where a value is not positive.
Vector log_ratios(const Summary& lifted, const Summary& unlifted) {
  std::vector<double> ratios;
  for (const auto& [seed, value] : lifted.values) {
    const auto same = std::find_if(unlifted.values.begin(), unlifted.values.end(),
                                   [s = seed](const auto& entry) { return entry.first == s; });
    if (same == unlifted.values.end()) continue;
    const double ratio = value / same->second;
    if (!(value > 0 && same->second > 0) || !std::isfinite(std::log(ratio))) return {};
    ratios.push_back(std::log(ratio));
  }
  return Eigen::Map<const Vector>(ratios.data(), static_cast<Index>(ratios.size()));
}

LiftEffect effect_of(const Vector& logs, Direction direction) {
  LiftEffect effect;
  effect.n = static_cast<int>(logs.size());
  effect.change = std::expm1(mean(logs));
  if (logs.size() < 2) return effect;
  effect.spread = standard_deviation(logs.array().exp().matrix());
  const Interval interval = t_interval(logs);
  effect.interval = {std::expm1(interval.low), std::expm1(interval.high)};
  effect.p = paired_t_test(logs).p;
  const bool lower = direction == Direction::lower;
  effect.helps = lower ? effect.interval.high < 0 : effect.interval.low > 0;
  effect.harms = lower ? effect.interval.low > 0 : effect.interval.high < 0;
  return effect;
}

}  // namespace

std::vector<LiftEffect> lift_effects(const ResultSet& results, const std::vector<TaskSummary>& summaries) {
  count_call("lift_effects");
  std::vector<LiftEffect> effects;
  for (std::size_t t = 0; t < results.tasks.size(); ++t) {
    const TaskResult& task = results.tasks[t];
    const TaskSummary& summary = summaries[t];
    if (summary.primary < 0) continue;
    const auto c = static_cast<std::size_t>(summary.primary);
    const MetricColumn& metric = summary.columns[c];
    if (metric.mixed_protocol || !metric.direction || metric.direction == Direction::target) continue;
    for (std::size_t a = 0; a < summary.arms.size(); ++a) {
      const Arm& arm = summary.arms[a];
      if (!arm.learns() || arm.lift_type == LiftType::none) continue;
      const auto plain = std::find_if(summary.arms.begin(), summary.arms.end(),
                                      [&](const Arm& other) { return other.method == arm.method && !other.lifted(); });
      if (plain == summary.arms.end()) continue;
      const Vector logs =
          log_ratios(summary.table[a][c], summary.table[static_cast<std::size_t>(plain - summary.arms.begin())][c]);
      if (logs.size() == 0) continue;
      LiftEffect effect = effect_of(logs, *metric.direction);
      effect.task = task.name;
      effect.method = arm.method;
      effect.lift = arm.lift;
      effect.metric = metric.name;
      effect.isotropic = arm.lift_type == LiftType::isotropic;
      effect.sigma = arm.lift_sigma;
      if (task.file) {
        effect.reach = find_number(task.file->details, "reach");
        effect.codimension =
            find_number(task.file->details, "ambient_dimension") - find_number(task.file->details, "dimension");
      }
      effects.push_back(std::move(effect));
    }
  }
  std::stable_sort(effects.begin(), effects.end(), [](const LiftEffect& a, const LiftEffect& b) {
    return std::tie(a.task, a.method) < std::tie(b.task, b.method);
  });
  return effects;
}

}  // namespace onmanifold
