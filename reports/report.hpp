// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reports as files: a pure function of a results directory.

#include <map>
#include <string>
#include <vector>

#include "reports/reporter.hpp"

namespace onmanifold {

/// \throw InvalidInput on an unknown format, listing the known ones.
void check_report_formats(const std::vector<std::string>& formats);

/// Writes each of the formats into \p directory, which is made if it is missing, and returns what they name: a file
/// each ("tex" also writes tables/<name>.tex), for "figures" their folder. \throw InvalidInput on an unknown format
/// (listing the known ones) before anything is written; IoError if a file cannot be written.
std::vector<std::string> write_reports(const Report& report, const std::string& directory,
                                       const std::vector<std::string>& formats);

}  // namespace onmanifold
