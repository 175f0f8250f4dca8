// SPDX-License-Identifier: Apache-2.0
#pragma once
// The manifold of a command that takes points of any origin: that of a task, or one by its specification.

#include <memory>
#include <optional>
#include <string>

#include "core/points.hpp"
#include "datasets/task.hpp"

namespace onmanifold {

struct WherePointsLie {
  std::optional<Task> task;
  std::shared_ptr<const Manifold> manifold;  ///< never null
};

/// \throw InvalidInput unless one of the two is given and can be read.
[[nodiscard]] WherePointsLie where_points_lie(const std::string& task, const std::string& manifold);

/// The points of a file, D×N. \throw InvalidInput that names it where it cannot be read or has another D.
[[nodiscard]] Points points_of_file(const std::string& file, const Manifold& manifold);

}  // namespace onmanifold
