// SPDX-License-Identifier: Apache-2.0
#pragma once
// Results with the analysis and the report that point at them.

#include <utility>

#include "reports/reporter.hpp"

namespace onmanifold {

struct MadeReport {
  explicit MadeReport(ResultSet of) : results(std::move(of)), analysis(analyse(results)), report(analysis) {}
  explicit MadeReport(TaskResult task) : MadeReport(ResultSet{.directory = "", .tasks = {std::move(task)}}) {}
  MadeReport(const MadeReport&) = delete;
  MadeReport& operator=(const MadeReport&) = delete;
  ~MadeReport() = default;

  ResultSet results;
  Analysis analysis;
  Report report;
};

}  // namespace onmanifold
