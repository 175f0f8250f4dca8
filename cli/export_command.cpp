// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/files/point_files.hpp"
#include "core/files/points_hash.hpp"
#include "suite/score.hpp"

namespace onmanifold {
namespace {

struct ExportArguments {
  std::string task;
  long n = 0;
  int seed = -1;           ///< replicate; must be given unless reference
  bool reference = false;  ///< the reference draws instead of training points
  std::string lift;        ///< empty: none
  bool full = false;       ///< with the coordinates that the task leaves out because they are constant
  std::string output;      ///< .npy, .csv or .h5
};

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

}  // namespace

void add_export_command(CommandLine& line) {
  const auto exported = std::make_shared<ExportArguments>();
  Command command = line.add("export", "Write training points of a task, or its reference, for another program");
  command.option("task", exported->task, "Name of a task, or NAME(key=value,...) with settings", {.required = true});
  command.option("-n", exported->n, "Number of points", {.required = true});
  command.option("--seed", exported->seed, "Replicate whose training points are written");
  command.flag("--reference", exported->reference, "The reference that scores compare with instead, without --seed");
  command.option("--lift", exported->lift, "none, normal[:sigma=S] or isotropic[:sigma=S]");
  command.flag("--full", exported->full,
               "With the constant coordinates that the task leaves out: frame atoms, dropped pixels");
  command.option("-o,--output", exported->output, "FILE: .npy, .csv or .h5[:dataset]", {.required = true});
  command.footer(
      "The points are those that a suite with seed = 0 gives to its methods. The SHA-256 of the numbers is printed.\n\n"
      "Examples:\n"
      "  onmanifold export sphere-vmf6 -n 10000 --seed 0 -o train.npy\n"
      "  onmanifold export sphere-vmf6 -n 10000 --seed 0 --lift normal:sigma=0.1 -o lifted.npy\n"
      "  onmanifold export sphere-vmf6 -n 10000 --reference -o reference.npy");
  command.action([exported] { return export_command(*exported); });
}

}  // namespace onmanifold
