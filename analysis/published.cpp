// SPDX-License-Identifier: Apache-2.0
#include "analysis/published.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/call_count.hpp"

namespace onmanifold {
namespace {

/// A method of a paper and the type of ours that is the same one.
struct SameMethod {
  std::string_view published;
  std::string_view type;
};
constexpr std::array<SameMethod, 2> same_methods = {{{"RSGM", "rsgm"}, {"RFM", "riemannian_flow_matching"}}};

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

}  // namespace

std::vector<PublishedComparison> compare_published(const ResultSet& results,
                                                   const std::vector<TaskSummary>& summaries) {
  count_call("compare_published");
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
      if (same == same_methods.end() || protocol == protocols.end()) continue;
      const int column = summary.column(metric, SampleKind::raw, std::string(protocol->measure));
      if (column < 0) continue;
      for (std::size_t a = 0; a < summary.arms.size(); ++a) {
        const Arm& arm = summary.arms[a];
        const Summary& entry = summary.table[a][static_cast<std::size_t>(column)];
        // Their data are not lifted.
        if (arm.type != same->type || arm.lifted() || entry.n_failed > 0 || !std::isfinite(entry.mean)) continue;
        PublishedComparison one;
        one.task = task.name;
        one.metric = metric;
        one.published_method = name;
        one.source = find_text(row, "source");
        one.verified = find_flag(row, "verified", true);
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
        if (find_flag(task.file->details, "published_comparable", true)) {
          one.within = std::abs(one.difference) <= one.tolerance;
        }
        one.note = find_text(task.file->details, "published_note");
        if (std::isfinite(one.published)) comparisons.push_back(std::move(one));
      }
    }
  }
  return comparisons;
}

}  // namespace onmanifold
