// SPDX-License-Identifier: Apache-2.0
#pragma once
// The file that `onmanifold tune` writes and that a suite names as `tuned`.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "contracts/unit_info.hpp"
#include "core/value.hpp"

namespace onmanifold {

/// What was tried for one method with one lift on one family of tasks.
struct TunedConfiguration {
  std::string method;
  std::string lift;
  std::string family;
  std::string task;                     ///< the one of the family that was tried
  std::optional<double> learning_rate;  ///< nothing where every rate lost a replicate
  std::string metric;
  Direction direction = Direction::lower;  ///< not in the file
  double target = 0;                       ///< for Direction::target; not in the file
  std::vector<double> mean;                ///< over the replicates that ended well, by rate; NaN: none did
  std::vector<double> error;               ///< standard error of the mean; NaN with fewer than two
  std::vector<int> lost;                   ///< replicates that diverged, failed or have no finite value
  std::string settings;                    ///< digest of the method's other settings
};

struct Tuning {
  std::string suite;
  std::uint64_t seed = 0;
  int replicates = 0;
  std::vector<double> rates;
  std::vector<TunedConfiguration> configurations;

  /// Null where there is none.
  [[nodiscard]] const TunedConfiguration* find(const std::string& method, const std::string& lift,
                                               const std::string& family) const;
  /// What task files keep of it, for reports: trials, replicates, learning_rates, and the configurations of \p family.
  [[nodiscard]] Value record(const std::string& family) const;
};

/// \throw InvalidInput naming file, line and key.
[[nodiscard]] Tuning read_tuning(const std::string& path);
/// The same of a parsed table; \p where names the source.
[[nodiscard]] Tuning parse_tuning(const Value& table, const std::string& where);

}  // namespace onmanifold
