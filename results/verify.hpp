// SPDX-License-Identifier: Apache-2.0
#pragma once
// Is a results directory whole? Schema, checksums, the tie between a metrics file and its raw file,
// completeness.

#include <string>
#include <vector>

#include "core/points.hpp"

namespace onmanifold {

/// What verify_directory() found.
struct Verification {
  Index cells = 0;   ///< raw files
  Index failed = 0;  ///< of these, with a status other than "ok"; not a problem of the directory
  Index metrics_files = 0;
  Index task_files = 0;
  std::vector<std::string> notes;     ///< one line each: what is no fault of the results
  std::vector<std::string> problems;  ///< one line each, "<path>: <what is wrong>", in the order of the paths
};

/// Reads every results file below \p directory in full. Problems are: a file that cannot be read, is of
/// another schema or kind, or does not match its own digest (any changed byte); samples that do not match the
/// digest beside them; a metrics file that was computed from other samples or has no raw file; an "ok" cell
/// without metrics; a task of cells without task.h5; a cell that a run was asked for and that is not there; nothing at
/// all. Notes are a temporary file whose writer is gone, which the next run removes, and cells of which nothing says
/// whether they are all: of a directory of an early version. \throw InvalidInput if the directory is missing, IoError
/// if it cannot be listed. Cost: one read and two hashes of every file.
[[nodiscard]] Verification verify_directory(const std::string& directory);

}  // namespace onmanifold
