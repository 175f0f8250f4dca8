// SPDX-License-Identifier: Apache-2.0
#pragma once
// Samples of one cell an arm beside the reference: turning views, sheets of images, backbones.

#include <string>
#include <vector>

#include "reports/analysis.hpp"

namespace onmanifold {

/// The samples of an arm that a picture shows.
struct ArmPicture {
  std::string label;
  int seed = 0;
  bool learner = true;
  LiftType lift = LiftType::none;
  Points raw;
  Points projected;
  Vector moved;             ///< rotations alone: from raw to projected in R^9; both are drawn at the nearest rotation
  Points nearest_training;  ///< images alone, may be empty
};

/// What of a task can be drawn.
enum class View { none, space, rotations, images, backbones };

struct TaskPictures {
  View view = View::none;
  std::string none;  ///< why there is no view
  std::vector<ArmPicture> arms;
  std::vector<std::string> problems;  ///< cells that could not be read
};

/// Reads the samples of one cell an arm, at most 2,000 points of each.
[[nodiscard]] TaskPictures load_pictures(const std::string& directory, const TaskAnalysis& task);

/// How many points of a cloud a page of so many clouds can bear: in turning views, in static ones.
struct PointBudget {
  Index view = 0;
  Index panel = 0;
};
[[nodiscard]] PointBudget point_budget(std::size_t clouds);

/// The part of the page for these pictures; \p index tells the views of tasks apart. "" for none.
[[nodiscard]] std::string pictures_html(std::size_t index, const TaskFile& file, const TaskPictures& pictures,
                                        const PointBudget& budget);

}  // namespace onmanifold
