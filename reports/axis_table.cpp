// SPDX-License-Identifier: Apache-2.0
#include "reports/axis_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace onmanifold {
namespace {

/// A method that knows of the manifold: where it uses that, and the blind method it varies.
struct Variation {
  std::string_view type;
  std::string_view place;
  std::string_view base;
};
constexpr std::array<Variation, 10> variations = {{{"niso", "noise", "ddpm"},
                                                   {"tango", "loss", "ddpm"},
                                                   {"pidm", "penalty", "ddpm"},
                                                   {"mad", "target", "ddpm"},
                                                   {"pdm", "sampling", "ddpm"},
                                                   {"rsgm", "intrinsic", "ddpm"},
                                                   {"riemannian_flow_matching", "intrinsic", "flow_matching"},
                                                   {"autoencoder_ddpm", "two steps", "ddpm"},
                                                   {"vae_ddpm", "two steps", "vae"},
                                                   {"vae_flow", "two steps", "spline_flow"}}};
constexpr std::array<std::string_view, 9> places = {"nowhere", "data",     "noise",     "loss",     "penalty",
                                                    "target",  "sampling", "intrinsic", "two steps"};

const Variation* variation_of(const std::string& type) {
  const auto found =
      std::find_if(variations.begin(), variations.end(), [&](const Variation& v) { return v.type == type; });
  return found == variations.end() ? nullptr : &*found;
}

/// A column: place, and what tells it from others of its place. Ordered as it is shown.
struct Position {
  std::size_t place = 0;
  bool isotropic = false;  ///< the control stands behind what it controls for
  double sigma = 0;
  std::string variant;
  friend auto operator<=>(const Position&, const Position&) = default;
};

Position position_of(const Arm& arm) {
  const Variation* const variation = variation_of(arm.type);
  const std::string_view place = variation != nullptr ? variation->place : arm.lift_type == "none" ? "nowhere" : "data";
  Position position;
  position.place = static_cast<std::size_t>(std::find(places.begin(), places.end(), place) - places.begin());
  if (arm.lift_type != "none") {
    position.isotropic = arm.lift_type == "isotropic";
    if (std::isfinite(arm.lift_sigma)) position.sigma = arm.lift_sigma;
    position.variant = arm.lift;
  }
  return position;
}

}  // namespace

int primary_column(const TaskSummary& summary) {
  for (std::size_t c = 0; c < summary.columns.size(); ++c) {
    if (summary.columns[c].samples == SampleKind::projected) return static_cast<int>(c);
  }
  return -1;
}

std::optional<Table> make_axis_table(const TaskResult& task, const TaskSummary& summary) {
  const int primary = primary_column(summary);
  if (primary < 0) return std::nullopt;
  const auto c = static_cast<std::size_t>(primary);

  std::set<std::size_t> taken;
  std::set<Position> positions;
  for (const Arm& arm : summary.arms) {
    if (arm.role != ArmRole::learner || arm.type.empty()) continue;
    positions.insert(position_of(arm));
    taken.insert(position_of(arm).place);
  }
  if (taken.size() < 3) return std::nullopt;
  const std::vector<Position> order(positions.begin(), positions.end());

  // Rows: the labels of blind methods. A variation goes to the first label of the type it varies, and to a row below
  // where that place is taken.
  struct Row {
    std::string label;
    std::vector<int> arms;  // by column; -1: none
  };
  std::vector<Row> rows;
  const auto put = [&](const std::string& label, const Arm& arm, int index) {
    const auto column =
        static_cast<std::size_t>(std::find(order.begin(), order.end(), position_of(arm)) - order.begin());
    auto after = rows.end();
    for (auto row = rows.begin(); row != rows.end(); ++row) {
      if (row->label != label) continue;
      if (row->arms[column] < 0) {
        row->arms[column] = index;
        return;
      }
      after = row + 1;
    }
    const auto row = rows.insert(after, Row{label, std::vector<int>(order.size(), -1)});
    row->arms[column] = index;
  };
  std::map<std::string, std::string, std::less<>> label_of;  // the first label of a blind type
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Arm& arm = summary.arms[a];
    if (arm.role != ArmRole::learner || arm.type.empty() || variation_of(arm.type) != nullptr) continue;
    // A label equal to the type is the plain method, whatever stands before it.
    const auto [entry, is_new] = label_of.try_emplace(arm.type, arm.method);
    if (!is_new && arm.method == arm.type) entry->second = arm.method;
    put(arm.method, arm, static_cast<int>(a));
  }
  std::set<std::pair<std::size_t, std::string>> names;  // in the order of the columns
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    const Arm& arm = summary.arms[a];
    const Variation* const variation = variation_of(arm.type);
    if (arm.role != ArmRole::learner || variation == nullptr) continue;
    const auto base = label_of.find(variation->base);
    put(base == label_of.end() ? std::string(variation->base) : base->second, arm, static_cast<int>(a));
    names.emplace(position_of(arm).place,
                  fmt::format("{} = {}", variation->place, arm_label(arm.method, arm.lift == "none" ? "" : arm.lift)));
  }

  const MetricColumn& metric = summary.columns[c];
  Table table;
  const std::string arrow = direction_arrow(metric.direction, metric.target);
  table.title = plain_text(fmt::format("{}: where the mismatch is handled", task.name));
  table.description = plain_text(fmt::format("{}{}{} on projected samples, by the place in the pipeline.", metric.name,
                                             arrow.empty() ? "" : " ", arrow));
  for (const Position& position : order) {
    TableColumn column;
    column.metric = places[position.place];
    column.samples = plain_text(position.variant);
    table.columns.push_back(column);
  }
  const Table all = make_table(task, summary, {primary});
  for (const Row& row : rows) {
    TableRow line;
    line.method = plain_text(row.label);
    int most = 0;
    for (const int a : row.arms) {
      TableCell cell;
      cell.text.value = "";
      if (a >= 0) {
        const auto arm = static_cast<std::size_t>(a);
        cell = all.rows[arm].cells.front();
        most = std::max(most, summary.arms[arm].n_ok);
        if (cell.text.value == "—" && cell.note.find("unsupported") != std::string::npos)
          cell.text.value = "unsupported";
      }
      line.cells.push_back(cell);
    }
    line.seeds = fmt::format("{}", most);
    table.rows.push_back(std::move(line));
  }
  table.footnotes.push_back("nowhere: no lift; data: lifted training points");
  for (const auto& [place, name] : names) table.footnotes.back() += plain_text("; " + name);
  std::vector<std::string> ends;
  for (std::size_t a = 0; a < summary.arms.size(); ++a) {
    if (summary.arms[a].role == ArmRole::learner) continue;
    const FormattedValue& value = all.rows[a].cells.front().text;
    ends.push_back(
        fmt::format("{} {}{}", summary.arms[a].method, value.value, value.spread.empty() ? "" : " ± " + value.spread));
  }
  const FormattedValue& null = all.rows.back().cells.front().text;
  ends.push_back(fmt::format("perfect model {}{}", null.value, null.spread.empty() ? "" : " ± " + null.spread));
  table.footnotes.push_back(plain_text(fmt::format("for comparison: {}", fmt::join(ends, ", "))));
  return table;
}

}  // namespace onmanifold
