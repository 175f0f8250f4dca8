// SPDX-License-Identifier: Apache-2.0
#include "cli/program.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>

#include <fmt/format.h>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/messages.hpp"
#include "core/error.hpp"
#include "core/printable.hpp"

namespace onmanifold {
namespace {

/// Results that did not reach stdout are no success, whatever the command made of them.
int with_output(int code) {
  errno = 0;
  const bool written = std::cout.flush().good() && std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written) return code;
  say("onmanifold: standard output: cannot write{}{}\n", errno == 0 ? "" : ": ",
      errno == 0 ? "" : std::strerror(errno));
  return code == exit_ok ? exit_failure : code;
}

}  // namespace

int run_program(int argc, char** argv) {
  // A write past a limit on file sizes is an error of that write, with the path in its message, not a death.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    CommandLine line(argc, argv);
    for (const auto add :
         {add_run_command, add_slurm_command, add_tune_command, add_report_command, add_compare_command,
          add_score_command, add_export_command, add_advise_command, add_fragments_command, add_lenet_command,
          add_list_command, add_describe_command, add_verify_command, add_project_command, add_lift_command}) {
      add(line);
    }
    return with_output(line.run());
  } catch (const InvalidInput& error) {
    say("onmanifold: {}\n", printable(error.what()));
    return exit_bad_input;
  } catch (const std::bad_alloc&) {
    say("onmanifold: out of memory\n");
  } catch (const std::exception& error) {
    say("onmanifold: {}\n", printable(error.what()));
  }
  return exit_failure;
}

}  // namespace onmanifold
