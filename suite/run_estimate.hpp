// SPDX-License-Identifier: Apache-2.0
#pragma once
// How long a run will take and how much it will write, from what finished cells of the same arms took: those in the
// results directory, and the record that is shipped with a suite.

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "suite/suite_spec.hpp"

namespace onmanifold {

/// What a cell of one arm costs, a mean over the cells seen.
struct CellCost {
  double seconds = 0;  ///< CPU time, of which a worker on a core of its own has one a second
  double bytes = 0;    ///< of both files
  double probe = 0;    ///< speed_probe_seconds() of the machine at that time; 0: unknown
  Index cells = 0;     ///< cells seen
};
/// By task, method and lift.
using CostTable = std::map<std::tuple<std::string, std::string, std::string>, CellCost>;

/// The costs of the finished cells of a directory. Empty if there is no directory; files that cannot be read and cells
/// that did not end well are passed over. Reads heads only.
[[nodiscard]] CostTable measured_costs(const std::string& directory);

/// CSV with the columns task, method, lift, seconds, bytes, probe, cells; complete or absent.
void write_costs(const std::string& path, const CostTable& costs);
/// \throw InvalidInput with file and line, IoError if it cannot be read.
[[nodiscard]] CostTable read_costs(const std::string& path);
/// The record beside a suite file, "<name>.costs.csv" for "<name>.toml"; empty if there is none.
[[nodiscard]] CostTable shipped_costs(const std::string& suite_file);

struct RunEstimate {
  Index cells = 0;     ///< to be computed
  Index unknown = 0;   ///< of these, without a finished cell of their task and method: not in the sums
  Index borrowed = 0;  ///< of these, with the cost of another lift of their task and method
  double wall_seconds = 0;
  double worker_seconds = 0;
  double bytes = 0;
};

/// The cells in order, each given to the first of \p workers that is free. \p measured goes before \p shipped; times
/// are scaled by \p probe, the speed of this machine, over that of the machine of the record (0: not scaled).
[[nodiscard]] RunEstimate estimate_run(const std::vector<Cell>& todo, int workers, const CostTable& measured,
                                       const CostTable& shipped, double probe);

}  // namespace onmanifold
