// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "reports/reporter.hpp"

namespace onmanifold {

/// The tasks and their arms, one a line, as report.names.
class NamesReporter final : public Reporter {
 public:
  [[nodiscard]] std::vector<std::string> write(const Report& report, const std::string& directory) const override;
};

}  // namespace onmanifold
