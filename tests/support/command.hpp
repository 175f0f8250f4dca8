// SPDX-License-Identifier: Apache-2.0
#pragma once
// Runs a command as a user would and keeps what it said.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/wait.h>

#include "core/files/temporary_directory.hpp"

namespace onmanifold {

/// What a command left behind.
struct CommandResult {
  int exit_code = -1;  ///< -1: ended by a signal
  std::string out;
  std::string err;
};

/// Runs \p command through bash.
inline CommandResult run_command_line(const std::string& command) {
  const TemporaryDirectory scratch;
  const std::string script = scratch.file("script");
  std::ofstream(script) << command << "\n";
  const std::string line = "bash " + script + " >" + scratch.file("out") + " 2>" + scratch.file("err") + " </dev/null";
  const int status = std::system(line.c_str());
  CommandResult result;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  const auto slurp = [](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  };
  result.out = slurp(scratch.file("out"));
  result.err = slurp(scratch.file("err"));
  return result;
}

}  // namespace onmanifold
