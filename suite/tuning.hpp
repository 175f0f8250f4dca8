// SPDX-License-Identifier: Apache-2.0
#pragma once
// The same number of trials for every configuration: which learning rates are tried, how one of them is chosen, and
// what a suite takes from the outcome. The protocol stands in docs/tuning.md.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "suite/suite_spec.hpp"

namespace onmanifold {

/// Master seed of all trials. No suite may have it: what is chosen on these streams is judged on others.
inline constexpr std::uint64_t tuning_seed = 777;
inline constexpr int tuning_replicates = 3;
inline constexpr std::array<double, 6> tuning_rates = {5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2};

/// What came of one learning rate.
struct RateTrial {
  double rate = 0;
  std::vector<double> values;  ///< of the task's primary metric, of replicates that ended well
  int lost = 0;                ///< replicates that diverged, failed or have no finite value
};

/// The rule: the best mean; within one standard error of the best, the smaller rate. A rate that lost a replicate has
/// the worst mean there is. \return the index in \p trials, or nothing where every rate lost one. A standard error of
/// fewer than two replicates is 0. \throw InvalidInput for no trial.
[[nodiscard]] std::optional<std::size_t> choose_rate(const std::vector<RateTrial>& trials, Direction direction,
                                                     double target = 0);

/// The trials of \p suite as a suite of its own, "<name>-tuning", for run_suite: every learner that has a learning rate
/// and does not state it, with each of its lifts, once on the first of its tasks of every family, at the suite's sizes,
/// six rates of three replicates. A method's name there is "<method>.rate-<number of the rate>". Its metric is the
/// primary one of the task; a task of a data set is judged by its validation split, and the reference split is not in
/// it at all. Diagnostics are not asked. \throw InvalidInput if the suite has the seed of tuning, or nothing to tune.
[[nodiscard]] SuiteSpec tuning_suite(const SuiteSpec& suite);

/// Reads the trials of \p suite from \p directory, where tuning_suite(suite) ran, and chooses.
/// \throw InvalidInput naming the first cell that is missing.
[[nodiscard]] Tuning collect_tuning(const SuiteSpec& suite, const std::string& directory);

/// As TOML, with what was tried and what came out. read_tuning gives the same back.
[[nodiscard]] std::string tuning_text(const Tuning& tuning);

}  // namespace onmanifold
