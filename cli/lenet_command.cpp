// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "models/networks/lenet.hpp"
#include "suite/score.hpp"
#include "suite/task_features.hpp"

namespace onmanifold {
namespace {

struct LenetArguments {
  std::string task = "flux-mnist";
  bool force = false;  ///< train again
};

int lenet_command(const LenetArguments& arguments) {
  const Task task = task_from_text(arguments.task);
  if (const std::string why = lenet_obstacle(task); !why.empty()) {
    throw InvalidInput(fmt::format("{}: {}", arguments.task, why));
  }
  const LenetWeights weights = lenet_weights(task, arguments.force);
  fmt::print("{}: {}\n", weights.path,
             weights.trained ? fmt::format("trained in {:.1f} s", weights.seconds) : "already there");
  fmt::print("  network    {}, {} weights, {} classes\n", Lenet::name, Lenet(weights.state).parameter_count(),
             weights.classes);
  fmt::print("  training   {} images of the training split\n", weights.train_images);
  fmt::print("  accuracy   {:.2f} % of {} test images\n", 100 * weights.accuracy, weights.test_images);
  fmt::print("  weights    sha256:{}\n", weights.hash);
  return exit_ok;
}

}  // namespace

void add_lenet_command(CommandLine& line) {
  const auto lenet = std::make_shared<LenetArguments>();
  Command command = line.add("lenet", "Train the classifier behind fid_lenet, or say what there is of it");
  command.option("task", lenet->task, "A task of labelled images, also with settings: 'flux-mnist(data=made)'",
                 {.show_default = true});
  command.flag("--force", lenet->force, "Train again, e.g. when the file was damaged");
  command.footer(
      "Its weights are kept beside the images. A run or score that needs them and finds none trains them itself.\n\n"
      "Example:\n"
      "  onmanifold lenet flux-mnist14");
  command.action([lenet] { return lenet_command(*lenet); });
}

}  // namespace onmanifold
