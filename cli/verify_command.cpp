// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/printable.hpp"
#include "results/verify.hpp"

namespace onmanifold {

int verify_command(const std::string& directory) {
  const Verification result = verify_directory(directory);
  for (const std::string& problem : result.problems) fmt::print("{}\n", printable(problem));
  fmt::print("{}: {} cells, {} problems\n", directory, result.cells, result.problems.size());
  return result.problems.empty() ? exit_ok : exit_failure;
}

}  // namespace onmanifold
