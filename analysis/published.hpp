// SPDX-License-Identifier: Apache-2.0
#pragma once
// Published | ours ± sd (n seeds) | difference | within tolerance. The published numbers are those that a
// task carries in its file, with their source; here is which method of ours is the same one, and in what
// their measure differs.

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "analysis/summary.hpp"

namespace onmanifold {

/// One published number beside ours, in the measure of the paper.
struct PublishedComparison {
  std::string task;
  std::string metric;
  std::string published_method;  ///< name of the paper
  std::string source;            ///< key of docs/bibliography.bib
  bool verified = true;          ///< read in that paper; false: in a secondary text
  double published = std::numeric_limits<double>::quiet_NaN();
  double published_spread = 0;  ///< the ± of the paper; 0: none given
  std::string method;           ///< our arm
  std::string lift;
  int n = 0;                                               ///< seeds
  double ours = std::numeric_limits<double>::quiet_NaN();  ///< mean over seeds
  double sd = std::numeric_limits<double>::quiet_NaN();    ///< over seeds; NaN for one
  double shift = 0;  ///< subtracted from our values to get the measure of the paper
  double difference = std::numeric_limits<double>::quiet_NaN();  ///< ours - published
  /// 2 √(spread² + sd² + law²): two deviations of one run of theirs and one of ours, with the spread of the
  /// floor where their law is another draw than ours. Where there is one seed, its evaluation error is for
  /// sd.
  double tolerance = std::numeric_limits<double>::quiet_NaN();
  std::optional<bool> within;  ///< nothing where their data are so different that agreement would say nothing
  std::string note;            ///< in what the protocols differ
};

/// Every published number of the tasks' files of which the same method is in the results, with values of the
/// same measure in every cell. By task, in the order of the file. Never throws on missing, failed or NaN
/// data.
[[nodiscard]] std::vector<PublishedComparison> compare_published(const ResultSet& results,
                                                                 const std::vector<TaskSummary>& summaries);

}  // namespace onmanifold
