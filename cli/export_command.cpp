// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/files/point_files.hpp"
#include "core/files/points_hash.hpp"
#include "suite/score.hpp"

namespace onmanifold {

int export_command(const ExportArguments& arguments) {
  const Task task = task_from_text(arguments.task);
  if (arguments.reference && (arguments.seed >= 0 || !arguments.lift.empty())) {
    throw InvalidInput("export: --reference goes without --seed and --lift: it is one set, never lifted");
  }
  if (!arguments.reference && arguments.seed < 0) {
    throw InvalidInput("export: --seed S is missing: the replicate whose training points are wanted (or --reference)");
  }
  Points points = arguments.reference ? exported_reference(task, arguments.n)
                                      : exported_points(task, arguments.n, arguments.seed, arguments.lift);
  if (arguments.full) points = full_points(task, points);
  write_points(arguments.output, points);
  fmt::print("{}: {} rows of {} numbers\n", arguments.output, points.cols(), points.rows());
  fmt::print("sha256 of the points: {}\n", points_hash(points));
  return exit_ok;
}

}  // namespace onmanifold
