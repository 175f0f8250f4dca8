// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/point_files.hpp"
#include "datasets/task.hpp"
#include "manifolds/backbone.hpp"
#include "suite/score.hpp"

namespace onmanifold {

int export_command(const ExportArguments& arguments) {
  Points points = exported_points(arguments.task, arguments.n, arguments.seed, arguments.lift);
  if (arguments.full) {
    Settings none(Value::Table{}, arguments.task);
    const Task task = task_registry().get(arguments.task).factory(none);
    const auto* backbone = dynamic_cast<const Backbone*>(task.manifold.get());
    if (backbone == nullptr) {
      throw InvalidInput(fmt::format("--full: task '{}' leaves no constant coordinates out", arguments.task));
    }
    points = backbone->full_coordinates(points);
  }
  write_points(arguments.output, points);
  fmt::print("{}: {} rows of {} numbers\n", arguments.output, points.cols(), points.rows());
  return exit_ok;
}

}  // namespace onmanifold
