// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/where_points_lie.hpp"
#include "core/error.hpp"
#include "core/files/point_files.hpp"
#include "suite/evaluation.hpp"

namespace onmanifold {
namespace {

struct LiftArguments {
  std::string task;
  std::string manifold;
  std::string lift;
  std::string input;
  std::string output;
  long seed = 0;
  long epoch = 0;
};

int lift_command(const LiftArguments& arguments) {
  if (arguments.seed < 0) throw InvalidInput(fmt::format("--seed {} is negative", arguments.seed));
  if (arguments.epoch < 0) throw InvalidInput(fmt::format("--epoch {} is negative", arguments.epoch));
  const WherePointsLie where = where_points_lie(arguments.task, arguments.manifold);
  const LiftSpec spec = make_lift_spec(arguments.lift);
  Lift lift{spec.type, spec.sigma.value_or(0)};
  if (where.task) {
    lift = resolve(spec, *where.task);
  } else if (spec.type != LiftType::none && !spec.sigma) {
    throw InvalidInput(
        fmt::format("--lift {}: without a task it needs a level, {}:sigma=S", arguments.lift, name_of(spec.type)));
  }
  const Points clean = points_of_file(arguments.input, *where.manifold);
  check_finite(clean, arguments.input);
  const Stream noise(static_cast<std::uint64_t>(arguments.seed), "lift-command");
  const Points lifted = lift.apply(clean, *where.manifold, noise.at(static_cast<std::uint64_t>(arguments.epoch)));
  write_points(arguments.output, lifted);
  fmt::print("{}: {} rows of {} numbers, {} noise of level {:.6g}\n", arguments.output, lifted.cols(), lifted.rows(),
             name_of(lift.type), lift.sigma);
  return exit_ok;
}

}  // namespace

void add_lift_command(CommandLine& line) {
  const auto asked = std::make_shared<LiftArguments>();
  Command command =
      line.add("lift", "Write the points of a file with noise along the normals of a manifold, or in all directions");
  command.option("--task", asked->task, "The manifold of this task, and its pre-registered level");
  command.option("--manifold", asked->manifold, "Or a manifold, e.g. sphere:dim=2,radius=1");
  command.option("--lift", asked->lift, "normal[:sigma=S] or isotropic[:sigma=S]", {.required = true});
  command.option("-i,--input", asked->input, "FILE of points on the manifold: .npy, .csv or .h5[:dataset]",
                 {.required = true});
  command.option("-o,--output", asked->output, "FILE: .npy, .csv or .h5[:dataset]", {.required = true});
  command.option("--seed", asked->seed, "Of the noise", {.show_default = true});
  command.option("--epoch", asked->epoch, "Which draw of the noise: another one for every pass over the data",
                 {.show_default = true});
  command.footer(
      "Rows keep their order. Equal arguments give equal files.\n\n"
      "Examples:\n"
      "  onmanifold lift --task sphere-vmf6 --lift normal -i train.npy -o lifted-0.npy\n"
      "  onmanifold lift --manifold so3 --lift normal:sigma=0.1 --epoch 7 -i rotations.npy -o lifted-7.npy");
  command.action([asked] { return lift_command(*asked); });
}

}  // namespace onmanifold
