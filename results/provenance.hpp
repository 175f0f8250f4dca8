// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a number comes from: code, build, libraries, machine, command, time.

#include <string>
#include <vector>

#include "core/value.hpp"

namespace onmanifold {

/// Version of the program, e.g. "0.1.0".
[[nodiscard]] std::string version();

/// A table: version, git commit and dirty flag, compiler, flags, build type, instruction set, library
/// versions, CPU model, cores, memory, OS, load, command line, UTC time. Nothing here enters a hash. What
/// cannot be found out is left out; nothing throws.
[[nodiscard]] Value provenance(const std::vector<std::string>& command_line);

/// Peak resident memory of this process, in bytes, since it began or since the last reset_peak_memory().
[[nodiscard]] double peak_memory_bytes();
/// Lets the peak start anew at what is resident now: for the next job of a worker. Does nothing where Linux
/// refuses.
void reset_peak_memory();
/// CPU seconds that a fixed piece of work takes now, best of three: tells a slow machine from a slow program. About 6
/// ms.
[[nodiscard]] double speed_probe_seconds();
/// CPU seconds so far of this process and of the children it has waited for.
[[nodiscard]] double cpu_seconds();

}  // namespace onmanifold
