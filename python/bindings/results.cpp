// SPDX-License-Identifier: Apache-2.0
// Results directories: their numbers as columns, comparisons, and suites that are run.
#include <fmt/format.h>

#include "analysis/summary.hpp"
#include "core/error.hpp"
#include "python/bindings/parts.hpp"
#include "reports/compare.hpp"
#include "results/result_set.hpp"
#include "suite/scheduler.hpp"

namespace onmanifold::python {
namespace {

/// Rows as columns: what a data frame is made of.
class Columns {
 public:
  /// The next value of a column; the columns of a row are those of every row.
  template <class Value>
  void add(const char* column, const Value& value) {
    if (!columns_.contains(column)) columns_[column] = py::list();
    columns_[column].cast<py::list>().append(value);
  }
  [[nodiscard]] const py::dict& get() const { return columns_; }

 private:
  py::dict columns_;
};

py::object text_or_none(const std::string& text) {
  return text.empty() ? py::object(py::none()) : py::object(py::str(text));
}

void add_cell(const CellResult& cell, Columns& rows) {
  rows.add("task", cell.key.task);
  rows.add("method", cell.key.method);
  rows.add("lift", cell.key.lift);
  rows.add("seed", cell.key.seed);
  rows.add("lift_type", std::string(name_of(cell.head.method.lift)));
  rows.add("lift_sigma", find_number(cell.head.config, "lift.sigma"));
  rows.add("role", std::string(name_of(cell.head.method.info.role)));
  rows.add("place", std::string(name_of(cell.head.method.info.place)));
  rows.add("state", std::string(name_of(cell.head.status.state)));
}

void add_number(const MetricRecord& record, SampleKind samples, Columns& rows) {
  rows.add("samples", std::string(name_of(samples)));
  rows.add("metric", record.name);
  rows.add("value", record.value);
  rows.add("unit", record.unit);
  rows.add("direction", text_or_none(direction_text(record.direction)));
  rows.add("target", record.target);
  rows.add("null", record.null);
  rows.add("null_sd", record.null_sd);
  rows.add("se", record.se);
  rows.add("p", record.p_value);
  rows.add("n_samples", record.n_samples);
  rows.add("n_reference", record.n_reference);
  rows.add("n_nonfinite", record.n_nonfinite);
  rows.add("version", record.version);
  rows.add("parameters", record.parameters);
  rows.add("status", record.status.text());
}

/// (one row a number, one row a cell).
py::tuple load(const std::string& directory) {
  const ResultSet results = unlocked([&] { return load_results(directory); });
  Columns numbers;
  Columns cells;
  for (const TaskResult& task : results.tasks) {
    for (const CellResult& cell : task.cells) {
      add_cell(cell, cells);
      cells.add("message", cell.problem);
      const auto& timing = cell.head.timing;
      for (const char* stage : {"fit_s", "sample_s", "cpu_s", "peak_memory_bytes"}) {
        const auto found = timing.find(stage);
        cells.add(stage, found == timing.end() ? MetricRecord::unknown : found->second);
      }
      for (const SampleKind kind : {SampleKind::raw, SampleKind::projected}) {
        for (const MetricRecord& record : kind == SampleKind::raw ? cell.raw : cell.projected) {
          add_cell(cell, numbers);
          add_number(record, kind, numbers);
        }
      }
    }
  }
  return py::make_tuple(numbers.get(), cells.get());
}

py::dict compare(const std::string& baseline, const std::string& candidate, double alpha, bool time, bool exact,
                 bool allow_missing, const std::vector<std::string>& metrics) {
  const CompareOptions options{
      .alpha = alpha, .time = time, .exact = exact, .allow_missing = allow_missing, .gated = metrics};
  const Comparison result =
      unlocked([&] { return compare_results(load_results(baseline), load_results(candidate), options); });
  Columns rows;
  for (const Change& change : result.changes) {
    rows.add("task", change.task);
    rows.add("method", change.method);
    rows.add("lift", change.lift);
    rows.add("metric", change.metric);
    rows.add("samples", change.samples ? py::object(py::str(std::string(name_of(*change.samples)))) : py::none());
    rows.add("mark", std::string(name_of(change.mark)));
    rows.add("gated", change.gated);
    rows.add("baseline", change.base);
    rows.add("candidate", change.candidate);
    rows.add("worsening", change.worsening);
    rows.add("margin", change.margin);
    rows.add("p", change.p);
    rows.add("adjusted_p", change.adjusted_p);
    rows.add("unit", change.unit);
    rows.add("direction", text_or_none(direction_text(change.direction)));
    rows.add("test", change.test);
    rows.add("reason", change.reason);
  }
  py::dict dict;
  dict["changes"] = rows.get();
  dict["missing"] = result.missing;
  dict["added"] = result.added;
  dict["warnings"] = result.warnings;
  dict["compared"] = result.compared;
  dict["judged"] = result.judged;
  dict["regression"] = result.regression;
  dict["incomplete"] = result.incomplete();
  return dict;
}

}  // namespace

void add_results(py::module_& module) {
  module.def("load", load);
  module.def("compare", compare);
}

}  // namespace onmanifold::python
