// SPDX-License-Identifier: Apache-2.0
#pragma once
// The length c below which niso and tango treat normal directions apart.

#include <string>

#include "core/error.hpp"
#include "models/diffusion/diffusion_objective.hpp"

namespace onmanifold {

/// \p c in data units, or the pre-registered lift of the task for c = 0, in standardised units. \throw InvalidInput
/// Unsupported if neither is given.
[[nodiscard]] inline double standardised_thickness(const DiffusionFrame& frame, double c, const std::string& method) {
  const double length = c > 0 ? c : frame.lift_scale;
  if (!(length > 0)) {
    throw Unsupported(method + " needs c > 0 on a task without a pre-registered lift");
  }
  return length / frame.standardisation.scale;
}

}  // namespace onmanifold
