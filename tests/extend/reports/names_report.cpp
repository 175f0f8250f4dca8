// SPDX-License-Identifier: Apache-2.0
#include "reports/names_report.hpp"

namespace onmanifold {

std::vector<std::string> NamesReporter::write(const Report& report, const std::string& directory) const {
  std::string text;
  for (const TaskAnalysis& task : report.analysis.tasks) {
    for (const Arm& arm : task.summary.arms) {
      text += task.result->name + ": " + arm.method + " / " + arm.lift + "\n";
    }
  }
  return {write_report_file(directory, "names", text)};
}

}  // namespace onmanifold
