// SPDX-License-Identifier: Apache-2.0
#pragma once
// A program of somebody else, with everything that it starts and a folder for its files, owned as one thing.

#include <string>
#include <vector>

#include <sys/types.h>

namespace onmanifold {

struct ProgramRequest {
  std::vector<std::string> arguments;  ///< the program, looked up in PATH, and its arguments
  std::string directory;               ///< made for the run, gone after it; must not exist
  double timeout_s = 600;              ///< from the start of the program
  double memory_bytes = 0;             ///< limit of each process's data segment; 0: as this process
  int threads = 1;                     ///< told to OpenMP and BLAS
};

struct ProgramEnd {
  bool timed_out = false;
  int status = 0;      ///< as waitpid gives it
  std::string output;  ///< standard output and error: the first 16 and the last 64 KiB
};

/// A name for ProgramRequest::directory that nobody has, under $TMPDIR or /tmp. \throw IoError if there is no such
/// place.
[[nodiscard]] std::string unused_directory_name();

/// Between this process and the program stands a small supervisor, a forked process in a session of its own, which
/// adopts whatever the program leaves behind (PR_SET_CHILD_SUBREAPER; found through /proc, so that setsid, ignored
/// signals and double forks hide nothing). When the program ends, its time is over, or this process is gone, by
/// whatever signal, the supervisor kills the whole tree and removes the folder.
class SupervisedProgram {
 public:
  /// Starts the supervisor, which makes the folder. \throw IoError naming the folder.
  explicit SupervisedProgram(const ProgramRequest& request);
  /// Ends what still runs, and waits until the folder is gone.
  ~SupervisedProgram();
  SupervisedProgram(const SupervisedProgram&) = delete;
  SupervisedProgram& operator=(const SupervisedProgram&) = delete;

  /// Runs the program, once. No process of it is left afterwards; the folder is. \throw IoError if the supervisor was
  /// killed or cannot make a process.
  [[nodiscard]] ProgramEnd run();

 private:
  pid_t supervisor_ = -1;
  int channel_ = -1;
};

}  // namespace onmanifold
