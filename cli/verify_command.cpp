// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/printable.hpp"
#include "results/verify.hpp"

namespace onmanifold {

namespace {

int verify_command(const std::string& directory) {
  const Verification result = verify_directory(directory);
  for (const std::string& note : result.notes) fmt::print("note: {}\n", printable(note));
  for (const std::string& problem : result.problems) fmt::print("{}\n", printable(problem));
  fmt::print("{}: {} cells, {} problems\n", directory, result.cells, result.problems.size());
  return result.problems.empty() ? exit_ok : exit_failure;
}

}  // namespace

void add_verify_command(CommandLine& line) {
  const auto directory = std::make_shared<std::string>();
  Command command = line.add("verify", "Check schema, checksums and completeness of a results directory");
  command.option("directory", *directory, "Results directory", {.required = true});
  command.footer(
      "Complete is a directory that has every cell that its runs were asked for, whatever --only and --shard left to\n"
      "do. Cells that failed, and files that an interrupted write has left, are no problem of a directory.\n\n"
      "Example:\n  onmanifold verify results/quick");
  command.action([directory] { return verify_command(*directory); });
}

}  // namespace onmanifold
