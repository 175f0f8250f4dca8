// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace onmanifold {

// The command onmanifold: calls a subcommand, turns exceptions into one line on standard error and an exit code
// (`commands.hpp`). The one symbol of the program's shared library, where there is one (cmake/levels.cmake).
[[gnu::visibility("default")]] int run_program(int argc, char** argv);

}  // namespace onmanifold
