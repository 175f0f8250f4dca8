// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/point_files.hpp"
#include "suite/score.hpp"

namespace onmanifold {

int export_command(const ExportArguments& arguments) {
  const Task task = task_from_text(arguments.task);
  Points points = exported_points(task, arguments.n, arguments.seed, arguments.lift);
  if (arguments.full) points = full_points(task, points);
  write_points(arguments.output, points);
  fmt::print("{}: {} rows of {} numbers\n", arguments.output, points.cols(), points.rows());
  return exit_ok;
}

}  // namespace onmanifold
