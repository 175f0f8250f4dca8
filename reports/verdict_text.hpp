// SPDX-License-Identifier: Apache-2.0
#pragma once
// The verdict of an analysis in words: one sentence that answers, how far it is decided, and what else a reader asks
// first.

#include <string>
#include <vector>

#include "reports/analysis.hpp"

namespace onmanifold {

struct VerdictText {
  std::string headline;           ///< one sentence; empty where there is nothing to rank
  bool decided = false;           ///< the headline states something that the replicates decide
  std::string trust;              ///< "decided at 95 %, 5 seeds", "not conclusive: a demonstration, 3 seeds"
  std::vector<std::string> more;  ///< who is best, and what a perfect model would get
};
[[nodiscard]] VerdictText verdict_text(const Analysis& analysis);

/// The same as lines of text.
[[nodiscard]] std::vector<std::string> verdict_lines(const Analysis& analysis);

}  // namespace onmanifold
