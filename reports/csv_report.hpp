// SPDX-License-Identifier: Apache-2.0
#pragma once
// All numbers as long-form CSV (RFC 4180, line feeds): one row per task, method, lift, seed, samples and
// metric.

#include <string>
#include <vector>

#include "reports/reporter.hpp"
#include "results/result_set.hpp"

namespace onmanifold {

/// Doubles read back exactly; unknown ones are "nan". A cell without result is one row with empty samples and
/// metric whose status says why.
[[nodiscard]] std::string csv_report(const ResultSet& results);

class CsvReporter final : public Reporter {
 public:
  [[nodiscard]] std::vector<std::string> write(const Report& report, const std::string& directory) const override;
};

}  // namespace onmanifold
