// SPDX-License-Identifier: Apache-2.0
#pragma once
// One number of a metric with everything that is needed to read it: the record of /metrics/* and of score's JSON.

#include <cmath>
#include <limits>
#include <string>

#include "core/points.hpp"

namespace onmanifold {

/// Unknown numbers are NaN, never 0.
struct MetricRecord {
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

  std::string name;  ///< bare name, e.g. "tvd"; the settings are in parameters
  double value = unknown;
  double target = unknown;        ///< value of a perfect model, for direction "target"
  double null = unknown;          ///< expectation at these sizes when the model is perfect
  double null_sd = unknown;       ///< its standard deviation
  double se = unknown;            ///< evaluation spread of this one value
  double p_value = unknown;       ///< of the hypothesis that samples and reference have one law
  std::string unit;               ///< "" or e.g. "nats", "length"
  std::string direction;          ///< "lower", "higher" or "target"
  int version = 1;                ///< version of the metric's definition
  std::string parameters = "{}";  ///< JSON object with sorted keys
  Index n_reference = 0;          ///< 0: exact masses or no reference
  Index n_samples = 0;
  Index n_nonfinite = 0;      ///< columns left out because they are not finite
  std::string status = "ok";  ///< "ok", "at_floor", or "not_applicable: …", "failed: …"
};

}  // namespace onmanifold
