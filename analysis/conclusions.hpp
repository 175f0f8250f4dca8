// SPDX-License-Identifier: Apache-2.0
#pragma once
// What these seeds and sizes allow to conclude.

#include <limits>

#include "results/result_set.hpp"

namespace onmanifold {

/// Seeds and samples that a conclusion needs: ≥ 5 seeds for a comparison, ≥ 10 for a verdict; with exact
/// masses a total variation of .02 stands clear of its floor at 1e5 samples.
inline constexpr int seeds_for_comparison = 5;
inline constexpr int seeds_for_verdict = 10;
inline constexpr int samples_for_verdict = 100000;

struct Conclusions {
  int seeds = 0;  ///< the least that any arm has: a comparison is as good as its weakest arm
  double samples = std::numeric_limits<double>::quiet_NaN();  ///< the least of any metric; NaN without metrics
  bool comparison = false;
  bool verdict = false;
};
[[nodiscard]] Conclusions conclude(const ResultSet& results);

/// The suite of the results, as the first task file says; without a name where none does.
[[nodiscard]] SuiteInfo suite_of(const ResultSet& results);

}  // namespace onmanifold
