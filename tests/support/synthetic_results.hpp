// SPDX-License-Identifier: Apache-2.0
#pragma once
// A results directory made up for tests of reports: three small tasks (plane, sphere, torus mesh) with nine
// arms. The samples lie where they should; the metrics are invented numbers, not computed from them.

#include <string>

#include "results/cell_files.hpp"

namespace onmanifold {

struct SyntheticResults {
  int seeds = 3;
  Index samples = 200;  ///< points a cell
  Index reference = 200;
  int mesh_resolution = 24;     ///< torus of 2·resolution² faces
  bool failed_cell = true;      ///< sphere/ddpm/none/seed-1 diverged, with a message that needs escaping
  bool missing_metrics = true;  ///< mesh/ddpm/isotropic-0.1/seed-2 has samples only
};

/// Tasks "synthetic-mesh", "synthetic-plane", "synthetic-sphere".
void write_synthetic_results(const std::string& directory, const SyntheticResults& options = {});

/// The message of the failed cell.
inline constexpr const char* synthetic_failure = "loss is not finite at step 120 <script>alert(\"a|b\")</script>";

}  // namespace onmanifold
