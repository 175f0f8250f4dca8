// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a task file says of how the learning rates of its suite were chosen.

#include <optional>
#include <string>
#include <vector>

#include "core/value.hpp"

namespace onmanifold {

/// The trials of one method with one lift.
struct TuningCurve {
  std::string method;
  std::string lift;
  std::string task;           ///< of the family, the one that was tried
  double rate = 0;            ///< chosen; NaN: every rate lost a replicate
  std::vector<double> mean;   ///< by rate; NaN where no replicate ended well
  std::vector<double> error;  ///< standard error of the mean; NaN where it has none
};

struct TuningRecord {
  int trials = 0;
  int replicates = 0;
  std::string metric;  ///< of the curves; empty without any
  std::vector<double> rates;
  std::vector<TuningCurve> curves;
  /// "tuned: 6 trials × 3 seeds each"
  [[nodiscard]] std::string text() const;
};

/// Of a task file's details; nothing where its suite was not tuned. Lists of another length than the rates are left
/// out.
[[nodiscard]] std::optional<TuningRecord> tuning_record(const Value& details);

}  // namespace onmanifold
