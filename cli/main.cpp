// SPDX-License-Identifier: Apache-2.0
// The command onmanifold: calls a subcommand, turns exceptions into one line and an exit code.

#include <csignal>
#include <exception>
#include <new>

#include <fmt/format.h>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/printable.hpp"

int main(int argc, char** argv) {
  using namespace onmanifold;  // the one place where the whole library meets the user
  // A write past a limit on file sizes is an error of that write, with the path in its message, not a death.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    CommandLine line(argc, argv);
    for (const auto add :
         {add_run_command, add_slurm_command, add_tune_command, add_report_command, add_compare_command,
          add_score_command, add_export_command, add_advise_command, add_fragments_command, add_lenet_command,
          add_list_command, add_describe_command, add_verify_command}) {
      add(line);
    }
    return line.run();
  } catch (const InvalidInput& error) {
    fmt::print(stderr, "onmanifold: {}\n", printable(error.what()));
    return exit_bad_input;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "onmanifold: out of memory\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "onmanifold: {}\n", printable(error.what()));
  }
  return exit_failure;
}
