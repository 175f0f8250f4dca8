// SPDX-License-Identifier: Apache-2.0
#pragma once
// A small set of results in memory with everything that reports have to show: two tasks, arms of every role,
// a failed cell, an arm that misses a task, a diagnostic, published numbers, and text that every format must
// escape.

#include "results/result_set.hpp"

namespace onmanifold {

/// The same numbers on every machine: plain decimals, no random draws.
[[nodiscard]] ResultSet report_fixture();

}  // namespace onmanifold
