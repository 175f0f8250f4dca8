// SPDX-License-Identifier: Apache-2.0
#include "cli/where_points_lie.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/point_files.hpp"
#include "manifolds/registry.hpp"
#include "suite/score.hpp"

namespace onmanifold {

WherePointsLie where_points_lie(const std::string& task, const std::string& manifold) {
  if (task.empty() == manifold.empty()) throw InvalidInput("give one of --task and --manifold");
  WherePointsLie where;
  if (task.empty()) {
    where.manifold = make_manifold(manifold);
  } else {
    where.task = task_from_text(task);
    where.manifold = where.task->manifold;
  }
  return where;
}

Points points_of_file(const std::string& file, const Manifold& manifold) {
  Points points;
  try {
    points = read_points(file);
  } catch (const IoError& error) {
    throw InvalidInput(error.what());
  }
  if (points.rows() != manifold.ambient_dimension()) {
    throw InvalidInput(fmt::format("{}: rows have {} numbers, but {} has {}", file, points.rows(), manifold.spec(),
                                   manifold.ambient_dimension()));
  }
  return points;
}

}  // namespace onmanifold
