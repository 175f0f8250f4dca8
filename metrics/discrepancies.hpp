// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which metrics measure how far two laws are apart.

#include <set>
#include <string>

namespace onmanifold {

/// Names of the metrics that are least, in expectation over independent samples, where samples and reference have one
/// law, so that no model is far better than the truth. Others have their best values elsewhere: fewer modes raise
/// precision, wider tails coverage.
[[nodiscard]] const std::set<std::string>& discrepancies();

}  // namespace onmanifold
