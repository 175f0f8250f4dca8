// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "models/networks/lenet.hpp"
#include "suite/task_features.hpp"

namespace onmanifold {

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

}  // namespace onmanifold
