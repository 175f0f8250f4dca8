// SPDX-License-Identifier: Apache-2.0
#include "reports/published.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace onmanifold {
namespace {

/// A method of a paper and the type of ours that is the same one.
struct SameMethod {
  std::string_view published;
  std::string_view type;
};
constexpr std::array<SameMethod, 1> same_methods = {{{"RSGM", "rsgm"}}};

/// The measure of published numbers of one metric on the tasks whose names begin alike.
struct Protocol {
  std::string_view task;
  std::string_view metric;
  double shift;              // theirs = ours - shift
  double law_spread;         // of the floor over draws of the law; 0 where the data are the same
  std::string_view measure;  // that the records of ours must have
};
constexpr std::array<Protocol, 2> protocols = {{
    // With respect to rotation vectors: 1.5 log 2 below the volume of SO(3) in R^9.
    {"so3-mixture", "nll", 1.0397207708399179, 0.04, "volume of the manifold"},
    {"earth-", "nll", 0, 0, "volume of the manifold"},
}};

// All records of the arm have the measure.
bool has_measure(const TaskResult& task, const Arm& arm, const Protocol& protocol) {
  for (const CellResult& cell : task.cells) {
    if (cell.key.method != arm.method || cell.key.lift != arm.lift) continue;
    for (const MetricRecord& record : cell.raw) {
      if (record.name == protocol.metric && record.parameters.find(protocol.measure) == std::string::npos) return false;
    }
  }
  return true;
}

}  // namespace

std::vector<PublishedComparison> compare_published(const ResultSet& results,
                                                   const std::vector<TaskSummary>& summaries) {
  std::vector<PublishedComparison> comparisons;
  for (std::size_t t = 0; t < results.tasks.size(); ++t) {
    const TaskResult& task = results.tasks[t];
    const TaskSummary& summary = summaries[t];
    const Value* rows = task.file ? find_value(task.file->details, "published") : nullptr;
    const auto* array = rows == nullptr ? nullptr : rows->get_if<Value::Array>();
    if (array == nullptr) continue;
    for (const Value& row : *array) {
      const std::string name = find_text(row, "method");
      const std::string metric = find_text(row, "metric");
      const auto same = std::find_if(same_methods.begin(), same_methods.end(),
                                     [&](const SameMethod& m) { return m.published == name; });
      const auto protocol = std::find_if(protocols.begin(), protocols.end(), [&](const Protocol& p) {
        return task.name.starts_with(p.task) && p.metric == metric;
      });
      const int column = summary.column(metric, SampleKind::raw);
      if (same == same_methods.end() || protocol == protocols.end() || column < 0) continue;
      for (std::size_t a = 0; a < summary.arms.size(); ++a) {
        const Arm& arm = summary.arms[a];
        const Summary& entry = summary.table[a][static_cast<std::size_t>(column)];
        // Their data are not lifted.
        if (arm.type != same->type || arm.lift != "none" || entry.n_failed > 0 || !std::isfinite(entry.mean)) continue;
        if (!has_measure(task, arm, *protocol)) continue;
        PublishedComparison one;
        one.task = task.name;
        one.metric = metric;
        one.published_method = name;
        one.source = find_text(row, "source");
        one.published = find_number(row, "value");
        one.published_spread = std::max(0.0, find_number(row, "spread"));
        one.method = arm.method;
        one.lift = arm.lift;
        one.n = static_cast<int>(entry.values.size());
        one.shift = protocol->shift;
        one.ours = entry.mean - protocol->shift;
        one.sd = entry.sd;
        one.difference = one.ours - one.published;
        const double own = std::isfinite(entry.sd)               ? entry.sd
                           : std::isfinite(entry.standard_error) ? entry.standard_error
                                                                 : 0.0;
        one.tolerance = 2 * std::hypot(one.published_spread, own, protocol->law_spread);
        one.within = std::abs(one.difference) <= one.tolerance;
        one.note = find_text(task.file->details, "published_note");
        if (std::isfinite(one.published)) comparisons.push_back(std::move(one));
      }
    }
  }
  return comparisons;
}

std::optional<Table> make_published_table(const std::vector<PublishedComparison>& comparisons) {
  if (comparisons.empty()) return std::nullopt;
  Table table;
  table.title = "Published and ours";
  table.description =
      "The same method under a protocol of our own (network, budget, split); numbers in the measure of the paper.";
  table.row_header = "Task";
  table.lift_header = "Metric";
  table.equal_seeds = false;
  for (const char* name : {"method", "published", "ours †", "difference", "tolerance", "within"}) {
    TableColumn column;
    column.metric = name;
    table.columns.push_back(column);
  }
  const auto text = [](std::string words) {
    TableCell cell;
    cell.text.value = std::move(words);
    return cell;
  };
  std::vector<std::string> notes;
  for (const PublishedComparison& one : comparisons) {
    TableRow row;
    row.method = plain_text(one.task);
    row.lift = plain_text(one.metric);
    row.seeds = fmt::format("{}", one.n);
    row.cells.push_back(text(plain_text(fmt::format("{} ({})", one.published_method, one.source))));
    // The digits of the paper, not those of a rule for ours.
    TableCell published = text(fmt::format("{:.4g}", one.published));
    if (one.published_spread > 0) published.text.spread = fmt::format("{:.2g}", one.published_spread);
    row.cells.push_back(std::move(published));
    TableCell ours;
    ours.text = format_measured(one.ours, one.sd);
    ours.detail = arm_label(one.method, one.lift);
    row.cells.push_back(std::move(ours));
    row.cells.push_back(text(fmt::format("{:+.2g}", one.difference)));
    row.cells.push_back(text(fmt::format("{:.2g}", one.tolerance)));
    row.cells.push_back(text(one.within ? "yes" : "no"));
    table.rows.push_back(std::move(row));
    const std::string shift =
        one.shift == 0 ? "" : fmt::format("ours is {:.4f} lower here than in the task's table", one.shift);
    const std::string joined = one.note + (one.note.empty() || shift.empty() ? "" : "; ") + shift;
    const std::string note = joined.empty() ? "" : plain_text(fmt::format("† {}: {}", one.task, joined));
    if (!note.empty() && std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
  }
  table.footnotes.push_back(
      "ours: mean ± standard deviation over seeds; tolerance: two standard deviations of the difference of "
      "one run of theirs and "
      "one of ours, with the spread of the floor where their law is another draw");
  table.footnotes.insert(table.footnotes.end(), notes.begin(), notes.end());
  return table;
}

}  // namespace onmanifold
