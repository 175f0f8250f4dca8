// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/point_files.hpp"
#include "suite/score.hpp"

namespace onmanifold {

int export_command(const ExportArguments& arguments) {
  const Points points = exported_points(arguments.task, arguments.n, arguments.seed, arguments.lift);
  write_points(arguments.output, points);
  fmt::print("{}: {} rows of {} numbers\n", arguments.output, points.cols(), points.rows());
  return exit_ok;
}

}  // namespace onmanifold
