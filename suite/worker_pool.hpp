// SPDX-License-Identifier: Apache-2.0
#pragma once
// Persistent worker processes (design, decision 8). The parent stays single-threaded and must not have
// entered OpenMP, TBB, oneDNN or Embree before the fork. A job that throws, aborts, is killed or runs out of
// memory or time becomes a recorded failure; its worker is replaced and the rest goes on. Workers die with
// their parent.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/points.hpp"

namespace onmanifold {

struct WorkerPoolOptions {
  int workers = 1;               ///< number of processes, >= 1
  std::size_t memory_bytes = 0;  ///< limit of each worker's data segment (RLIMIT_DATA); 0: none
  double timeout_s = 0;          ///< limit of one job; 0: none
  /// Jobs of one group share a limit on how many run at once; -1, or none given: no limit. By job: its group.
  std::vector<int> groups = {};
  std::vector<int> most_at_once = {};  ///< by group, >= 1
};

/// How a job ended.
struct JobOutcome {
  enum class Kind { finished, exception, crashed, timeout };
  Index job = 0;
  Kind kind = Kind::finished;
  std::string message;  ///< the job's return value if finished; else one line: what(), the signal's name, …
  double seconds = 0;   ///< wall time
};

/// Runs \p jobs jobs, handed out in the order 0 … jobs-1 (those of a full group later), on worker processes, also if
/// there is only one. \p work runs in a worker and may return a short text; \p done runs in the parent after every job,
/// in the order of the answers, and may return false to stop handing out new ones (jobs under way are still answered
/// and reported).
///
/// A worker is a process group of its own, with one thread for BLAS and OpenMP. It serves job after job until
/// one fails; then it is replaced. Peak overhead per job: two short messages over a socket.
///
/// A SIGINT or SIGTERM to the parent kills the workers and what they have started, without reports, and
/// returns; temporary files that they leave are found by remove_stale_temporaries(). An exception of \p done
/// does the same and goes on to the caller. \throw InvalidInput on nonsensical options, IoError if no process
/// can be made. \return true if every job was handed out and answered.
bool run_jobs(Index jobs, const WorkerPoolOptions& options, const std::function<std::string(Index)>& work,
              const std::function<bool(const JobOutcome&)>& done);

}  // namespace onmanifold
