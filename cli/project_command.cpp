// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/messages.hpp"
#include "cli/where_points_lie.hpp"
#include "core/files/point_files.hpp"

namespace onmanifold {

namespace {

struct ProjectArguments {
  std::string task;
  std::string manifold;
  std::string input;
  std::string output;
};

int project_command(const ProjectArguments& arguments) {
  const WherePointsLie where = where_points_lie(arguments.task, arguments.manifold);
  const Projection projection = where.manifold->project(points_of_file(arguments.input, *where.manifold));
  write_points(arguments.output, projection.points);
  Index moved = 0;
  double sum = 0;
  double largest = 0;
  for (Index j = 0; j < projection.distance.size(); ++j) {
    if (!projection.converged[j]) continue;
    ++moved;
    sum += projection.distance[j];
    largest = std::max(largest, projection.distance[j]);
  }
  fmt::print("{}: {} rows of {} numbers on {}\n", arguments.output, projection.points.cols(), projection.points.rows(),
             where.manifold->spec());
  if (moved > 0) fmt::print("moved by {:.6g} in the mean, {:.6g} at most\n", sum / static_cast<double>(moved), largest);
  if (projection.failures() > 0) {
    say("{} rows have no nearest point that was found: they are as they were\n", projection.failures());
  }
  return exit_ok;
}

}  // namespace

void add_project_command(CommandLine& line) {
  const auto asked = std::make_shared<ProjectArguments>();
  Command command = line.add("project", "Write the points of a manifold that are nearest to those of a file");
  command.option("--task", asked->task, "The manifold of this task, or NAME(key=value,...)");
  command.option("--manifold", asked->manifold, "Or a manifold, e.g. sphere:dim=2,radius=1");
  command.option("-i,--input", asked->input, "FILE: .npy, .csv or .h5[:dataset], one point a row", {.required = true});
  command.option("-o,--output", asked->output, "FILE: .npy, .csv or .h5[:dataset]", {.required = true});
  command.footer(
      "Examples:\n"
      "  onmanifold project --task sphere-vmf6 -i samples.npy -o projected.npy\n"
      "  onmanifold project --manifold so3 -i matrices.csv -o rotations.csv");
  command.action([asked] { return project_command(*asked); });
}

}  // namespace onmanifold
