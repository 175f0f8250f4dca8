// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a results directory says in one sentence, as data: do lifts help, who is best, is a perfect model reached, and
// whether so many replicates decide it.

#include <string>
#include <vector>

#include "analysis/conclusions.hpp"
#include "analysis/lift_effect.hpp"
#include "analysis/matrix.hpp"

namespace onmanifold {

/// What keeps a difference from being a finding, whatever its size.
enum class Reservation { none, demonstration, few_seeds };

/// The lifts of one kind on one method, over all its tasks and levels.
struct LiftAnswer {
  std::string method;
  bool isotropic = false;  ///< the control
  int tasks = 0;           ///< where lifted and unlifted runs can be compared
  int helps = 0;           ///< tasks where a level helps: enough seeds, Holm's correction over all lifts of the results
  int harms = 0;           ///< tasks where a level harms and none helps
  /// Range of the relative change: of the best level that helps on each task it helps on, otherwise of all levels.
  Interval change;
};

struct Answers {
  Reservation reservation = Reservation::none;
  int least_seeds = 0;            ///< of a ranked learner, over tasks
  int most_seeds = 0;             ///< of the task that has most
  std::vector<LiftAnswer> lifts;  ///< normal lifts before isotropic ones, then those that help on most tasks
  int ranked_tasks = 0;           ///< tasks with at least two ranked learners
  std::vector<int> decided;       ///< of them, tasks of the matrix with enough seeds and one candidate for the best
  int most_candidates = 0;        ///< the most learners that may be the best of an undecided task
  int reached = 0;                ///< tasks where a learner is indistinguishable from a perfect model

  [[nodiscard]] bool conclusive() const { return reservation == Reservation::none; }
};

[[nodiscard]] Answers answer(const Matrix& matrix, const std::vector<LiftEffect>& effects, SuitePurpose purpose);

}  // namespace onmanifold
