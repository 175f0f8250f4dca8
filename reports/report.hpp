// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reports as files: a pure function of a results directory.

#include <map>
#include <string>
#include <vector>

#include "results/result_set.hpp"

namespace onmanifold {

struct ReportOptions {
  std::vector<std::string> formats = {"html"};                  ///< of report_formats()
  std::map<std::string, std::string> metric_descriptions = {};  ///< one line by name, for the definitions of a page
};

/// "html", "md", "csv", "tex", "figures".
[[nodiscard]] const std::vector<std::string>& report_formats();

/// \throw InvalidInput on an unknown format, listing the known ones.
void check_report_formats(const std::vector<std::string>& formats);

/// Writes report.<format> for each of the formats into \p out_directory, which is made if it is missing, each
/// file complete or absent, and returns their paths; "tex" also writes tables/<name>.tex, one file a table, and
/// "figures" all figures into the folder figures/, for which the folder is returned.
/// \throw InvalidInput on an unknown format (listing the known ones) before anything is written, or if \p
/// directory is missing or empty; IoError if a file cannot be written.
std::vector<std::string> write_reports(const ResultSet& results, const std::string& out_directory,
                                       const ReportOptions& options = {});
std::vector<std::string> write_reports(const std::string& directory, const std::string& out_directory,
                                       const std::vector<std::string>& formats);

}  // namespace onmanifold
