// SPDX-License-Identifier: Apache-2.0
#pragma once
// Every figure as files, SVG, PDF and PNG.

#include <string>
#include <vector>

#include "reports/figure.hpp"
#include "reports/reporter.hpp"

namespace onmanifold {

/// The ranking and the lifts, those of all tasks, the claims. \p problems: curves that cannot be read, one line each.
[[nodiscard]] std::vector<Figure> all_figures(const Analysis& analysis, std::vector<std::string>& problems);

/// Into the folder figures/, which is returned.
class FigureReporter final : public Reporter {
 public:
  [[nodiscard]] std::vector<std::string> write(const Report& report, const std::string& directory) const override;
};

}  // namespace onmanifold
