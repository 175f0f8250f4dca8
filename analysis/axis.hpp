// SPDX-License-Identifier: Apache-2.0
#pragma once
// The question of the suite, one answer a task: where in the pipeline is the dimension mismatch handled? Columns are
// the places, rows the models that are otherwise blind to the manifold.

#include <string>
#include <vector>

#include "analysis/summary.hpp"

namespace onmanifold {

/// A column: a place, and what tells it from others of its place. Ordered as it is shown.
struct AxisPosition {
  Place place = Place::nowhere;
  bool isotropic = false;  ///< the control stands behind what it controls for
  double sigma = 0;
  std::string lift;  ///< label of the lift; empty without one
  friend auto operator<=>(const AxisPosition&, const AxisPosition&) = default;
};

struct Axis {
  struct Row {
    std::string label;      ///< of the blind method
    std::vector<int> arms;  ///< of the summary, by position; -1: none
  };
  int column = -1;  ///< of the summary: the primary metric
  std::vector<AxisPosition> positions;
  std::vector<Row> rows;
  std::vector<int> variations;  ///< arms that vary the method of their row, by position
  std::vector<int> unplaced;    ///< learners of which nobody said where they handle it

  [[nodiscard]] bool empty() const { return positions.empty(); }
};

/// All learners by place. A method that handles the mismatch elsewhere than in the data stands in the row of the blind
/// method it varies. Empty where the arms of the task take fewer than three places.
[[nodiscard]] Axis mismatch_axis(const TaskSummary& summary);

}  // namespace onmanifold
