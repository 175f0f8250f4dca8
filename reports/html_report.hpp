// SPDX-License-Identifier: Apache-2.0
#pragma once
// One self-contained HTML page: tables, pictures, figures, provenance, and the numbers as CSV. Nothing is
// loaded from the network (a content security policy in the page forbids it); without JavaScript the turning
// of the three-dimensional views is missing, and sorting and filtering of the tables.

#include <string>
#include <vector>

#include "reports/reporter.hpp"

namespace onmanifold {

/// Reads the samples of one cell an arm for the pictures and the training curves of its first 30. Pictures
/// show at most 2,000 points an arm and fewer when there are many arms, so that the page of a suite like
/// `quick` stays below 5 MB. What cannot be drawn is said in the page.
[[nodiscard]] std::string html_report(const Report& report);

class HtmlReporter final : public Reporter {
 public:
  [[nodiscard]] std::vector<std::string> write(const Report& report, const std::string& directory) const override;
};

}  // namespace onmanifold
