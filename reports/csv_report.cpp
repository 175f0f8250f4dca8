// SPDX-License-Identifier: Apache-2.0
#include "reports/csv_report.hpp"

#include <fmt/format.h>

#include "reports/text_format.hpp"

namespace onmanifold {

std::string csv_report(const ResultSet& results) {
  std::string text =
      "task,task_version,method,lift,seed,samples,metric,value,target,null,null_sd,se,unit,direction,version,"
      "parameters,n_reference,n_samples,n_nonfinite,status\n";
  for (const TaskResult& task : results.tasks) {
    const std::string version = task.file ? fmt::format("{}", task.file->version) : "";
    for (const CellResult& cell : task.cells) {
      const std::string key = fmt::format("{},{},{},{},{}", csv_field(cell.key.task), version,
                                          csv_field(cell.key.method), csv_field(cell.key.lift), cell.key.seed);
      if (!cell.problem.empty()) {
        text += fmt::format("{},,,nan,nan,nan,nan,nan,,,,,,,,{}\n", key, csv_field(plain_text(cell.problem)));
        continue;
      }
      for (const SampleKind samples : {SampleKind::raw, SampleKind::projected}) {
        for (const MetricRecord& record : samples == SampleKind::raw ? cell.raw : cell.projected) {
          text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", key, name_of(samples),
                              csv_field(record.name), round_trip(record.value), round_trip(record.target),
                              round_trip(record.null), round_trip(record.null_sd), round_trip(record.se),
                              csv_field(record.unit), csv_field(direction_text(record.direction)), record.version,
                              csv_field(record.parameters), record.n_reference, record.n_samples, record.n_nonfinite,
                              csv_field(record.status.text()));
        }
      }
    }
  }
  return text;
}

std::vector<std::string> CsvReporter::write(const Report& report, const std::string& directory) const {
  return {write_report_file(directory, "csv", csv_report(*report.analysis.results))};
}

}  // namespace onmanifold
