// SPDX-License-Identifier: Apache-2.0
#include "analysis/answers.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "core/call_count.hpp"

namespace onmanifold {
namespace {

constexpr double family_level = 0.05;

// Adjusted over all effects of the results; 1 where there is nothing to test.
std::vector<double> adjusted_p(const std::vector<LiftEffect>& effects) {
  std::vector<std::size_t> tested;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    if (!std::isnan(effects[i].p)) tested.push_back(i);
  }
  std::vector<double> adjusted(effects.size(), 1.0);
  if (tested.empty()) return adjusted;
  Vector p(static_cast<Index>(tested.size()));
  for (std::size_t i = 0; i < tested.size(); ++i) p(static_cast<Index>(i)) = effects[tested[i]].p;
  const Vector holm = holm_adjusted(p);
  for (std::size_t i = 0; i < tested.size(); ++i) adjusted[tested[i]] = holm(static_cast<Index>(i));
  return adjusted;
}

void widen(Interval& range, double value) {
  range.low = std::isnan(range.low) ? value : std::min(range.low, value);
  range.high = std::isnan(range.high) ? value : std::max(range.high, value);
}

/// One method and kind of lift on one task.
struct TaskEffect {
  bool helps = false;
  bool harms = false;
  double best = 0;  ///< change of the level that helps most
  Interval all;
};

std::vector<LiftAnswer> answer_lifts(const std::vector<LiftEffect>& effects) {
  const std::vector<double> p = adjusted_p(effects);
  std::map<std::pair<bool, std::string>, std::map<std::string, TaskEffect>> found;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    const LiftEffect& effect = effects[i];
    TaskEffect& task = found[{effect.isotropic, effect.method}][effect.task];
    widen(task.all, effect.change);
    if (p[i] >= family_level || effect.n < seeds_for_comparison) continue;
    if (effect.helps && (!task.helps || std::abs(effect.change) > std::abs(task.best))) task.best = effect.change;
    task.helps = task.helps || effect.helps;
    task.harms = task.harms || effect.harms;
  }
  std::vector<LiftAnswer> verdicts;
  for (const auto& [key, tasks] : found) {
    LiftAnswer verdict;
    verdict.method = key.second;
    verdict.isotropic = key.first;
    Interval helped;
    for (const auto& [name, task] : tasks) {
      ++verdict.tasks;
      if (task.helps) {
        ++verdict.helps;
        widen(helped, task.best);
      } else if (task.harms) {
        ++verdict.harms;
      }
      widen(verdict.change, task.all.low);
      widen(verdict.change, task.all.high);
    }
    if (verdict.helps > 0) verdict.change = helped;
    verdicts.push_back(std::move(verdict));
  }
  std::stable_sort(verdicts.begin(), verdicts.end(), [](const LiftAnswer& a, const LiftAnswer& b) {
    return std::tuple(a.isotropic, -a.helps, a.harms) < std::tuple(b.isotropic, -b.helps, b.harms);
  });
  return verdicts;
}

}  // namespace

Answers answer(const Matrix& matrix, const std::vector<LiftEffect>& effects, SuitePurpose purpose) {
  count_call("answer");
  Answers answers;
  answers.lifts = answer_lifts(effects);
  for (std::size_t t = 0; t < matrix.tasks.size(); ++t) {
    const MatrixTask& task = matrix.tasks[t];
    if (task.reached) ++answers.reached;
    if (task.ranked < 2) continue;
    answers.least_seeds = answers.ranked_tasks == 0 ? task.seeds : std::min(answers.least_seeds, task.seeds);
    answers.most_seeds = std::max(answers.most_seeds, task.seeds);
    ++answers.ranked_tasks;
    if (task.candidates == 1 && task.seeds >= seeds_for_comparison) {
      answers.decided.push_back(static_cast<int>(t));
    } else {
      // Too few seeds decide nothing, whatever a test says of them.
      const int candidates = task.seeds >= seeds_for_comparison ? task.candidates : task.ranked;
      answers.most_candidates = std::max(answers.most_candidates, candidates);
    }
  }
  answers.reservation = purpose == SuitePurpose::demonstration      ? Reservation::demonstration
                        : answers.most_seeds < seeds_for_comparison ? Reservation::few_seeds
                                                                    : Reservation::none;
  return answers;
}

}  // namespace onmanifold
