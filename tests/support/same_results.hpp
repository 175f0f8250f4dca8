// SPDX-License-Identifier: Apache-2.0
#pragma once
// Equality of results, bit for bit: what resume, shards and worker counts must not change.

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "results/cell_files.hpp"

namespace onmanifold {

inline bool same_bits(const double a, const double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

inline testing::AssertionResult same_points(const PointsRef& a, const PointsRef& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return testing::AssertionFailure() << "shapes differ";
  for (Index j = 0; j < a.cols(); ++j) {
    for (Index i = 0; i < a.rows(); ++i) {
      if (!same_bits(a(i, j), b(i, j))) {
        return testing::AssertionFailure() << fmt::format("({}, {}): {} and {}", i, j, a(i, j), b(i, j));
      }
    }
  }
  return testing::AssertionSuccess();
}

inline testing::AssertionResult same_records(const std::vector<MetricRecord>& a, const std::vector<MetricRecord>& b) {
  if (a.size() != b.size()) return testing::AssertionFailure() << "numbers of records differ";
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].status != b[i].status || a[i].parameters != b[i].parameters ||
        !same_bits(a[i].value, b[i].value) || !same_bits(a[i].null, b[i].null) ||
        !same_bits(a[i].null_sd, b[i].null_sd)) {
      return testing::AssertionFailure() << fmt::format("{}: {} and {}", a[i].name, a[i].value, b[i].value);
    }
  }
  return testing::AssertionSuccess();
}

/// Every cell of \p a is in \p b with equal /samples and /metrics, bit for bit, and the other way round.
inline testing::AssertionResult same_results(const std::string& a, const std::string& b) {
  const std::vector<CellKey> keys = find_cells(a);
  if (keys != find_cells(b)) return testing::AssertionFailure() << "the cells differ";
  if (keys.empty()) return testing::AssertionFailure() << "no cells";
  for (const CellKey& key : keys) {
    const RawCell x = read_raw_cell(key.raw_path(a));
    const RawCell y = read_raw_cell(key.raw_path(b));
    if (x.status.state != y.status.state) return testing::AssertionFailure() << key.text() << ": states differ";
    for (const auto& result : {same_points(x.raw, y.raw), same_points(x.projected, y.projected),
                               same_points(x.projection_distance, y.projection_distance)}) {
      if (!result) return testing::AssertionFailure() << key.text() << ": " << result.message();
    }
    if (x.status.state != CellState::ok) continue;
    const MetricsCell m = read_metrics_cell(key.metrics_path(a));
    const MetricsCell n = read_metrics_cell(key.metrics_path(b));
    for (const auto& result : {same_records(m.raw, n.raw), same_records(m.projected, n.projected)}) {
      if (!result) return testing::AssertionFailure() << key.text() << ": " << result.message();
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace onmanifold
